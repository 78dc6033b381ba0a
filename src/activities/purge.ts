// Retention: ended jobs that are old enough go, with their Durable history, in small slices; what went is summed up in one event row.
import { app, type InvocationContext, type Timer } from '@azure/functions'
import * as df from 'durable-functions'
import { addEvent, deleteRetired, jobsToPurge, purgeJob } from '../db/job-functions.ts'
import { only } from '../db/sql-function.ts'
import { type Instances, instancesOf } from '../orchestrators/client.ts'
import { type Resources, resources } from '../platform/resources.ts'

/** Jobs of one pass, and task rows of one statement: running jobs must not notice. */
const JOBS = 200
const ROWS = 2000
/** The rest waits for the next hour. */
const TIME_BOX_MS = 240_000

/** One pass. Safe when several run at once, and to be stopped anywhere. @returns jobs that went, by type and status */
export async function purge(r: Resources, instances: Instances): Promise<Record<string, number>> {
  const { RETENTION_DAYS: days, RETENTION_DAYS_FAILED: days_failed } = r.config
  const gone: Record<string, number> = {}
  for (const { job_id, job_type, status } of await jobsToPurge(r.db, { days, days_failed, limit: JOBS })) {
    if (r.stopping.aborted) break
    try {
      // The history first: an instance without a row would have to be found again.
      await instances.purge(job_id)
      if (only(await purgeJob(r.db, { job_id })).purge_job === 'gone')
        gone[`${job_type}/${status}`] = (gone[`${job_type}/${status}`] ?? 0) + 1
    } catch (error) {
      r.log.error('purge.failed', { job_id, error })
    }
  }
  // Their tasks; what is left when the host stops is deleted by the reconciler.
  while (!r.stopping.aborted && only(await deleteRetired(r.db, { limit: ROWS })).delete_retired > 0);
  const jobs = Object.values(gone).reduce((a, b) => a + b, 0)
  if (jobs > 0) {
    r.log.info('jobs.purged', { jobs })
    await addEvent(r.db, { job_id: null, event: 'jobs.purged', actor: 'system', data: { jobs, by_type_and_status: gone } })
  }
  return gone
}

app.timer('purgeJobs', {
  schedule: '0 17 * * * *',
  extraInputs: [df.input.durableClient()],
  handler: async (_timer: Timer, context: InvocationContext) => {
    const r = resources()
    const deadline = r.now().getTime() + TIME_BOX_MS
    for (;;) {
      const jobs = Object.values(await purge(r, instancesOf(context))).reduce((a, b) => a + b, 0)
      if (jobs < JOBS || r.now().getTime() > deadline || r.stopping.aborted) return
    }
  },
})
