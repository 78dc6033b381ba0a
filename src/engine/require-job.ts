// One job's row, or the refusal that every door gives.
import { findJob, type JobRow } from '../db/reading.ts'
import { AppError } from '../rules/errors.ts'
import type { Deps } from './deps.ts'

/** @throws AppError `JOB_NOT_FOUND` */
export async function requireJob(deps: Pick<Deps, 'db'>, jobId: string): Promise<JobRow> {
  const row = await findJob(deps.db, jobId)
  if (!row) throw new AppError('JOB_NOT_FOUND', `There is no job ${jobId}.`)
  return row
}
