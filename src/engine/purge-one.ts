// Purge of one job that somebody asked for: as retention does it, before its age.
import { purgeJobFor } from '../db/job-functions.ts'
import { findJob } from '../db/reading.ts'
import { isTerminalJob } from '../models/words.ts'
import { AppError } from '../rules/errors.ts'
import type { InstanceDeps } from './deps.ts'
import { endInstance, type Order } from './lifecycle.ts'

/**
 * Removes an ended job: its rows, its messages and its Durable history; the tasks go in slices, later. Outputs stay.
 * Asked again: nothing changes. The event that is left belongs to no job, since those of the job go with it.
 * @returns whether there was such a job
 * @throws AppError `ILLEGAL_STATE` while it has not ended, `DURABLE_UNAVAILABLE`
 */
export async function purgeOne(deps: InstanceDeps, job_id: string, { reason, actor }: Order): Promise<boolean> {
  const row = await findJob(deps.db, job_id)
  if (!row) return false
  const { job_type, status, attempt } = row
  if (!isTerminalJob(status)) throw notEnded(status)
  try {
    // The history first: an instance without a row would have to be found again. One that still ends would outlive its purge.
    await endInstance(deps, job_id, 'its job is purged')
    await deps.instances.purge(job_id)
  } catch (error) {
    throw new AppError('DURABLE_UNAVAILABLE', 'The history of the job could not be removed; the job is as it was. Try again.', {
      cause: error,
    })
  }
  const outcome = await purgeJobFor(deps.db, job_id, actor, { job_id, job_type, status, attempt, reason })
  if (outcome === 'kept') throw notEnded((await findJob(deps.db, job_id))?.status ?? 'running again')
  return true
}

const notEnded = (status: string): AppError =>
  new AppError('ILLEGAL_STATE', `The job is ${status}: only jobs that have ended are purged. Cancel it first.`)
