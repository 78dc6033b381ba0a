// Words that both records and engine use: states, weights, modes.
import * as z from 'zod'

export const JobStatus = z.enum(['queued', 'processing', 'paused', 'completed', 'completed_with_errors', 'failed', 'cancelled'])
export type JobStatus = z.infer<typeof JobStatus>

/** Statuses that never change again within one attempt. */
export const TERMINAL_JOB_STATUSES = ['completed', 'completed_with_errors', 'failed', 'cancelled'] as const satisfies JobStatus[]

/** True for a status that no longer changes within the attempt. */
export function isTerminalJob(status: JobStatus): boolean {
  return (TERMINAL_JOB_STATUSES as readonly JobStatus[]).includes(status)
}

export const StageStatus = z.enum(['planning', 'open', 'closed'])
export type StageStatus = z.infer<typeof StageStatus>

export const StageOutcome = z.enum(['completed', 'completed_with_errors', 'failed', 'skipped'])
export type StageOutcome = z.infer<typeof StageOutcome>

/** light: a worker claims 50 to 200 tasks at a time; heavy: one worker, one task. */
export const StageWeight = z.enum(['light', 'heavy'])
export type StageWeight = z.infer<typeof StageWeight>

export const TaskStatus = z.enum(['queued', 'processing', 'retrying', 'completed', 'failed', 'skipped'])
export type TaskStatus = z.infer<typeof TaskStatus>

/** fail: the first failed task fails the stage and the job, and what has not begun is skipped; continue: the job ends completed_with_errors. */
export const OnTaskFailure = z.enum(['fail', 'continue'])
export type OnTaskFailure = z.infer<typeof OnTaskFailure>

/** What a caller may do; each role includes the ones before it. */
export const Role = z.enum(['reader', 'submitter', 'operator', 'admin'])
export type Role = z.infer<typeof Role>

export const includesRole = (held: Role, needed: Role): boolean => Role.options.indexOf(held) >= Role.options.indexOf(needed)
