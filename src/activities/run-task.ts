// One try of one task: calls `run`, enforces timeout and abort, checks the result against its schema.
import * as z from 'zod'
import { recentStageRate } from '../db/reading.ts'
import type { ClaimedTask, TaskOutcome } from '../db/task-functions.ts'
import type { TaskContext } from '../engine/define-job.ts'
import { AppError } from '../engine/errors.ts'
import { toFailure } from '../engine/retry.ts'
import { cleanText, storableJson } from '../engine/storable.ts'
import type { Resources } from '../platform/resources.ts'
import { keepResult } from '../storage/large-results.ts'
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
export async function runTask(
  r: Resources,
  target: WorkerTarget,
  task: ClaimedTask,
  handle: TaskHandle,
): Promise<TaskOutcome | undefined> {
  const started = r.now().getTime()
  const base = (): { task_no: number; duration_ms: number } => ({
    task_no: task.task_no,
    duration_ms: Math.max(0, r.now().getTime() - started),
  })
  try {
    const result = await keepResult(
      r.blobs,
      `${target.jobId}/a${target.attempt}/s${target.stageNo}/${task.task_no}-${target.worker}`,
      await checked(target, await raced(r, target, task, handle)),
    )
    // Refused here, where it fails one task, instead of in the statement that records the whole batch.
    storableJson(result)
    return { ...base(), status: 'completed', result }
  } catch (error) {
    if (handle.isLost()) return undefined
    const failure = toFailure(error, task.claims, target.stage.backoff, r.random())
    return {
      ...base(),
      ...failure,
      error_details: cleanText(failure.error_details),
      status: failure.error_code === 'PREDECESSOR_FAILED' ? 'skipped' : 'failed',
    }
  }
}

/** `run` against timeout and abort. A run that ignores its signal is left behind: its late result is never recorded. */
async function raced(r: Resources, target: WorkerTarget, task: ClaimedTask, handle: TaskHandle): Promise<unknown> {
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
    params: target.params,
    blobs: r.blobs,
    log: r.log,
    signal,
    now: r.now,
    predecessor: handle.predecessor,
    previous: (earlier) => stageResults(r, target.job, target.jobId, earlier),
    recentRate: (stageName) => recentStageRate(r.db, target.job.name, stageName),
    progress: handle.progress,
  }
  try {
    const run = async (): Promise<unknown> =>
      stage.run({ key: task.task_key, taskNo: task.task_no, parameters: task.parameters }, context as TaskContext<unknown, never>)
    return await r.breakers.run(stage.dependsOn, () => Promise.race([run(), aborted.promise]))
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
