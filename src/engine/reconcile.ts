// The reconciler: starts what was never started, starts again what lost its instance, and deletes what old attempts left.
import pLimit from 'p-limit'
import { deleteRetired, jobsToReconcile, noteReconciled } from '../db/job-functions.ts'
import { findJob, wasResumed } from '../db/reading.ts'
import { only } from '../db/sql-function.ts'
import { isTerminalJob } from '../models/words.ts'
import { type Instances, isActive } from './instances.ts'
import type { Deps } from './deps.ts'
import { tellStuck } from './stuck.ts'

/** Rows of one look, and how many are repaired side by side: a repair waits for the task hub most of its time. */
const LIMIT = 200
const SIDE_BY_SIDE = 8
/** Shorter than the pause between two passes; what is left then waits for the next. */
const TIME_BOX_MS = 25_000
/** Longer than a worker's slice, so that a living job is never looked at. */
export const IDLE_SECONDS = 30
/** An instance that is still Pending after this long was lost by its task hub. */
const PENDING_SECONDS = 300
const DELETE_SLICE = 5000

/**
 * One pass, in both directions. Safe when several run at once: the instance id admits one active instance, and each repair is fenced
 * by the attempt.
 * @param idleSeconds 0 at host start, where every processing job may have lost its instance
 * @returns number of repairs
 */
export async function reconcile(deps: Deps, instances: Instances, idleSeconds: number): Promise<number> {
  const started = deps.now().getTime()
  const pass = { looked_at: 0, repaired: 0, suspended_settled: 0, tasks_deleted: 0 }
  const limit = pLimit(SIDE_BY_SIDE)
  for (let after: string | null = null; !deps.stopping.aborted && deps.now().getTime() - started < TIME_BOX_MS;) {
    const page: Found[] = await jobsToReconcile(deps.db, { limit: LIMIT, idle_seconds: idleSeconds, after })
    await limit.map(page, async (job) => {
      pass.looked_at++
      if (await attempted(deps, job.job_id, () => repairJob(deps, instances, job))) pass.repaired++
    })
    after = page.at(-1)?.reconcile_key ?? null
    if (page.length < LIMIT) break
  }
  for (const jobId of await suspendedInstances(deps, instances))
    if (await attempted(deps, jobId, () => settleSuspended(deps, instances, jobId))) pass.suspended_settled++
  for (;;) {
    const { delete_retired: n } = only(await deleteRetired(deps.db, { limit: DELETE_SLICE }))
    pass.tasks_deleted += n
    if (n === 0 || deps.stopping.aborted) break
  }
  // Its figures, for queries over the log: how much there was to repair is how well the system runs.
  if (Object.values(pass).some((n) => n > 0)) deps.log.info('reconcile.pass', { ...pass, ms: deps.now().getTime() - started })
  return pass.repaired + pass.suspended_settled
}

/** One job that cannot be repaired now must not keep the others waiting; the next pass tries again. */
async function attempted(deps: Deps, job_id: string, repair: () => Promise<boolean>): Promise<boolean> {
  try {
    return await repair()
  } catch (error) {
    deps.log.error('reconcile.failed', { job_id, error })
    return false
  }
}

type Found = Awaited<ReturnType<typeof jobsToReconcile>>[number]

/** A row whose instance is missing, ended, lost while pending, or still suspended after a resume. */
async function repairJob(deps: Deps, instances: Instances, { job_id, attempt, reason, reconcile_key }: Found): Promise<boolean> {
  const found = await instances.find(job_id)
  const runtime_status = found?.runtimeStatus ?? null
  const note = async (action: string): Promise<void> => {
    await noteReconciled(deps.db, { job_id, attempt, action, runtime_status })
    if (action !== 'confirmed') deps.log.warn('job.reconciled', { job_id, attempt, action, reason, runtime_status })
  }
  if (found?.runtimeStatus === 'Suspended' && (await wasResumed(deps.db, job_id))) {
    await instances.resume(job_id, 'its job was resumed')
    await note('resumed')
    return true
  }
  const stuck =
    found?.runtimeStatus === 'Pending' && deps.now().getTime() - Date.parse(found.lastUpdatedTime) > PENDING_SECONDS * 1000
  if (found && isActive(found) && !stuck) {
    if (reason === 'start_not_confirmed') await note('confirmed')
    else await tellStuck(deps, { job_id, reason, movedAt: movedAt(reconcile_key) }, runtime_status)
    return false
  }
  if (stuck) await instances.terminate(job_id, 'lost while pending')
  await instances.start({ jobId: job_id, attempt })
  await note('started')
  return true
}

/** The key of a page begins with when its row was last touched. */
const movedAt = (key: string): Date => new Date(key.split(' ', 1)[0] ?? '')

async function suspendedInstances(deps: Deps, instances: Instances): Promise<string[]> {
  try {
    return await instances.suspended()
  } catch (error) {
    deps.log.error('reconcile.failed', { error })
    return []
  }
}

/**
 * A suspended instance never finds anything out by itself. Whose row has ended or is gone is terminated; whose job runs was suspended from
 * outside (portal, API of the extension), where nobody wrote down who and why: Postgres is the truth, so it goes on. Pausing is for the
 * app's own API, which leaves a reason.
 */
async function settleSuspended(deps: Deps, instances: Instances, job_id: string): Promise<boolean> {
  const row = await findJob(deps.db, job_id)
  if (row?.status === 'paused') return false
  if (row && !isTerminalJob(row.status)) {
    await instances.resume(job_id, `its job is ${row.status}`)
    await noteReconciled(deps.db, { job_id, attempt: row.attempt, action: 'resumed', runtime_status: 'Suspended' })
    deps.log.warn('job.reconciled', { job_id, action: 'resumed', reason: 'suspended_from_outside', runtime_status: 'Suspended' })
    return true
  }
  await instances.terminate(job_id, row ? `its job is ${row.status}` : 'its job was deleted')
  deps.log.warn('job.reconciled', {
    job_id,
    action: 'terminated',
    reason: row ? 'job_ended' : 'job_missing',
    runtime_status: 'Suspended',
  })
  return true
}
