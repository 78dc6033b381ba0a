// Words that the page offers to choose from. The models' own lists would bring zod with them; the types hold these to the same words.
import type { JobStatus, TaskStatus } from '../models/words.ts'

const jobStatuses = {
  queued: true,
  processing: true,
  paused: true,
  completed: true,
  completed_with_errors: true,
  failed: true,
  cancelled: true,
} satisfies Record<JobStatus, true>
export const JOB_STATUSES = Object.keys(jobStatuses) as readonly JobStatus[]

const taskStatuses = {
  queued: true,
  processing: true,
  retrying: true,
  completed: true,
  failed: true,
  skipped: true,
} satisfies Record<TaskStatus, true>
export const TASK_STATUSES = Object.keys(taskStatuses) as readonly TaskStatus[]

const ENDED: ReadonlySet<string> = new Set(['completed', 'completed_with_errors', 'failed', 'cancelled'] satisfies JobStatus[])
export const hasEnded = (status: JobStatus): boolean => ENDED.has(status)
