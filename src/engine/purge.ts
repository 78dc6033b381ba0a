// Retention: ended jobs that are old enough go, with their Durable history, in small slices; what went is summed up in one event row.
import { addEvent, deleteRetired, jobsToPurge, purgeJob } from '../db/job-functions.ts'
import { only } from '../db/sql-function.ts'
import type { Instances } from './instances.ts'
import type { Deps } from './deps.ts'

/** Jobs of one pass, and task rows of one statement: running jobs must not notice. */
const JOBS = 200
const ROWS = 2000
/** The rest waits for the next hour. */
const TIME_BOX_MS = 240_000

/** One pass. Safe when several run at once, and to be stopped anywhere. @returns jobs that went, by type and status */
export async function purge(deps: Deps, instances: Instances): Promise<Record<string, number>> {
  const { retentionDays: days, retentionDaysFailed: days_failed } = deps.settings
  const gone: Record<string, number> = {}
  for (const { job_id, job_type, status } of await jobsToPurge(deps.db, { days, days_failed, limit: JOBS })) {
    if (deps.stopping.aborted) break
    try {
      // The history first: an instance without a row would have to be found again.
      await instances.purge(job_id)
      if (only(await purgeJob(deps.db, { job_id })).purge_job === 'gone')
        gone[`${job_type}/${status}`] = (gone[`${job_type}/${status}`] ?? 0) + 1
    } catch (error) {
      deps.log.error('purge.failed', { job_id, error })
    }
  }
  // Their tasks; what is left when the host stops is deleted by the reconciler.
  while (!deps.stopping.aborted && only(await deleteRetired(deps.db, { limit: ROWS })).delete_retired > 0);
  const jobs = Object.values(gone).reduce((a, b) => a + b, 0)
  if (jobs > 0) {
    deps.log.info('jobs.purged', { jobs })
    await addEvent(deps.db, { job_id: null, event: 'jobs.purged', actor: 'system', data: { jobs, by_type_and_status: gone } })
  }
  return gone
}

/** Passes until nothing is due any more, or the time is over. */
export async function purgeAll(deps: Deps, instances: Instances): Promise<void> {
  const deadline = deps.now().getTime() + TIME_BOX_MS
  for (;;) {
    const jobs = Object.values(await purge(deps, instances)).reduce((a, b) => a + b, 0)
    if (jobs < JOBS || deps.now().getTime() > deadline || deps.stopping.aborted) return
  }
}
