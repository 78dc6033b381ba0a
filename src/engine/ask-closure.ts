// Asks whether a stage is closed, and says so once: the one caller that closed it logs it.
import { closeStage, type StageClosure } from '../db/job-functions.ts'
import { only } from '../db/sql-function.ts'
import type { Deps } from './deps.ts'

/** The recorded closure, or what is still open. Call it after the results were committed. */
export async function askClosure(deps: Deps, key: { job_id: string; attempt: number; stage_no: number }): Promise<StageClosure> {
  const closure = only(await closeStage(deps.db, key))
  const { outcome, expected, completed, failed, skipped } = closure
  if (closure.closed_now)
    deps.log.info('stage.closed', {
      job_id: key.job_id,
      stage: key.stage_no,
      outcome,
      tasks: expected,
      completed,
      failed,
      skipped,
    })
  return closure
}
