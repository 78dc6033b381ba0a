// Runs the claimed tasks of one worker side by side, records outcomes, keeps leases alive, and stops what may not go on.
import pLimit from 'p-limit'
import type { Closure } from '../db/stage-columns.ts'
import { type ClaimedTask, extendLeases, releaseTasks, type TaskOutcome } from '../db/task-functions.ts'
import { failedDependency, type DependencyName } from '../rules/dependencies.ts'
import { AppError } from '../rules/errors.ts'
import type { Deps } from './deps.ts'
import { showLife } from './liveness.ts'
import { predecessorsOf } from './predecessors.ts'
import { recordOutcomes } from './record-outcomes.ts'
import { runTask, type TaskHandle } from './run-task.ts'
import type { WorkerTarget } from './targets.ts'

/** While anything runs, one statement this often learns of cancel, pause and lost leases. */
const LIVENESS_MS = 2000

/** One try that is under way. One controller per try: AbortSignal.any over a long-lived signal keeps every try in memory. */
interface Running {
  readonly abort: AbortController
  /** The claim is not this worker's any more: whatever the run answers must not be recorded. */
  lost: boolean
  /** The job was paused: this worker lives, so the claim goes back and costs no try. */
  paused: boolean
  progress: { fraction: number; note?: string } | undefined
}

export interface BatchReport {
  readonly completed: number
  readonly failed: number
  /** Claims that were given back unused. */
  readonly released: number
  /** Dependencies that failures of the batch tell to be down. */
  readonly failedDependencies: ReadonlySet<DependencyName>
  /** The stage, when the last results found it closed. */
  readonly closed: Closure | undefined
}

/**
 * Runs and records one claimed batch; answers with counts of what was recorded.
 * @param isLast nothing else of the stage is known to be open: asks whether it is closed with the last results
 */
export async function runBatch(
  deps: Deps,
  target: WorkerTarget,
  claimed: readonly ClaimedTask[],
  isLast: boolean,
): Promise<BatchReport> {
  const running = new Map(claimed.map((t) => [t.task_no, newlyRunning()]))
  const batch = new Finished(deps, target, claimed)
  const failedDependencies = new Set<DependencyName>()
  const onStop = (): void => abortAll(running)
  deps.stopping.addEventListener('abort', onStop)
  if (deps.stopping.aborted) onStop()
  const liveness = keepAlive(deps, target, running, () => batch.record(false))
  const predecessor = predecessorsOf(deps, target, claimed)
  const atOnce = target.stage.weight === 'heavy' ? 1 : target.stage.taskConcurrency
  try {
    await pLimit(atOnce).map(claimed, async (task) => {
      const state = running.get(task.task_no) as Running
      const outcome = await runTask(
        deps,
        target,
        task,
        handleOf(state, () => predecessor(task)),
      )
      running.delete(task.task_no)
      if (outcome && !isUnused(deps, outcome)) batch.outcomes.push(outcome)
      else if (outcome || state.paused) batch.unused.push(task.task_no)
      const down = failedDependency(target.stage.dependsOn, outcome?.error_code)
      if (down) failedDependencies.add(down)
    })
  } finally {
    clearInterval(liveness)
    deps.stopping.removeEventListener('abort', onStop)
    await batch.record(isLast)
    if (batch.unused.length > 0) await giveBack(deps, target, batch.unused)
  }
  return { ...batch.counts, released: batch.unused.length, failedDependencies, closed: batch.closed }
}

/** What a batch has finished, and what of it is recorded. */
class Finished {
  /** Not recorded yet. */
  outcomes: TaskOutcome[] = []
  readonly unused: number[] = []
  readonly counts = { completed: 0, failed: 0 }
  closed: Closure | undefined
  readonly #of: readonly [Deps, WorkerTarget, readonly ClaimedTask[]]

  constructor(...of: readonly [Deps, WorkerTarget, readonly ClaimedTask[]]) {
    this.#of = of
  }

  async record(isLast: boolean): Promise<void> {
    const results = this.outcomes
    this.outcomes = []
    if (results.length === 0) return
    // A failure may leave tasks to be skipped before the stage can close.
    const isWhole = this.unused.length === 0 && this.counts.failed === 0 && results.every((r) => r.status === 'completed')
    this.closed = await recordOutcomes(...this.#of, results, this.counts, isLast && isWhole)
  }
}

async function giveBack(
  deps: Deps,
  { jobId: job_id, attempt, stageNo: stage_no, worker }: WorkerTarget,
  task_nos: number[],
): Promise<void> {
  await releaseTasks(deps.db, { job_id, attempt, stage_no, worker, task_nos })
}

const newlyRunning = (): Running => ({ abort: new AbortController(), lost: false, paused: false, progress: undefined })

function abortAll(running: ReadonlyMap<number, Running>): void {
  for (const { abort } of running.values()) abort.abort(new AppError('TASK_ABORTED', 'The worker is shutting down.'))
}

/** What one try is run with. */
const handleOf = (state: Running, predecessor: () => Promise<unknown>): TaskHandle => ({
  abort: state.abort,
  isLost: () => state.lost,
  predecessor,
  progress: (fraction, note) => {
    state.progress = { fraction: Math.min(1, Math.max(0, fraction)), ...(note ? { note } : {}) }
  },
})

/** Neither the task nor its input is to blame: the claim is given back. */
const isUnused = (deps: Deps, { error_code }: TaskOutcome): boolean =>
  error_code === 'DEPENDENCY_OPEN' || (error_code === 'TASK_ABORTED' && deps.stopping.aborted)

/** Heartbeat: asks every 2 s, renews each third of the lease, records what is finished meanwhile, aborts what is lost. */
function keepAlive(deps: Deps, target: WorkerTarget, running: Map<number, Running>, record: () => Promise<void>): NodeJS.Timeout {
  let renewed = deps.now().getTime()
  let busy = false
  const beat = async (): Promise<void> => {
    await showLife(deps)
    const renew = deps.now().getTime() - renewed >= target.leaseMs / 3
    const progress = Object.fromEntries([...running].flatMap(([no, s]) => (s.progress ? [[no, s.progress]] : [])))
    const [answer] = await extendLeases(deps.db, {
      job_id: target.jobId,
      attempt: target.attempt,
      stage_no: target.stageNo,
      worker: target.worker,
      task_nos: [...running.keys()],
      lease: target.leaseMs,
      renew: renew || Object.keys(progress).length > 0,
      progress,
    })
    if (renew) renewed = deps.now().getTime()
    if (!answer) return
    const stop = answer.job_status !== 'processing' || answer.current_attempt !== target.attempt
    for (const no of stop ? [...running.keys()] : answer.lost) {
      const state = running.get(no)
      if (!state) continue
      state.lost = true
      state.paused = answer.job_status === 'paused' && answer.current_attempt === target.attempt
      state.abort.abort(new AppError('TASK_ABORTED', stop ? `The job is ${answer.job_status}.` : 'The claim was lost.'))
    }
    await record()
  }
  return setInterval(() => {
    if (busy) return
    busy = true
    beat()
      .catch((error: unknown) => deps.log.warn('worker.heartbeat_failed', { job_id: target.jobId, error }))
      .finally(() => (busy = false))
  }, LIVENESS_MS)
}
