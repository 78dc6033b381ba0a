// Records what a batch finished, and tells of it: counts for the report, figures, and one line for what failed alike.
import { only } from '../db/sql-function.ts'
import type { Closure } from '../db/stage-columns.ts'
import { type ClaimedTask, completeTasks, completeTasksAndClose, type TaskOutcome } from '../db/task-functions.ts'
import { countTasks, isMeasuring, recordDuration, type TaskLabels } from '../telemetry/metrics.ts'
import type { Deps } from './deps.ts'
import { unlessLacking } from './older-schema.ts'
import { repeated } from './repeated.ts'
import type { WorkerTarget } from './targets.ts'

export interface Counts {
  completed: number
  failed: number
}

/**
 * Records what is finished, and counts what was applied.
 * @param isLast probably nothing of the stage is left then: asks in the same transaction, and answers with the closure when it is closed
 */
export async function recordOutcomes(
  deps: Deps,
  target: WorkerTarget,
  claimed: readonly ClaimedTask[],
  results: readonly TaskOutcome[],
  counts: Counts,
  isLast = false,
): Promise<Closure | undefined> {
  const { jobId: job_id, attempt, stageNo: stage_no, worker, leaseMs } = target
  const given = { job_id, attempt, stage_no, worker, results }
  const asked = isLast
    ? await repeated(deps, leaseMs, () => unlessLacking(() => completeTasksAndClose(deps.db, given)))
    : undefined
  const closure = asked && only(asked)
  const answers = closure?.outcomes ?? (await repeated(deps, leaseMs, () => completeTasks(deps.db, given)))
  const recorded: TaskOutcome[] = []
  for (const { task_no, outcome, reason } of answers) {
    const result = results.find((x) => x.task_no === task_no)
    // Recorded by a call whose answer was lost is recorded.
    if (result && (outcome === 'applied' || outcome === 'already_applied')) {
      counts[result.status === 'completed' ? 'completed' : 'failed']++
      recorded.push(result)
    } else deps.log.warn('task.not_applied', { job_id, stage: stage_no, task_no, outcome, reason })
  }
  tell(deps, target, claimed, recorded)
  return closure?.state === 'closed' ? closure : undefined
}

/** A failure that may be repeated and has tries left is repeated: the rule of complete_tasks. */
const isRepeated = (target: WorkerTarget, claimed: readonly ClaimedTask[], { task_no, retryable }: TaskOutcome): boolean =>
  retryable === true && (claimed.find((t) => t.task_no === task_no)?.claims ?? 0) < target.stage.maxClaims

function tell(deps: Deps, target: WorkerTarget, claimed: readonly ClaimedTask[], recorded: readonly TaskOutcome[]): void {
  const labels: TaskLabels = { job_type: target.job.name, stage: target.stage.name }
  const failures = recorded.filter((r) => r.status === 'failed')
  if (failures.length === 0 && !isMeasuring()) return
  const failed = new Map<string, number>()
  for (const failure of failures) {
    const code = failure.error_code ?? 'UNKNOWN'
    if (isRepeated(target, claimed, failure)) countTasks('retried', 1, labels, code)
    else failed.set(code, (failed.get(code) ?? 0) + 1)
  }
  // One line for what failed alike: a job whose tasks all fail is 50 times shorter in the log.
  for (const [code, tasks] of failed) {
    countTasks('failed', tasks, labels, code)
    deps.log.warn('task.failed', { job_id: target.jobId, job_type: labels.job_type, stage: target.stageNo, code, tasks })
  }
  countTasks('completed', recorded.filter((r) => r.status === 'completed').length, labels)
  for (const { duration_ms } of recorded) if (duration_ms !== undefined) recordDuration(duration_ms, labels)
}
