// How many workers an open stage needs now, or how long to wait until there is something to do.
import type { StageReadiness } from '../db/job-functions.ts'
import { recentCompletions } from '../db/reading-tasks.ts'
import { type AnyStage, stageAt } from '../define/define-job.ts'
import type { Step } from '../models/steps.ts'
import { LEAST_CLAIM } from '../rules/claim-size.ts'
import { calculateEstimatedCompletion, percentOf, samplesOf } from '../rules/progress.ts'
import type { Deps } from './deps.ts'
import { gateOf } from './dependency-gate.ts'
import { rememberShare } from './known-jobs.ts'
import { releaseClaimsOfTheDead } from './liveness.ts'
import { usefulWorkers } from './quick-stages.ts'
import type { StageTarget } from './targets.ts'

export const MAX_WAIT_SECONDS = 60
/** Leases that nobody of this instance works on are given back soon when their process is dead. */
const HELD_SECONDS = 5
/** A task that becomes ready this soon is waited for by a worker instead of a timer. */
export const SOON_MS = 5000

/** Workers for what is ready, or a wait until something is; undefined: claims of the dead came back, look again. */
export async function runOrWait(
  deps: Deps,
  { job, jobId: job_id, stageNo }: StageTarget,
  definition: AnyStage,
  stage: StageReadiness,
): Promise<Step | undefined> {
  const isSoon = stage.next_ready_at !== null && stage.next_ready_at.getTime() - deps.now().getTime() <= SOON_MS
  if (stage.ready === 0 && !isSoon) {
    // Nobody of this instance works any more: who holds these leases may be dead.
    if (stage.held > 0 && (await releaseClaimsOfTheDead(deps)) > 0) return undefined
    const most = stage.held > 0 ? HELD_SECONDS : MAX_WAIT_SECONDS
    return { kind: 'wait', seconds: secondsUntil(stage.next_ready_at, deps.now(), most) }
  }
  const gate = await gateOf(deps, definition, false)
  if (gate.state === 'open')
    return { kind: 'wait', seconds: Math.max(1, Math.min(MAX_WAIT_SECONDS, Math.ceil(gate.wait_ms / 1000))) }
  const done = stage.expected - stage.open_at_least
  const wanted =
    definition.weight === 'heavy'
      ? stage.ready
      : Math.min(Math.ceil(stage.ready / LEAST_CLAIM), usefulWorkers(deps, job, stageNo, stage.ready))
  const workers = gate.state === 'ready' ? 1 : Math.max(1, Math.min(wanted, definition.maxParallel))
  rememberShare(deps, { job_id, stage_no: stageNo }, Math.ceil(stage.ready / workers))
  return {
    kind: 'run',
    stage: stageNo,
    name: definition.name,
    workers,
    done,
    total: stage.expected,
    percent: percentOf(done, stage.expected, false),
    eta: await etaOf(deps, { job_id, stageNo, since: stage.sealed_at ?? deps.now(), done, total: stage.expected }),
  }
}

/** One worker for a stage that nobody has begun, whatever is ready: it has been handed out already. */
export const runAll = ({ job, stageNo: stage }: StageTarget, total: number): Step => ({
  kind: 'run',
  stage,
  name: (stageAt(job, stage) as AnyStage).name,
  workers: 1,
  done: 0,
  total,
  percent: percentOf(0, total, false),
  eta: null,
})

/** Of the stage; asked from its second turn on, so that small jobs pay nothing. */
async function etaOf(
  deps: Deps,
  { job_id, stageNo, since, done, total }: { job_id: string; stageNo: number; since: Date; done: number; total: number },
): Promise<string | null> {
  if (done === 0) return null
  const points = await recentCompletions(deps.db, job_id, stageNo)
  return calculateEstimatedCompletion(samplesOf(since, points, done, deps.now()), total).eta
}

function secondsUntil(at: Date | null, now: Date, most: number): number {
  return at === null ? most : Math.max(1, Math.min(most, Math.ceil((at.getTime() - now.getTime()) / 1000)))
}
