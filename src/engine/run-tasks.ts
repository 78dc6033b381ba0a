// runTasks: one worker. Claims, runs, completes, repeats; ends by asking close_stage. Never throws for a task's failure.
import type { StageClosure } from '../db/job-functions.ts'
import { findJob } from '../db/reading.ts'
import { type ClaimedTask, claimTasks, heldClaims } from '../db/task-functions.ts'
import { stageAt } from '../define/define-job.ts'
import type { RunInput, RunReport } from '../models/steps.ts'
import type { Deps } from './deps.ts'
import { CLAIM_BATCH, SOON_MS } from './advance.ts'
import { askClosure } from './ask-closure.ts'
import { gateOf, reportProbe } from './dependency-gate.ts'
import { showLife, workerId } from './liveness.ts'
import { skipWhatIsLeft } from './fail-fast.ts'
import { repeated } from './repeated.ts'
import { runBatch } from './run-batch.ts'
import type { WorkerTarget } from './targets.ts'

/** A worker hands back after this time, so that a small job never waits long behind a large one for an activity slot. */
const SLICE_MS = 10_000

/**
 * One slice of a stage's work. Light: batches of 50 until nothing is ready or the slice is over. Heavy: exactly one task.
 * @returns counts only; Postgres has the rest
 */
export async function runTasks({ jobId, attempt, stage: stageNo }: RunInput, deps: Deps): Promise<RunReport> {
  const key = { job_id: jobId, attempt, stage_no: stageNo }
  const total = { claimed: 0, completed: 0, failed: 0 }
  const row = await findJob(deps.db, jobId)
  const job = row && deps.jobType(row.job_type)
  const stage = job && stageAt(job, stageNo)
  if (!row || !job || !stage || row.attempt !== attempt) return total
  const target: WorkerTarget = {
    job,
    jobId,
    attempt,
    stageNo,
    parameters: row.parameters,
    stage,
    worker: workerId(deps),
    leaseMs: deps.settings.leaseSeconds * 1000,
  }
  const release = stage.slots ? await stage.slots.take(SLICE_MS) : NOTHING
  // Every place is taken: handed back, so that the orchestrator asks again, and no claim has waited for one.
  if (!release) return total
  try {
    await showLife(deps)
    if (!(await work(deps, target, key, total))) return total
  } finally {
    release()
  }
  await askClosure(deps, key, target)
  return total
}

const NOTHING = (): void => undefined

/** Claims, runs and records until the slice is over, nothing is ready, or the host stops. Counts into `total`. @returns whether closing is to be asked for */
async function work(
  deps: Deps,
  target: WorkerTarget,
  key: { job_id: string; attempt: number; stage_no: number },
  total: { claimed: number; completed: number; failed: number },
): Promise<boolean> {
  const { stage } = target
  const deadline = deps.now().getTime() + SLICE_MS
  const limit = stage.weight === 'heavy' ? 1 : CLAIM_BATCH
  while (!deps.stopping.aborted) {
    const gate = await gateOf(deps, stage, true)
    if (gate.state === 'open') return false
    const wanted = gate.state === 'probe' ? 1 : limit
    const claimed = await claimOnce(deps, target, key, wanted)
    if (claimed.length > 0) {
      const { completed, failed, released, failedDependencies } = await runBatch(deps, target, claimed)
      if (gate.state === 'probe') await reportProbe(deps, stage, failedDependencies)
      total.claimed += claimed.length - released
      total.completed += completed
      total.failed += failed
      if (failed > 0) await skipWhatIsLeft(deps, target, key)
      if (released > 0) return true
    } else if (!(await soonReady(deps, await askClosure(deps, key, target), deadline))) return false
    if (stage.weight === 'heavy' || deps.now().getTime() >= deadline) return true
  }
  return true
}

/** A claim whose answer was lost is found again by its worker's id instead of waiting for its lease to end. */
async function claimOnce(
  deps: Deps,
  { worker, leaseMs: lease }: WorkerTarget,
  key: { job_id: string; attempt: number; stage_no: number },
  limit: number,
): Promise<ClaimedTask[]> {
  return repeated(deps, SLICE_MS, async (isRepeat) => {
    const held = isRepeat ? await heldClaims(deps.db, { ...key, worker }) : []
    return held.length > 0 ? held : claimTasks(deps.db, { ...key, limit, worker, lease })
  })
}

/** Waits for a task whose next try is within 5 s and within the slice; false when there is none. Leases of others are not waited for. */
async function soonReady(deps: Deps, closure: StageClosure, deadline: number): Promise<boolean> {
  if (closure.state !== 'open' || closure.next_retry_at === null) return false
  const wait = closure.next_retry_at.getTime() - deps.now().getTime()
  if (wait > SOON_MS || deps.now().getTime() + wait > deadline) return false
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      deps.stopping.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, Math.max(20, wait))
    deps.stopping.addEventListener('abort', done)
  })
  return true
}
