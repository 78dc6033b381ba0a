// One action for all jobs of a filter: each is named, and the order is one audit row.
import pLimit from 'p-limit'
import { addEvent } from '../db/job-functions.ts'
import { type JobFilter, listJobs } from '../db/reading.ts'
import type { JobStatus } from '../models/words.ts'
import { AppError } from '../rules/errors.ts'
import type { Deps, InstanceDeps } from './deps.ts'
import { ACTS_ON, changeJob, type JobAction, type Order } from './lifecycle.ts'

const AT_ONCE = 8

export interface BulkOrder extends Order {
  readonly action: JobAction
  readonly filter: Omit<JobFilter, 'limit' | 'after'>
  /** Only tells what would be done. */
  readonly dry_run: boolean
  readonly limit: number
}

export interface BulkOutcome {
  readonly job_id: string
  readonly was: JobStatus
  readonly outcome: 'would_change' | 'changed' | 'unchanged' | 'refused'
  readonly status?: JobStatus
  readonly code?: string
  readonly message?: string
}

export interface BulkReport {
  readonly action: JobAction
  readonly dry_run: boolean
  readonly matched: number
  readonly changed: number
  /** Are there more jobs of the filter than `limit`? */
  readonly more: boolean
  readonly jobs: readonly BulkOutcome[]
}

/** @throws AppError of 500 and above; refusals are outcomes */
export async function changeJobs(deps: InstanceDeps, bulk: BulkOrder): Promise<BulkReport> {
  const { action, filter, dry_run, limit, actor, reason } = bulk
  const statuses = ACTS_ON[action].filter((s) => filter.status === undefined || s === filter.status)
  const found = await matching(deps, filter, statuses, limit + 1)
  const jobs = await pLimit(AT_ONCE).map(found.slice(0, limit), async ({ job_id, status: was }): Promise<BulkOutcome> => {
    if (dry_run) return { job_id, was, outcome: 'would_change' }
    try {
      const { changed, status } = await changeJob(deps, action, job_id, bulk)
      return { job_id, was, outcome: changed ? 'changed' : 'unchanged', status }
    } catch (error) {
      if (!(error instanceof AppError) || error.status >= 500) throw error
      return { job_id, was, outcome: 'refused', code: error.code, message: error.message }
    }
  })
  const changed = jobs.filter((o) => o.outcome === 'changed').length
  if (!dry_run) {
    const data = { filter, reason, matched: jobs.length, changed }
    await addEvent(deps.db, { job_id: null, event: `bulk.${action}`, actor, data })
  }
  return { action, dry_run, matched: jobs.length, changed, more: found.length > limit, jobs }
}

/** Jobs of a filter in the given states, newest first. */
async function matching(
  deps: Deps,
  filter: BulkOrder['filter'],
  statuses: readonly JobStatus[],
  limit: number,
): Promise<{ job_id: string; status: JobStatus }[]> {
  const lists = await Promise.all(statuses.map((status) => listJobs(deps.db, { ...filter, status, limit })))
  return lists
    .flat()
    .sort((a, b) => b.created_at.getTime() - a.created_at.getTime())
    .slice(0, limit)
}
