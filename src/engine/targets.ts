// What an activity works on: one stage of one attempt of a job.
import type { AnyJob, AnyStage } from '../define/define-job.ts'

export interface StageTarget {
  readonly job: AnyJob
  readonly jobId: string
  readonly attempt: number
  readonly stageNo: number
  readonly parameters: unknown
}

/** The same, for one worker. */
export interface WorkerTarget extends StageTarget {
  readonly stage: AnyStage
  readonly worker: string
  readonly leaseMs: number
}
