// What an activity works on: one stage of one attempt of a job.
import type { ClaimedTask } from '../db/task-functions.ts'
import type { AnyJob, AnyStage } from '../define/define-job.ts'

/** Tasks that were handed out with the plan of their stage. */
export interface Claim {
  readonly stageNo: number
  readonly worker: string
  readonly tasks: readonly ClaimedTask[]
}

/** An activity that does a stage itself when it thinks that it is done in a moment: such a stage is handed out with its plan. */
export interface Taker {
  wants(job: AnyJob, stageNo: number, tasks: number): boolean
  /** What was handed out to it and is not begun. */
  claim: Claim | undefined
}

export interface StageTarget {
  readonly job: AnyJob
  readonly jobId: string
  readonly attempt: number
  readonly stageNo: number
  readonly parameters: unknown
  /** Whoever plans or closes a stage of this job now. */
  readonly taker?: Taker | undefined
}

/** The same, for one worker. */
export interface WorkerTarget extends StageTarget {
  readonly stage: AnyStage
  readonly worker: string
  readonly leaseMs: number
}
