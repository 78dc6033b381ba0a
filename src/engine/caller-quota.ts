// How much one caller may keep the system busy with: a bound for protection, not an account.
import { callerLoad } from '../db/job-functions.ts'
import { only } from '../db/sql-function.ts'
import { AppError } from '../rules/errors.ts'
import type { Deps } from './deps.ts'
import { perProcess } from './per-process.ts'

const QUOTA_RETRY_MS = 30_000
/** A caller that is far from its bounds is asked about this often. */
const ASKED_MS = 1000
const MOST_CALLERS = 1000

/** What was counted last, and the submissions since. */
interface Load {
  jobs: number
  readonly tasks: number
  readonly at: number
}
const loads = perProcess<Load>(MOST_CALLERS)

/** A job that is there already adds nothing. @throws AppError `TOO_MANY_JOBS`, `TOO_MANY_TASKS` */
export async function assertQuota(deps: Deps, caller: string, job_id: string): Promise<void> {
  const { maxJobsPerCaller: jobs, maxTasksPerCaller: tasks } = deps.settings
  const at = deps.now().getTime()
  const known = loads(deps)
  const last = known.get(caller)
  if (last && at - last.at < ASKED_MS && last.jobs < jobs / 2 && last.tasks < tasks / 2) {
    last.jobs++
    return
  }
  const load = only(await callerLoad(deps.db, { caller, job_id }))
  known.set(caller, { jobs: load.jobs + 1, tasks: Number(load.tasks), at })
  if (load.is_known) return
  const options = { retryAfterMs: QUOTA_RETRY_MS }
  if (load.jobs >= jobs) {
    const message = `${load.jobs} jobs of ${caller} have not ended, ${jobs} at most (MAX_JOBS_PER_CALLER).`
    throw new AppError('TOO_MANY_JOBS', message, options)
  }
  if (Number(load.tasks) >= tasks) {
    const message = `${load.tasks} tasks of ${caller} wait for a worker, ${tasks} at most (MAX_TASKS_PER_CALLER).`
    throw new AppError('TOO_MANY_TASKS', message, options)
  }
}
