// What operators can do to a job, and in which states. Pure.
import type { JobStatus } from '../types.ts'

/** Those of a job that changes; a purge removes it, and asks for more. */
export type ActionName = 'cancel' | 'pause' | 'resume' | 'retry' | 'rerun'

interface Action {
  readonly label: string
  readonly explains: string
  readonly on: readonly JobStatus[]
}

const ENDED_BADLY: readonly JobStatus[] = ['failed', 'completed_with_errors', 'cancelled']

/** As the server has it: where it makes no sense it refuses, and a button would only lead to that. */
export const ACTIONS: Readonly<Record<ActionName, Action>> = {
  pause: { label: 'Pause', explains: 'holds the job; running tasks stop', on: ['queued', 'processing'] },
  resume: { label: 'Resume', explains: 'lets a paused job go on', on: ['paused'] },
  retry: { label: 'Retry failed', explains: 'failed tasks again; completed ones are kept', on: ENDED_BADLY },
  rerun: { label: 'Run again', explains: 'everything again as a new attempt', on: ['completed', ...ENDED_BADLY] },
  cancel: { label: 'Cancel', explains: 'ends the job; nothing new is claimed', on: ['queued', 'processing', 'paused'] },
}

export const PURGE = { label: 'Purge', explains: 'removes ended jobs with their tasks and events; files that they made stay' }
