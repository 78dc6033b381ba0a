// The activities' work: what a job needs now, and what follows from it as long as that is done in a moment.
import type { RunInput, RunReport, Step, StepInput } from '../models/steps.ts'
import { advanceJob } from './advance.ts'
import type { Deps } from './deps.ts'
import { knownJob } from './known-jobs.ts'
import { isQuick } from './quick-stages.ts'
import { runTasks } from './run-tasks.ts'
import type { Taker } from './targets.ts'

/** An activity begins another stage for so long at most: the custom status is not told of it, and others wait for its slot. */
const GO_ON_MS = 1000

/**
 * As `advanceJob`, and where the job needs one worker for a stage that was quick the last time, runs it and what follows in the same activity.
 * @throws AppError only when Postgres cannot be reached; the orchestrator retries it
 */
export async function advanceOn(input: StepInput, deps: Deps): Promise<Step> {
  const taker = takerFrom(deps)
  const step = await advanceJob(input, deps, taker)
  const stage = quickStage(deps, taker, input.jobId, step)
  if (stage === undefined) return step
  const report = await unlessFailed(deps, input, stage, () => runFrom({ ...input, stage, alone: true }, deps, taker))
  // Failing here is no failure of the turn: the orchestrator has the stage run.
  return report ? (report.next ?? advanceJob(input, deps)) : step
}

/** As `runTasks`; whoever closed the stage goes on with the next one while such stages are quick. */
export const runOn = (input: RunInput, deps: Deps): Promise<RunReport> => runFrom(input, deps, takerFrom(deps))

async function runFrom(input: RunInput, deps: Deps, taker: Taker): Promise<RunReport> {
  let report = await runTasks(input, deps, taker)
  for (;;) {
    const stage = report.next && quickStage(deps, taker, input.jobId, report.next)
    if (stage === undefined) return report
    const more = await unlessFailed(deps, input, stage, () => runTasks({ ...input, stage, alone: true }, deps, taker))
    if (!more) return report
    const { claimed, completed, failed } = report
    const counts = {
      claimed: claimed + more.claimed,
      completed: completed + more.completed,
      failed: failed + more.failed,
    }
    report = more.next ? { ...counts, next: more.next } : counts
  }
}

function takerFrom(deps: Deps): Taker {
  const until = deps.now().getTime() + GO_ON_MS
  const wants: Taker['wants'] = (job, stageNo, tasks) =>
    !deps.stopping.aborted && deps.now().getTime() < until && isQuick(deps, job, stageNo, tasks)
  return { wants, claim: undefined }
}

/** The number of the stage that the step asks one worker for, when this activity does it. */
function quickStage(deps: Deps, taker: Taker, jobId: string, step: Step): number | undefined {
  if (step.kind !== 'run') return undefined
  if (taker.claim?.stageNo === step.stage) return step.stage
  const job = deps.jobType(knownJob(deps, jobId)?.job_type ?? '')
  const isAlone = step.workers === 1 && step.done === 0
  return job && isAlone && taker.wants(job, step.stage, step.total) ? step.stage : undefined
}

/** Undefined, and a line in the log: whoever asks next is told by Postgres what is left. */
async function unlessFailed(
  deps: Deps,
  { jobId: job_id }: StepInput,
  stage: number,
  run: () => Promise<RunReport>,
): Promise<RunReport | undefined> {
  try {
    return await run()
  } catch (error) {
    deps.log.warn('job.next_unknown', { job_id, stage, error })
    return undefined
  }
}
