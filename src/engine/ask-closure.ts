// Asks whether a stage is closed, and says so once: the one caller that closed it logs it.
import { closeStage } from '../db/job-functions.ts'
import type { Closure, StageClosure } from '../db/stage-columns.ts'
import { countPoisoned } from '../db/reading-failures.ts'
import { only } from '../db/sql-function.ts'
import type { AnyJob, AnyStage } from '../define/define-job.ts'
import { countTasks } from '../telemetry/metrics.ts'
import type { Deps } from './deps.ts'

interface StageKey {
  readonly job_id: string
  readonly attempt: number
  readonly stage_no: number
}

/** The recorded closure, or what is still open. Call it after the results were committed. */
export async function askClosure(
  deps: Deps,
  key: StageKey,
  of: { readonly job: AnyJob; readonly stage: AnyStage },
): Promise<StageClosure> {
  const closure = only(await closeStage(deps.db, key))
  await tellClosed(deps, key, of, closure)
  return closure
}

/** Says it when this question closed the stage. */
export async function tellClosed(
  deps: Deps,
  key: StageKey,
  of: { readonly job: AnyJob; readonly stage: AnyStage },
  { closed_now, outcome, expected, completed, failed, skipped }: Closure,
): Promise<void> {
  if (!closed_now) return
  const { job_id, stage_no: stage } = key
  deps.log.info('stage.closed', { job_id, stage, outcome, tasks: expected, completed, failed, skipped })
  if ((failed ?? 0) > 0) await tellPoisoned(deps, key, of)
}

/** A claim that gives a task up does not say so: they are counted once, when the stage closes. */
async function tellPoisoned(
  deps: Deps,
  { job_id, stage_no: stage }: StageKey,
  of: { readonly job: AnyJob; readonly stage: AnyStage },
): Promise<void> {
  const tasks = await countPoisoned(deps.db, job_id, stage)
  if (tasks === 0) return
  deps.log.warn('task.poisoned', { job_id, stage, job_type: of.job.name, tasks })
  countTasks('failed', tasks, { job_type: of.job.name, stage: of.stage.name }, 'POISON')
}
