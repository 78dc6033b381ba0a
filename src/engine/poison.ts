// Poisoned tasks, whose every claim ended with a dead worker: requeued or given up, job by job.
import { discardPoison } from '../db/job-functions.ts'
import { groupPoison } from '../db/reading-failures.ts'
import { only } from '../db/sql-function.ts'
import { AppError } from '../rules/errors.ts'
import type { InstanceDeps } from './deps.ts'
import { type Order, retryJob } from './lifecycle.ts'

export interface PoisonReport {
  readonly requeued: number
  readonly discarded: number
  /** Jobs that still run keep their poisoned tasks until they have ended. */
  readonly refused: readonly { readonly job_id: string; readonly code: string; readonly message: string }[]
}

/** @param jobId only of this job; default: of all. @throws AppError of 500 and above; refusals are in the report */
export async function changePoison(
  deps: InstanceDeps,
  action: 'requeue' | 'discard',
  order: Order,
  jobId?: string,
): Promise<PoisonReport> {
  const { reason, actor } = order
  let [requeued, discarded] = [0, 0]
  const refused: PoisonReport['refused'][number][] = []
  const jobs = new Set((await groupPoison(deps.db)).flatMap((g) => g.jobs))
  for (const job_id of jobs) {
    if (jobId !== undefined && job_id !== jobId) continue
    try {
      if (action === 'requeue') requeued += (await retryJob(deps, job_id, { reason, actor, error_code: 'POISON' })).tasks
      else discarded += only(await discardPoison(deps.db, { job_id, reason, actor })).discard_poison
    } catch (error) {
      if (!(error instanceof AppError) || error.status >= 500) throw error
      refused.push({ job_id, code: error.code, message: error.message })
    }
  }
  return { requeued, discarded, refused }
}
