// runTasks: one worker. Claims, runs, completes, repeats; ends by asking close_stage. Never throws for a task's failure.
import type { Closure, StageAttempt, StageClosure } from '../db/stage-columns.ts'
import { findJob } from '../db/reading.ts'
import { type ClaimedTask, claimTasks, heldClaims } from '../db/task-functions.ts'
import { stageAt } from '../define/define-job.ts'
import type { RunInput, RunReport, Step } from '../models/steps.ts'
import { nextClaimSize } from '../rules/claim-size.ts'
import type { Deps } from './deps.ts'
import { carryOn } from './advance.ts'
import { askClosure, tellClosed } from './ask-closure.ts'
import { gateOf, reportProbe } from './dependency-gate.ts'
import { knownJob, shareOf } from './known-jobs.ts'
import { showLife, workerId } from './liveness.ts'
import { skipWhatIsLeft } from './fail-fast.ts'
import { firstClaim, notePace } from './quick-stages.ts'
import { repeated } from './repeated.ts'
import { type BatchReport, runBatch } from './run-batch.ts'
import { SOON_MS } from './run-or-wait.ts'
import type { Taker, WorkerTarget } from './targets.ts'

/** A worker hands back after this time, so that a small job never waits long behind a large one for an activity slot. */
const SLICE_MS = 10_000

/**
 * One slice of a stage's work. Light: batches of 50, of quick tasks up to 200, until nothing is ready or the slice is over. Heavy: exactly one task.
 * @param taker what was handed out to it with the plan is run first
 * @returns counts only; Postgres has the rest. Whoever closed the stage says what comes next
 */
export async function runTasks(input: RunInput, deps: Deps, taker?: Taker): Promise<RunReport> {
  const claim = taker?.claim?.stageNo === input.stage ? taker.claim : undefined
  if (claim && taker) taker.claim = undefined
  const target = await targetOf(input, deps, claim?.worker, taker)
  const total = { claimed: 0, completed: 0, failed: 0 }
  if (!target) return total
  const release = target.stage.slots ? await target.stage.slots.take(SLICE_MS) : NOTHING
  // Every place is taken: handed back, so that the orchestrator asks again, and no claim has waited for one.
  if (!release) return total
  const began = deps.now().getTime()
  let closed: Closure | undefined
  try {
    await showLife(deps)
    closed = await work(deps, target, total, { alone: input.alone === true, given: claim?.tasks })
  } finally {
    release()
  }
  // The only worker of a stage that is not closed: its tasks wait for something.
  const ms = !input.alone || closed?.closed_now ? deps.now().getTime() - began : Number.POSITIVE_INFINITY
  if (total.claimed > 0) notePace(deps, target.job, target.stageNo, { tasks: total.claimed, ms })
  if (!closed?.closed_now) return total
  const next = await nextStep(deps, target, closed)
  return next ? { ...total, next } : total
}

type Total = Record<'claimed' | 'completed' | 'failed', number>

const NOTHING = (): void => undefined

/** Undefined: the job is gone, or nothing that this release knows. */
async function targetOf(
  { jobId, attempt, stage: stageNo }: RunInput,
  deps: Deps,
  worker: string = workerId(deps),
  taker?: Taker,
): Promise<WorkerTarget | undefined> {
  // Attempt and status are not asked for: every claim is fenced by them.
  const row = knownJob(deps, jobId) ?? (await findJob(deps.db, jobId))
  const job = row && deps.jobType(row.job_type)
  const stage = job && stageAt(job, stageNo)
  if (!row || !job || !stage) return undefined
  const { parameters } = row
  return { job, jobId, attempt, stageNo, parameters, taker, stage, worker, leaseMs: deps.settings.leaseSeconds * 1000 }
}

/** The last one out carries on: it asks what the job needs now. Failing that is no failure of the worker: the orchestrator asks then. */
async function nextStep(deps: Deps, target: WorkerTarget, closed: Closure): Promise<Step | undefined> {
  try {
    return await carryOn(deps, target, closed.outcome === 'failed')
  } catch (error) {
    deps.log.warn('job.next_unknown', { job_id: target.jobId, stage: target.stageNo, error })
    return undefined
  }
}

/**
 * Claims, runs and records until the slice is over, nothing is ready, or the host stops. Counts into `total`.
 * @returns the answer to the last question about the closure, when one was asked that found the stage closed
 */
async function work(
  deps: Deps,
  target: WorkerTarget,
  total: Total,
  { alone, given }: { alone: boolean; given: readonly ClaimedTask[] | undefined },
): Promise<Closure | undefined> {
  const { stage } = target
  const key = { job_id: target.jobId, attempt: target.attempt, stage_no: target.stageNo }
  const deadline = deps.now().getTime() + SLICE_MS
  let limit = stage.weight === 'heavy' ? 1 : firstClaim(deps, target.job, target.stageNo, shareOf(deps, key))
  let handed = given
  // What was handed out with the plan is not left behind when the host stops meanwhile: its run is told to stop.
  while (handed || !deps.stopping.aborted) {
    const gate = await gateOf(deps, stage, true)
    if (gate.state === 'open') return undefined
    const wanted = gate.state === 'probe' ? 1 : limit
    const began = deps.now().getTime()
    const claimed = handed ?? (await claimOnce(deps, target, key, wanted))
    if (claimed.length > 0) {
      const isLast = alone && (handed !== undefined || claimed.length < wanted || limit === 1)
      handed = undefined
      const isProbe = gate.state === 'probe'
      const { failed, released, closed } = await runAndTell(deps, target, claimed, { key, isLast, isProbe, total })
      if (closed) return closed
      if (released > 0) break
      if (stage.weight === 'light') limit = nextClaimSize({ claimed: claimed.length, failed, ms: deps.now().getTime() - began })
    } else {
      const closure = await askClosure(deps, key, target)
      if (!(await soonReady(deps, closure, deadline))) return closure
    }
    if (stage.weight === 'heavy' || deps.now().getTime() >= deadline) break
  }
  return askClosure(deps, key, target)
}

/** Runs and records a batch, and what follows from it: the probe, the counts, the closure or the end of a stage that may not fail. */
async function runAndTell(
  deps: Deps,
  target: WorkerTarget,
  claimed: readonly ClaimedTask[],
  { key, isLast, isProbe, total }: { key: StageAttempt; isLast: boolean; isProbe: boolean; total: Total },
): Promise<BatchReport> {
  const report = await runBatch(deps, target, claimed, isLast)
  if (isProbe) await reportProbe(deps, target.stage, report.failedDependencies)
  total.claimed += claimed.length - report.released
  total.completed += report.completed
  total.failed += report.failed
  if (report.closed) await tellClosed(deps, key, target, report.closed)
  else if (report.failed > 0) await skipWhatIsLeft(deps, target, key)
  return report
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
