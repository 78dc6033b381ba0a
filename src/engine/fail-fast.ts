// The mode fail: once a task has failed, what has not begun is skipped instead of being run for nothing.
import { skipRest } from '../db/task-functions.ts'
import { only } from '../db/sql-function.ts'
import type { AnyJob, AnyStage } from '../define/define-job.ts'
import type { Deps } from './deps.ts'

/** Rows of one statement. */
const SLICE = 5000

/** How many were skipped. Asked again it goes on where it was stopped: a worker that died between a failure and this is made up for by the next turn. */
export async function skipWhatIsLeft(
  deps: Deps,
  { job, stage }: { job: AnyJob; stage: AnyStage },
  key: { job_id: string; attempt: number; stage_no: number },
): Promise<number> {
  if ((job.onTaskFailure ?? stage.onTaskFailure) !== 'fail') return 0
  for (let skipped = 0; ;) {
    const { skip_rest: n } = only(await skipRest(deps.db, { ...key, limit: SLICE }))
    skipped += n
    if (n < SLICE || deps.stopping.aborted) return skipped
  }
}
