// Plans one stage: runs the job type's generator, stores its tasks in batches behind the recorded cursor, seals.
import { callerLoad, openStage, planStage as planWholeStage, sealStage, type StageReadiness } from '../db/job-functions.ts'
import { only } from '../db/sql-function.ts'
import { addTasks, heldClaims, type NewTask } from '../db/task-functions.ts'
import { type AnyStage, stageAt } from '../define/define-job.ts'
import { AppError } from '../rules/errors.ts'
import { TaskKey } from '../models/names.ts'
import { MOST_CLAIM } from '../rules/claim-size.ts'
import type { Deps } from './deps.ts'
import { showLife, workerId } from './liveness.ts'
import { unlessLacking } from './older-schema.ts'
import { repeated } from './repeated.ts'
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
  const key = keyOf(target)
  const opened = only(await openStage(deps.db, { ...key, ...rowOf(target, stage) }))
  if (opened.status !== 'planning') return true
  const deadline = deps.now().getTime() + TIME_BOX_MS
  let cursor = opened.plan_cursor
  let seen = 0
  let batch: NewTask[] = []
  for await (const task of plan(deps, stage, target)) {
    // What is stored was yielded before: a plan yields the same tasks in the same order, so resuming is skipping.
    if (++seen <= cursor) continue
    batch.push(parsed(task))
    if (batch.length < BATCH) continue
    await assertRoom(deps, target, batch.length)
    cursor = only(await addTasks(deps.db, { ...key, cursor, tasks: batch })).add_tasks
    batch = []
    if (deps.now().getTime() > deadline || deps.stopping.aborted) return false
  }
  if (batch.length > 0) cursor = only(await addTasks(deps.db, { ...key, cursor, tasks: batch })).add_tasks
  await sealStage(deps.db, { ...key, expected: cursor })
  tellPlanned(deps, target, stage, cursor)
  return true
}

/**
 * Begins or advances the job, opens, fills and seals the stage in one statement, when its plan is one batch that needs no waiting
 * (a plain generator). A stage that the taker wants is handed out to it. Undefined: it is not, or something was refused: go the long way, which
 * tells what.
 * @throws AppError only when Postgres cannot be reached
 */
export async function planAtOnce(deps: Deps, target: StageTarget): Promise<StageReadiness | undefined> {
  const stage = stageAt(target.job, target.stageNo) as AnyStage
  const tasks = oneBatch(deps, stage, target)
  if (!tasks) return undefined
  try {
    const readiness = await planWhole(deps, target, stage, tasks)
    if (!readiness || readiness.status === 'planning') return undefined
    tellPlanned(deps, target, stage, tasks.length)
    return readiness
  } catch (error) {
    if (error instanceof AppError && error.retryable) throw error
    return undefined
  }
}

async function planWhole(
  deps: Deps,
  target: StageTarget,
  stage: AnyStage,
  tasks: readonly NewTask[],
): Promise<StageReadiness | undefined> {
  const key = keyOf(target)
  const plan = { ...key, ...rowOf(target, stage), tasks }
  const { taker } = target
  if (!taker || !isHandedOut(stage, tasks.length) || !taker.wants(target.job, target.stageNo, tasks.length)) {
    const rows = await unlessLacking(() => planWholeStage(deps.db, plan))
    return rows && only(rows)
  }
  await showLife(deps)
  const worker = workerId(deps)
  const lease = deps.settings.leaseSeconds * 1000
  return repeated(deps, lease, async (isRepeat) => {
    const rows = await unlessLacking(() => planWholeStage(deps.db, { ...plan, limit: MOST_CLAIM, worker, lease }))
    const readiness = rows && only(rows)
    // A plan whose answer was lost is found as it is, and so are its claims.
    const claimed = readiness?.claimed ?? (isRepeat ? await heldClaims(deps.db, { ...key, worker }) : [])
    if (claimed.length > 0) taker.claim = { stageNo: target.stageNo, worker, tasks: claimed }
    return readiness
  })
}

/** Nothing is asked before its claims. */
const isHandedOut = ({ weight, slots, dependsOn }: AnyStage, tasks: number): boolean =>
  weight === 'light' && !slots && dependsOn.length === 0 && tasks > 0

function oneBatch(deps: Deps, stage: AnyStage, target: StageTarget): NewTask[] | undefined {
  try {
    const tasks = plan(deps, stage, target)
    if (!(Symbol.iterator in tasks)) return undefined
    const batch: NewTask[] = []
    for (const task of tasks) {
      if (batch.length === BATCH) return undefined
      batch.push(parsed(task))
    }
    return batch
  } catch {
    // The long way meets it again, with a stage that shows where.
    return undefined
  }
}

const keyOf = ({ jobId: job_id, attempt, stageNo: stage_no }: StageTarget) => ({ job_id, attempt, stage_no })

/** What a stage row is opened with. */
const rowOf = ({ job }: StageTarget, { name, weight, onTaskFailure, maxClaims }: AnyStage) => ({
  name,
  weight,
  on_task_failure: job.onTaskFailure ?? onTaskFailure,
  max_claims: maxClaims,
})

function parsed(task: NewTask): NewTask {
  TaskKey.parse(task.key)
  return task
}

const tellPlanned = (deps: Deps, { jobId: job_id, stageNo: stage }: StageTarget, { name }: AnyStage, tasks: number): void =>
  deps.log.info('stage.planned', { job_id, stage, name, tasks })

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
