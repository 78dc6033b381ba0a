// The end of a job: its result, and its status from the outcomes of its stages, recorded once.
import { checkJobCompletion } from '../db/job-functions.ts'
import { listStages, type StageRow } from '../db/reading.ts'
import { only } from '../db/sql-function.ts'
import type { Step } from '../models/steps.ts'
import { isTerminalJob } from '../models/words.ts'
import { AppError, describeError } from '../rules/errors.ts'
import { cleanText } from '../rules/storable.ts'
import type { Deps } from './deps.ts'
import { stageFailures, stageResults } from './stage-results.ts'
import type { StageTarget } from './targets.ts'

/** Undefined: it may not end now; look again. */
export async function finish(deps: Deps, target: StageTarget, error?: unknown): Promise<Step | undefined> {
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
  if (!isTerminalJob(row.status)) return undefined
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
