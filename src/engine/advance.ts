// advanceJob: asks Postgres what the job needs now, does the short part itself (close, summarize, advance, plan, finish) and tells the rest.
import { advanceJobStage, beginJob, recordStageSummary, type StageReadiness } from '../db/job-functions.ts'
import { findTurn, type JobTurn } from '../db/reading.ts'
import { only } from '../db/sql-function.ts'
import { type AnyStage, stageAt } from '../define/define-job.ts'
import { AppError } from '../rules/errors.ts'
import type { Step, StepInput } from '../models/steps.ts'
import { isTerminalJob } from '../models/words.ts'
import type { Deps } from './deps.ts'
import { askClosure } from './ask-closure.ts'
import { skipWhatIsLeft } from './fail-fast.ts'
import { finish } from './finish.ts'
import { knownJob, rememberJob, takeSubmitted } from './known-jobs.ts'
import { planAtOnce, planStage } from './plan-stage.ts'
import { MAX_WAIT_SECONDS, runAll, runOrWait } from './run-or-wait.ts'
import { stageResults } from './stage-results.ts'
import type { StageTarget, Taker } from './targets.ts'

/** A paused job's instance is suspended, so that this costs nothing; when it is resumed, its timer has often ended already. */
const PAUSED_SECONDS = 5

/**
 * One turn of a job. Asking again changes nothing: every answer comes from recorded state.
 * @param taker is given what the stage that is planned hands out, and must run it then
 * @throws AppError only when Postgres cannot be reached; the orchestrator retries it
 */
export async function advanceJob({ jobId, attempt }: StepInput, deps: Deps, taker?: Taker): Promise<Step> {
  const first = await beginAtOnce(deps, jobId, attempt, taker)
  if (first) return first
  for (;;) {
    const turn = await look(deps, jobId, attempt)
    if (!turn) return { kind: 'done', status: 'cancelled', attempt }
    const { row } = turn
    if (row.attempt !== attempt || isTerminalJob(row.status)) return { kind: 'done', status: row.status, attempt: row.attempt }
    if (row.status === 'paused') return { kind: 'wait', seconds: PAUSED_SECONDS }
    const job = deps.jobType(row.job_type)
    if (!job || (row.stage > 0 && !stageAt(job, row.stage))) {
      // An older release met newer work: the other release will do it.
      deps.log.warn('job.unknown_to_release', { job_id: jobId, job_type: row.job_type, stage: row.stage })
      return { kind: 'wait', seconds: MAX_WAIT_SECONDS }
    }
    rememberJob(deps, jobId, row)
    const target = { job, jobId, attempt, stageNo: row.stage, parameters: row.parameters, taker }
    const step = row.stage === 0 ? await goOn(deps, target) : await work(deps, target, turn.stage)
    if (step) return step
  }
}

/**
 * The stage is closed: summarizes it, then plans the next one or finishes, and says what the job needs now.
 * @throws AppError only when Postgres cannot be reached
 */
export async function carryOn(deps: Deps, target: StageTarget, failed: boolean): Promise<Step> {
  return (await leave(deps, target, failed)) ?? advanceJob(target, deps, target.taker)
}

/** A job that this process has just submitted is not looked at: its first stage is planned, unless somebody did something with it. */
async function beginAtOnce(deps: Deps, jobId: string, attempt: number, taker: Taker | undefined): Promise<Step | undefined> {
  const known = takeSubmitted(deps, jobId, attempt) ? knownJob(deps, jobId) : undefined
  const job = known && deps.jobType(known.job_type)
  return job && atOnce(deps, { job, jobId, attempt, stageNo: 1, parameters: known.parameters, taker })
}

/** The job and its stage, noted as begun or alive where they were not. Undefined: it was deleted; its instance ends instead of asking for ever. */
async function look(deps: Deps, job_id: string, attempt: number): Promise<JobTurn | undefined> {
  for (;;) {
    const turn = await findTurn(deps.db, job_id)
    if (!turn) {
      deps.log.warn('job.deleted', { job_id, attempt })
      return undefined
    }
    const { row, isStale } = turn
    if (row.attempt !== attempt) return turn
    // A job that nobody began yet begins with the plan of its first stage; one that is retried is at a stage already.
    if (row.status === 'queued' && row.stage === 0 && deps.jobType(row.job_type)) return turn
    if (row.status === 'queued' || (row.status === 'processing' && isStale)) await beginJob(deps.db, { job_id, attempt })
    if (row.status !== 'queued') return turn
  }
}

/** One movement; undefined: something moved, look again. */
async function work(deps: Deps, target: StageTarget, stage: StageReadiness | undefined): Promise<Step | undefined> {
  const { jobId: job_id, attempt, stageNo } = target
  if (!stage) return (await atOnce(deps, target)) ?? plan(deps, target)
  if (stage.status === 'planning') return plan(deps, target)
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

/** From a closed stage, or from none, to the next one. */
async function goOn(deps: Deps, from: StageTarget): Promise<Step | undefined> {
  const next = { ...from, stageNo: from.stageNo + 1 }
  const { jobId: job_id, attempt } = from
  const step = await (stageAt(from.job, next.stageNo) ? atOnce(deps, next) : finish(deps, from))
  if (step) return step
  // The long way: a plan that takes its time, a stage that another release has, or a refusal that is to be told.
  if (from.stageNo === 0) await beginJob(deps.db, { job_id, attempt })
  const moved = only(await advanceJobStage(deps.db, { job_id, attempt, from_stage: from.stageNo }))
  return moved.outcome === 'done' ? finish(deps, from) : undefined
}

/** Plans the stage in one statement and says what it needs; undefined: it takes more, or it has no task. */
async function atOnce(deps: Deps, target: StageTarget): Promise<Step | undefined> {
  const stage = await planAtOnce(deps, target)
  if (!stage || stage.status !== 'open' || stage.open_at_least === 0) return undefined
  if (target.taker?.claim) return runAll(target, stage.expected)
  return runOrWait(deps, target, stageAt(target.job, target.stageNo) as AnyStage, stage)
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
  return failed ? finish(deps, target) : goOn(deps, target)
}
