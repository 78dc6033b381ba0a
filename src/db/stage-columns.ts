// What several SQL functions take and answer alike: which stage is meant, and how it closed.
import type { StageOutcome } from '../models/words.ts'

export interface JobAttempt {
  readonly job_id: string
  readonly attempt: number
}
export interface StageAttempt extends JobAttempt {
  readonly stage_no: number
}
export const STAGE_ATTEMPT = { job_id: 'text', attempt: 'integer', stage_no: 'integer' } as const

/** The recorded closure, or that there is none yet; see sql/functions/close_stage.sql. */
export interface Closure {
  readonly state: 'closed' | 'open' | 'planning' | 'superseded'
  /** True for one caller ever. */
  readonly closed_now: boolean
  readonly outcome: StageOutcome | null
  readonly expected: number | null
  readonly completed: number | null
  readonly failed: number | null
  readonly skipped: number | null
}
export const CLOSED = {
  state: 'text',
  closed_now: 'boolean',
  outcome: 'text',
  expected: 'integer',
  completed: 'integer',
  failed: 'integer',
  skipped: 'integer',
} as const

/** What close_stage answers: with what is still open. */
export interface StageClosure extends Closure {
  readonly open_at_least: number | null
  /** Counts leases of living workers too. */
  readonly next_ready_at: Date | null
  /** Only tasks that wait for their next try. */
  readonly next_retry_at: Date | null
}
