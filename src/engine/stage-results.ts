// Typed results of earlier stages, streamed page by page: what `previous(stage)` gives to plans and results.
import { completedResults, listTasks } from '../db/reading-tasks.ts'
import type { AnyJob, AnyStage, FailedTask, ResultOf, TaskResult } from '../define/define-job.ts'
import type { Deps } from './deps.ts'
import { loadResult } from './large-results.ts'

const PAGE = 1000

/** Completed tasks of one stage in task order; memory is one page. */
export async function* stageResults<S extends AnyStage>(
  deps: Deps,
  job: AnyJob,
  jobId: string,
  stage: S,
): AsyncGenerator<TaskResult<ResultOf<S>>> {
  const number = job.stages.indexOf(stage) + 1
  if (number === 0) throw new Error(`${job.name} has no stage ${stage.name}`)
  for (let after = 0; ;) {
    const rows = await completedResults(deps.db, jobId, number, after, PAGE)
    for (const row of rows) yield { key: row.key, result: (await loadResult(deps.blobs, row.result)) as ResultOf<S> }
    const last = rows.at(-1)
    if (!last || rows.length < PAGE) return
    after = last.task_no
  }
}

/** Failed tasks of one stage in task order; memory is one page. */
export async function* stageFailures(deps: Deps, job: AnyJob, jobId: string, of: AnyStage): AsyncGenerator<FailedTask> {
  const stage = job.stages.indexOf(of) + 1
  if (stage === 0) throw new Error(`${job.name} has no stage ${of.name}`)
  for (let task_no = 0; ;) {
    const rows = await listTasks(deps.db, jobId, { stage, status: 'failed', after: { stage, task_no }, limit: PAGE })
    for (const row of rows) yield { key: row.task_key, code: row.error_code ?? 'TASK_FAILED', details: row.error_details ?? '' }
    const last = rows.at(-1)
    if (!last || rows.length < PAGE) return
    task_no = last.task_no
  }
}
