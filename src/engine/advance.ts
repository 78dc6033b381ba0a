// advanceJob: asks Postgres what the job needs now, does the short part itself (close, summarize, advance, plan, finish) and tells the rest.
import { advanceJobStage, beginJob, checkJobCompletion, recordStageSummary, stageReadiness } from '../db/job-functions.ts'
import { listStages, type StageRow } from '../db/reading.ts'
import { recentCompletions } from '../db/reading-tasks.ts'
import { only } from '../db/sql-function.ts'
import { type AnyStage, stageAt } from '../define/define-job.ts'
import { AppError, describeError } from '../rules/errors.ts'
import { calculateEstimatedCompletion, percentOf, samplesOf } from '../rules/progress.ts'
import { cleanText } from '../rules/storable.ts'
import type { Step, StepInput } from '../models/steps.ts'
import { isTerminalJob } from '../models/words.ts'
import type { Deps } from './deps.ts'
import { askClosure } from './ask-closure.ts'
import { gateOf } from './dependency-gate.ts'
import { skipWhatIsLeft } from './fail-fast.ts'
import { releaseClaimsOfTheDead } from './liveness.ts'
import { planStage } from './plan-stage.ts'
import { stageFailures, stageResults } from './stage-results.ts'
import type { StageTarget } from './targets.ts'

/** Tasks that a light worker claims at a time; docs/decisions/0003 has the figures. */
export const CLAIM_BATCH = 50
const MAX_WAIT_SECONDS = 60
/** Leases that nobody of this instance works on are given back soon when their process is dead. */
const HELD_SECONDS = 5
/** A paused job's instance is suspended, so that this costs nothing; when it is resumed, its timer has often ended already. */
const PAUSED_SECONDS = 5
/** A task that becomes ready this soon is waited for by a worker instead of a timer. */
export const SOON_MS = 5000

/**
 * One turn of a job. Asking again changes nothing: every answer comes from recorded state.
 * @throws AppError only when Postgres cannot be reached; the orchestrator retries it
 */
export async function advanceJob({ jobId, attempt }: StepInput, deps: Deps): Promise<Step> {
  for (;;) {
    const row = await begin(deps, jobId, attempt)
    if (!row) return { kind: 'done', status: 'cancelled', attempt }
    if (row.attempt !== attempt || isTerminalJob(row.status)) return { kind: 'done', status: row.status, attempt: row.attempt }
    if (row.status !== 'processing') return { kind: 'wait', seconds: PAUSED_SECONDS }
    const job = deps.jobType(row.job_type)
    if (!job || (row.stage > 0 && !stageAt(job, row.stage))) {
      // An older release met newer work: the other release will do it.
      deps.log.warn('job.unknown_to_release', { job_id: jobId, job_type: row.job_type, stage: row.stage })
      return { kind: 'wait', seconds: MAX_WAIT_SECONDS }
    }
    const step = await work(deps, { job, jobId, attempt, stageNo: row.stage, parameters: row.parameters })
    if (step) return step
  }
}

/** Undefined: the job was deleted; its instance ends instead of asking for ever. */
async function begin(deps: Deps, job_id: string, attempt: number) {
  try {
    return only(await beginJob(deps.db, { job_id, attempt }))
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'JOB_NOT_FOUND') throw error
    deps.log.warn('job.deleted', { job_id, attempt })
    return undefined
  }
}

/** One movement; undefined: something moved, look again. */
async function work(deps: Deps, target: StageTarget): Promise<Step | undefined> {
  const { jobId: job_id, attempt, stageNo } = target
  if (stageNo === 0) {
    await advanceJobStage(deps.db, { job_id, attempt, from_stage: 0 })
    return undefined
  }
  const [stage] = await stageReadiness(deps.db, { job_id, stage_no: stageNo })
  if (!stage || stage.status === 'planning') return plan(deps, target)
  if (stage.status === 'closed') return leave(deps, target, stage.outcome === 'failed')
  const definition = stageAt(target.job, stageNo) as AnyStage
  if (stage.open_at_least === 0) {
    await askClosure(deps, { job_id, attempt, stage_no: stageNo }, { job: target.job, stage: definition })
    return undefined
  }
  const begun = stage.expected > stage.open_at_least
  if (begun && (await skipWhatIsLeft(deps, { job: target.job, stage: definition }, { job_id, attempt, stage_no: stageNo })) > 0)
    return undefined
  return runOrWait(deps, target, definition, stage)
}

type Readiness = Awaited<ReturnType<typeof stageReadiness>>[number]

/** Workers for what is ready, or a wait until something is; undefined: claims of the dead came back, look again. */
async function runOrWait(
  deps: Deps,
  { jobId: job_id, stageNo }: StageTarget,
  definition: AnyStage,
  stage: Readiness,
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
  const wanted = definition.weight === 'light' ? Math.ceil(stage.ready / CLAIM_BATCH) : stage.ready
  return {
    kind: 'run',
    stage: stageNo,
    name: definition.name,
    workers: gate.state === 'ready' ? 1 : Math.max(1, Math.min(wanted, definition.maxParallel)),
    done,
    total: stage.expected,
    percent: percentOf(done, stage.expected, false),
    eta: await etaOf(deps, { job_id, stageNo, since: stage.sealed_at ?? deps.now(), done, total: stage.expected }),
  }
}

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

async function plan(deps: Deps, target: StageTarget): Promise<Step | undefined> {
  try {
    return (await planStage(deps, target)) ? undefined : { kind: 'again' }
  } catch (error) {
    if (error instanceof AppError && error.retryable) throw error
    if (error instanceof AppError && (error.code === 'ATTEMPT_SUPERSEDED' || error.code === 'ILLEGAL_STATE')) return undefined
    return finish(deps, target, error)
  }
}

/** The stage is closed: summarize it, then go to the next one or finish. */
async function leave(deps: Deps, target: StageTarget, failed: boolean): Promise<Step | undefined> {
  const { jobId: job_id, attempt, stageNo } = target
  const definition = stageAt(target.job, stageNo) as AnyStage
  if (definition.summarize && !failed) {
    try {
      const summary = await definition.summarize(stageResults(deps, target.job, job_id, definition), {
        parameters: target.parameters,
        blobs: deps.blobs,
      })
      await recordStageSummary(deps.db, { job_id, attempt, stage_no: stageNo, summary })
    } catch (error) {
      if (error instanceof AppError && error.retryable) throw error
      return finish(deps, target, error)
    }
  }
  if (failed) return finish(deps, target)
  const moved = only(await advanceJobStage(deps.db, { job_id, attempt, from_stage: stageNo }))
  return moved.outcome === 'done' ? finish(deps, target) : undefined
}

async function finish(deps: Deps, target: StageTarget, error?: unknown): Promise<Step> {
  const { jobId: job_id, attempt } = target
  let problem = error === undefined ? undefined : describeError(error, 'PLAN_FAILED')
  let result: unknown
  try {
    result = await buildResult(deps, target)
  } catch (failure) {
    if (failure instanceof AppError && failure.retryable) throw failure
    problem ??= describeError(failure, 'RESULT_INVALID')
  }
  const row = only(
    await checkJobCompletion(deps.db, {
      job_id,
      attempt,
      result: result ?? null,
      error_code: problem?.code ?? null,
      error_details: problem ? cleanText(problem.details) : null,
    }),
  )
  if (row.finished_now)
    deps.log.info('job.finished', { job_id, job_type: target.job.name, status: row.status, error_code: problem?.code })
  return { kind: 'done', status: row.status, attempt }
}

async function buildResult(deps: Deps, target: StageTarget): Promise<unknown> {
  const { job, jobId, attempt, parameters } = target
  const stages = await listStages(deps.db, jobId)
  if (!job.result) return byStage(stages)
  const started = stages[0]?.opened_at.getTime() ?? deps.now().getTime()
  return job.result({
    jobId,
    attempt,
    parameters,
    stages: stages.map((s) => ({ ...s, outcome: s.outcome ?? 'open' })),
    secondsRunning: Math.round((deps.now().getTime() - started) / 10) / 100,
    previous: (stage) => stageResults(deps, job, jobId, stage),
    failed: (stage) => stageFailures(deps, job, jobId, stage),
  })
}

/** The default result: counts and summary by stage name. */
function byStage(stages: readonly StageRow[]): unknown {
  return Object.fromEntries(
    stages.map((s) => [
      s.name,
      { tasks: s.expected, completed: s.completed, failed: s.failed, skipped: s.skipped, summary: s.summary },
    ]),
  )
}
