// One action for all jobs of a filter: each is named, and the order is one audit row.
import pLimit from 'p-limit'
import { addEvent } from '../db/job-functions.ts'
import { findJobs, type JobFilter } from '../db/list-jobs.ts'
import { type JobStatus, TERMINAL_JOB_STATUSES } from '../models/words.ts'
import { AppError } from '../rules/errors.ts'
import type { Deps, InstanceDeps } from './deps.ts'
import { ACTS_ON, changeJob, type JobAction, type Order } from './lifecycle.ts'
import { purgeOne } from './purge-one.ts'

const AT_ONCE = 8

/** What can be ordered for a whole filter. */
export type BulkAction = JobAction | 'purge'

export interface BulkOrder extends Order {
  readonly filter: Omit<JobFilter, 'limit' | 'after'>
  /** Only tells what would be done. */
  readonly dry_run: boolean
  readonly limit: number
}

export interface BulkOutcome {
  readonly job_id: string
  readonly was: JobStatus
  readonly outcome: 'would_change' | 'changed' | 'unchanged' | 'refused'
  /** As it is now; a purged job has none. */
  readonly status?: JobStatus
  readonly code?: string
  readonly message?: string
}

export interface BulkReport {
  readonly action: BulkAction
  readonly dry_run: boolean
  readonly matched: number
  readonly changed: number
  /** Are there more jobs of the filter than `limit`? */
  readonly more: boolean
  readonly jobs: readonly BulkOutcome[]
}

/** @throws AppError when the database fails; what a single job refuses is its outcome */
export function changeJobs(deps: InstanceDeps, action: JobAction, order: BulkOrder): Promise<BulkReport> {
  return actOnAll(deps, order, { action, on: ACTS_ON[action], act: (job_id) => changeJob(deps, action, job_id, order) })
}

/** Removes those that have ended, with their history. @throws AppError as {@link changeJobs} */
export function purgeJobs(deps: InstanceDeps, order: BulkOrder): Promise<BulkReport> {
  const act: Act['act'] = async (job_id) => ({ changed: await purgeOne(deps, job_id, order) })
  return actOnAll(deps, order, { action: 'purge', on: TERMINAL_JOB_STATUSES, act })
}

interface Act {
  readonly action: BulkAction
  /** The states that it makes sense for; others are not looked at. */
  readonly on: readonly JobStatus[]
  readonly act: (job_id: string) => Promise<{ readonly changed: boolean; readonly status?: JobStatus }>
}

async function actOnAll(deps: Deps, order: BulkOrder, { action, on, act }: Act): Promise<BulkReport> {
  const { filter, dry_run, limit, actor, reason } = order
  const statuses = on.filter((s) => filter.status === undefined || s === filter.status)
  const found = await matching(deps, filter, statuses, limit + 1)
  const gate = pLimit(AT_ONCE)
  const jobs = await gate.map(found.slice(0, limit), async ({ job_id, status: was }): Promise<BulkOutcome> => {
    if (dry_run) return { job_id, was, outcome: 'would_change' }
    try {
      const { changed, status } = await act(job_id)
      return { job_id, was, outcome: changed ? 'changed' : 'unchanged', ...(status && { status }) }
    } catch (error) {
      if (isOfThisJob(error)) return { job_id, was, outcome: 'refused', code: error.code, message: error.message }
      // What the caller is told has failed does not go on behind the answer.
      gate.clearQueue()
      throw error
    }
  })
  const changed = jobs.filter((o) => o.outcome === 'changed').length
  if (!dry_run) {
    const data = { filter, reason, matched: jobs.length, changed }
    await addEvent(deps.db, { job_id: null, event: `bulk.${action}`, actor, data })
  }
  return { action, dry_run, matched: jobs.length, changed, more: found.length > limit, jobs }
}

/** A refusal, or an instance that could not be reached: the next job may fare better. */
const isOfThisJob = (error: unknown): error is AppError =>
  error instanceof AppError && (error.status < 500 || error.code === 'DURABLE_UNAVAILABLE')

/** Jobs of a filter in the given states, newest first. */
async function matching(
  deps: Deps,
  filter: BulkOrder['filter'],
  statuses: readonly JobStatus[],
  limit: number,
): Promise<{ job_id: string; status: JobStatus }[]> {
  const lists = await Promise.all(statuses.map((status) => findJobs(deps.db, { ...filter, status, limit })))
  return lists
    .flat()
    .sort((a, b) => b.created_at.getTime() - a.created_at.getTime())
    .slice(0, limit)
}
