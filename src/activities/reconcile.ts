// The reconciler: starts what was never started, starts again what lost its instance, and deletes what old attempts left.
import { app, type InvocationContext, type Timer } from '@azure/functions'
import * as df from 'durable-functions'
import { deleteRetired, jobsToReconcile, noteReconciled } from '../db/job-functions.ts'
import { only } from '../db/sql-function.ts'
import { type Instances, instancesOf, isActive } from '../orchestrators/client.ts'
import { type Resources, resources } from '../platform/resources.ts'

const LIMIT = 200
/** Longer than a worker's slice, so that a living job is never looked at. */
const IDLE_SECONDS = 30
/** An instance that is still Pending after this long was lost by its task hub. */
const PENDING_SECONDS = 300
const DELETE_SLICE = 5000

/**
 * One pass. Safe when several run at once: the instance id admits one active instance, and each repair is fenced by the attempt.
 * @param idleSeconds 0 at host start, where every processing job may have lost its instance
 * @returns number of repairs
 */
export async function reconcile(r: Resources, instances: Instances, idleSeconds: number): Promise<number> {
  let repairs = 0
  for (const job of await jobsToReconcile(r.db, { limit: LIMIT, idle_seconds: idleSeconds })) {
    try {
      const found = await instances.find(job.job_id)
      const stuck =
        found?.runtimeStatus === 'Pending' && r.now().getTime() - Date.parse(found.lastUpdatedTime) > PENDING_SECONDS * 1000
      if (found && isActive(found) && !stuck) {
        if (job.reason === 'start_not_confirmed')
          await noteReconciled(r.db, {
            job_id: job.job_id,
            attempt: job.attempt,
            action: 'confirmed',
            runtime_status: found.runtimeStatus,
          })
        continue
      }
      if (stuck) await instances.terminate(job.job_id, 'lost while pending')
      await instances.start({ jobId: job.job_id, attempt: job.attempt })
      await noteReconciled(r.db, {
        job_id: job.job_id,
        attempt: job.attempt,
        action: 'started',
        runtime_status: found?.runtimeStatus ?? null,
      })
      r.log.warn('job.reconciled', {
        job_id: job.job_id,
        attempt: job.attempt,
        reason: job.reason,
        runtime_status: found?.runtimeStatus ?? null,
      })
      repairs++
    } catch (error) {
      // One job that cannot be repaired now must not keep the others waiting; the next pass tries again.
      r.log.error('reconcile.failed', { job_id: job.job_id, error })
    }
  }
  while (only(await deleteRetired(r.db, { limit: DELETE_SLICE })).delete_retired > 0 && !r.stopping.aborted);
  return repairs
}

let firstPass = true

app.timer('reconcileJobs', {
  schedule: '*/30 * * * * *',
  runOnStartup: true,
  useMonitor: false,
  extraInputs: [df.input.durableClient()],
  handler: async (_timer: Timer, context: InvocationContext) => {
    const idleSeconds = firstPass ? 0 : IDLE_SECONDS
    firstPass = false
    await reconcile(resources(), instancesOf(context), idleSeconds)
  },
})
