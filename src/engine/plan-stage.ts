// Plans one stage: runs the job type's generator, stores its tasks in batches behind the recorded cursor, seals.
import { callerLoad, openStage, sealStage } from '../db/job-functions.ts'
import { only } from '../db/sql-function.ts'
import { addTasks, type NewTask } from '../db/task-functions.ts'
import { type AnyStage, stageAt } from '../define/define-job.ts'
import { AppError } from '../rules/errors.ts'
import { TaskKey } from '../models/names.ts'
import type { Deps } from './deps.ts'
import { stageResults } from './stage-results.ts'
import type { StageTarget } from './targets.ts'

/** Rows a statement: below 1,000 the round trips cost more than the rows. */
const BATCH = 2000
/** Planning hands back after this time, so that an activity stays short; the cursor is kept. */
const TIME_BOX_MS = 60_000

/**
 * Goes on with the plan until it is sealed (`true`) or the time is used up (`false`).
 * @throws AppError `DUPLICATE_TASK_KEY`, or what the plan itself throws
 */
export async function planStage(deps: Deps, target: StageTarget): Promise<boolean> {
  const stage = stageAt(target.job, target.stageNo) as AnyStage
  const key = { job_id: target.jobId, attempt: target.attempt, stage_no: target.stageNo }
  const opened = only(
    await openStage(deps.db, {
      ...key,
      name: stage.name,
      weight: stage.weight,
      on_task_failure: target.job.onTaskFailure ?? stage.onTaskFailure,
      max_claims: stage.maxClaims,
    }),
  )
  if (opened.status !== 'planning') return true
  const deadline = deps.now().getTime() + TIME_BOX_MS
  let cursor = opened.plan_cursor
  let seen = 0
  let batch: NewTask[] = []
  for await (const task of plan(deps, stage, target)) {
    // What is stored was yielded before: a plan yields the same tasks in the same order, so resuming is skipping.
    if (++seen <= cursor) continue
    TaskKey.parse(task.key)
    batch.push(task)
    if (batch.length < BATCH) continue
    await assertRoom(deps, target, batch.length)
    cursor = only(await addTasks(deps.db, { ...key, cursor, tasks: batch })).add_tasks
    batch = []
    if (deps.now().getTime() > deadline || deps.stopping.aborted) return false
  }
  if (batch.length > 0) cursor = only(await addTasks(deps.db, { ...key, cursor, tasks: batch })).add_tasks
  await sealStage(deps.db, { ...key, expected: cursor })
  deps.log.info('stage.planned', { job_id: target.jobId, stage: target.stageNo, name: stage.name, tasks: cursor })
  return true
}

/** The first batch of a plan needs no room: small jobs pay nothing for this. @throws AppError `QUOTA_EXCEEDED` */
async function assertRoom(deps: Deps, { jobId: job_id }: StageTarget, more: number): Promise<void> {
  const { tasks } = only(await callerLoad(deps.db, { caller: null, job_id }))
  const most = deps.settings.maxTasksPerCaller
  if (Number(tasks) + more > most)
    throw new AppError(
      'QUOTA_EXCEEDED',
      `${tasks} tasks of this caller wait for a worker; ${more} more of this plan would be above ${most} (MAX_TASKS_PER_CALLER).`,
    )
}

function plan(deps: Deps, stage: AnyStage, target: StageTarget): AsyncIterable<NewTask> | Iterable<NewTask> {
  return stage.plan({
    jobId: target.jobId,
    attempt: target.attempt,
    parameters: target.parameters,
    blobs: deps.blobs,
    log: deps.log,
    signal: deps.stopping,
    previous: (earlier) => stageResults(deps, target.job, target.jobId, earlier),
  })
}
