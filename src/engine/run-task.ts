// One try of one task: calls `run`, enforces timeout and abort, checks the result against its schema.
import * as z from 'zod'
import { recentStageRate } from '../db/reading.ts'
import type { ClaimedTask, TaskOutcome } from '../db/task-functions.ts'
import type { TaskContext } from '../define/define-job.ts'
import { AppError } from '../rules/errors.ts'
import { toFailure } from '../rules/retry.ts'
import { cleanText, storableJson } from '../rules/storable.ts'
import { failSpan, inSpan, isTracing } from '../telemetry/spans.ts'
import type { Deps } from './deps.ts'
import { keepResult } from './large-results.ts'
import type { WorkerTarget } from './targets.ts'
import { stageResults } from './stage-results.ts'

/** What differs from task to task of a batch. */
export interface TaskHandle {
  /** Aborted with an AppError: cancelled, lost, over its time, or the worker stops. */
  readonly abort: AbortController
  /** True when the outcome may not be recorded any more. */
  readonly isLost: () => boolean
  readonly predecessor: () => Promise<unknown>
  readonly progress: (fraction: number, note?: string) => void
}

/** The outcome to record, or undefined when the claim is lost: whoever holds it now records its own. */
export function runTask(
  deps: Deps,
  target: WorkerTarget,
  task: ClaimedTask,
  handle: TaskHandle,
): Promise<TaskOutcome | undefined> {
  if (!isTracing()) return tryTask(deps, target, task, handle)
  const attributes = {
    'lamplighter.job_id': target.jobId,
    'lamplighter.task_key': task.task_key,
    'lamplighter.claim': task.claims,
  }
  return inSpan(`task ${target.job.name}.${target.stage.name}`, attributes, async (span) => {
    const outcome = await tryTask(deps, target, task, handle)
    if (outcome?.status === 'failed') failSpan(span, outcome.error_code ?? 'UNKNOWN', outcome.error_details)
    return outcome
  })
}

async function tryTask(
  deps: Deps,
  target: WorkerTarget,
  task: ClaimedTask,
  handle: TaskHandle,
): Promise<TaskOutcome | undefined> {
  const started = deps.now().getTime()
  const base = (): { task_no: number; duration_ms: number } => ({
    task_no: task.task_no,
    duration_ms: Math.max(0, deps.now().getTime() - started),
  })
  try {
    const result = await keepResult(
      deps.blobs,
      `${target.jobId}/a${target.attempt}/s${target.stageNo}/${task.task_no}-${target.worker}`,
      await checked(target, await raced(deps, target, task, handle)),
    )
    // Refused here, where it fails one task, instead of in the statement that records the whole batch.
    storableJson(result)
    return { ...base(), status: 'completed', result }
  } catch (error) {
    if (handle.isLost()) return undefined
    const failure = toFailure(error, task.claims, target.stage.backoff, deps.random())
    return {
      ...base(),
      ...failure,
      error_details: cleanText(failure.error_details),
      status: failure.error_code === 'PREDECESSOR_FAILED' ? 'skipped' : 'failed',
    }
  }
}

/** `run` against timeout and abort. A run that ignores its signal is left behind: its late result is never recorded. */
async function raced(deps: Deps, target: WorkerTarget, task: ClaimedTask, handle: TaskHandle): Promise<unknown> {
  const { stage } = target
  const { signal } = handle.abort
  const timer = setTimeout(() => {
    handle.abort.abort(new AppError('TASK_TIMEOUT', `The task ran longer than ${stage.timeoutMs} ms.`))
  }, stage.timeoutMs)
  const aborted = Promise.withResolvers<never>()
  const onAbort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  const context: TaskContext<unknown, unknown> = {
    jobId: target.jobId,
    attempt: target.attempt,
    claim: task.claims,
    parameters: target.parameters,
    blobs: deps.blobs,
    outputs: deps.outputs,
    catalogue: deps.catalogue,
    log: deps.log,
    signal,
    now: deps.now,
    predecessor: handle.predecessor,
    previous: (earlier) => stageResults(deps, target.job, target.jobId, earlier),
    recentRate: (stageName) => recentStageRate(deps.db, target.job.name, stageName),
    progress: handle.progress,
  }
  try {
    const run = async (): Promise<unknown> =>
      stage.run({ key: task.task_key, taskNo: task.task_no, parameters: task.parameters }, context as TaskContext<unknown, never>)
    return await deps.breakers.run(stage.dependsOn, () => Promise.race([run(), aborted.promise]))
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
    // Nobody may be waiting for it any more.
    aborted.promise.catch(() => undefined)
  }
}

async function checked(target: WorkerTarget, result: unknown): Promise<unknown> {
  const parsed = await z.safeParseAsync(target.stage.result as z.ZodType, result)
  if (parsed.success) return parsed.data
  const wrong = parsed.error.issues.map((i) => `${i.path.join('.') || 'result'}: ${i.message}`).join('; ')
  throw new AppError('RESULT_INVALID', `Stage ${target.stage.name} returned a result that breaks its schema: ${wrong}`)
}
