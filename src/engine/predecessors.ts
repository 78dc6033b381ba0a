// `ctx.predecessor()`: one query per claimed batch, made at the first call and shared by its tasks.
import { findPredecessors, type PredecessorRow } from '../db/reading-tasks.ts'
import type { ClaimedTask } from '../db/task-functions.ts'
import { AppError } from '../rules/errors.ts'
import type { Deps } from './deps.ts'
import { loadResult } from './large-results.ts'
import type { StageTarget } from './targets.ts'

/** The key of the task that a task descends from: `source`, or its own key in the stage before. */
export const sourceKeyOf = (task: ClaimedTask): string => task.source_key ?? task.task_key

export function predecessorsOf(
  deps: Deps,
  target: StageTarget,
  batch: readonly ClaimedTask[],
): (task: ClaimedTask) => Promise<unknown> {
  let rows: Promise<ReadonlyMap<string, PredecessorRow>> | undefined
  const load = async (): Promise<ReadonlyMap<string, PredecessorRow>> => {
    const found = await findPredecessors(deps.db, target.jobId, target.stageNo - 1, [...new Set(batch.map(sourceKeyOf))])
    return new Map(found.map((row) => [row.task_key, row]))
  }
  return async (task) => {
    const key = sourceKeyOf(task)
    const row = (await (rows ??= load())).get(key)
    if (!row) throw new AppError('PREDECESSOR_MISSING', `Stage ${target.stageNo - 1} has no task ${JSON.stringify(key)}.`)
    if (row.status !== 'completed')
      throw new AppError('PREDECESSOR_FAILED', `Task ${JSON.stringify(key)} of stage ${target.stageNo - 1} is ${row.status}.`)
    return loadResult(deps.blobs, row.result_data)
  }
}
