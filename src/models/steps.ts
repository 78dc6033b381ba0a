// What orchestrator and activities say to each other: small objects, at most 1 KB, never bare strings.
import type { JobStatus } from './words.ts'

/** The orchestrator that handles every job. */
export const ORCHESTRATOR = 'job'

/** Input of the orchestrator. The last members travel through continueAsNew only. */
export interface JobInput {
  readonly jobId: string
  readonly attempt: number
  /** `traceparent` of the request that started the instance; one that was started without it goes on. */
  readonly trace?: string | undefined
  /** Turns without movement so far: they back off. */
  readonly idle?: number
  /** Consecutive answers `again`: planning that never ends is a named error. */
  readonly again?: number
  /** What the execution before was told and did not do any more. */
  readonly step?: Step
}

export type StepInput = Pick<JobInput, 'jobId' | 'attempt' | 'trace'>

/** Answer of advanceJob: what the job needs now. */
export type Step =
  | { readonly kind: 'done'; readonly status: JobStatus; readonly attempt: number }
  | { readonly kind: 'wait'; readonly seconds: number }
  | { readonly kind: 'again' }
  | {
      readonly kind: 'run'
      readonly stage: number
      readonly name: string
      readonly workers: number
      readonly done: number
      readonly total: number
      /** Of this stage; for the custom status that the portal shows. */
      readonly percent: number
      readonly eta: string | null
    }

/** What the portal shows of a running job. */
export type JobCustomStatus = Pick<Extract<Step, { kind: 'run' }>, 'stage' | 'name' | 'done' | 'total' | 'percent' | 'eta'>

export interface RunInput extends StepInput {
  readonly stage: number
  /** Nobody else works on the stage in this turn. */
  readonly alone?: true | undefined
}

/** Answer of runTasks: counts, and from the last one out what comes next. */
export interface RunReport {
  readonly claimed: number
  readonly completed: number
  readonly failed: number
  /** Of the worker whose question closed the stage: true when it was given. Without it the orchestrator asks. */
  readonly next?: Step
}
