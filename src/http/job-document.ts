// The status document of a job: one view joining Postgres, progress rules and Durable.
import { type JobRow, type JobSummary, listStages, type StageRow } from '../db/reading.ts'
import { recentCompletions } from '../db/reading-tasks.ts'
import { calculateStageProgress } from '../rules/progress.ts'
import type { InstanceStatus } from '../engine/instances.ts'
import type { Resources } from '../platform/resources.ts'
import { withHrefs } from './job-file-names.ts'
import { openStageOf, progressOf, toCounts } from './job-progress.ts'
import { withoutEmptyCut } from './pages.ts'
import { isTerminalJob } from '../models/words.ts'

/** Links of a job, absolute. */
export function jobLinks(origin: string, jobId: string): Record<string, string> {
  const base = `${origin}/api/jobs`
  return {
    status: `${base}/status/${jobId}`,
    statusQueryGetUri: `${base}/${jobId}/instance`,
    tasks: `${base}/${jobId}/tasks`,
    events: `${base}/${jobId}/events`,
    errors: `${base}/${jobId}/errors`,
    files: `${base}/${jobId}/files`,
    cancel: `${base}/${jobId}/cancel`,
  }
}

/** The named members of a row, in that order. */
function pick<T, K extends keyof T>(row: T, keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(keys.map((k) => [k, row[k]])) as Pick<T, K>
}

const JOB_FIELDS = [
  ...(['job_id', 'job_type', 'status', 'attempt', 'stage', 'total_stages', 'parameters', 'metadata'] as const),
  ...(['error_code', 'submitted_by', 'created_at', 'started_at', 'finished_at', 'updated_at'] as const),
] as const

/** Row fields for lists and documents; `cut` names what a list leaves out. */
export const jobSummary = (row: JobSummary): JobSummary => withoutEmptyCut({ ...pick(row, JOB_FIELDS), cut: row.cut })

export async function jobDocument(
  r: Resources,
  row: JobRow,
  instance: InstanceStatus | undefined,
  origin: string,
): Promise<Record<string, unknown>> {
  const stages = await listStages(r.db, row.job_id)
  const open = isTerminalJob(row.status) ? undefined : openStageOf(stages)
  const completions = open ? await recentCompletions(r.db, row.job_id, open.stage) : []
  return {
    ...jobSummary(row),
    stages: stages.map((s) => withHrefs(stageDocument(s), origin)),
    progress: progressOf(row, stages, completions, r.now()),
    result: withHrefs(row.result_data, origin),
    error: row.error_code ? { code: row.error_code, details: row.error_details } : null,
    runtime_status: instance?.runtimeStatus ?? null,
    ...driftOf(row, instance),
    links: jobLinks(origin, row.job_id),
  }
}

const STAGE_FIELDS = [
  ...(['stage', 'name', 'status', 'outcome', 'expected', 'completed', 'failed', 'skipped'] as const),
  ...(['running', 'retrying', 'open', 'opened_at', 'closed_at', 'summary'] as const),
] as const

const stageDocument = (s: StageRow): Record<string, unknown> => ({
  ...pick(s, STAGE_FIELDS),
  percent: calculateStageProgress(toCounts(s)).percent,
})

/** The two stores may disagree for a moment; for longer, the reconciler repairs it. */
function driftOf(row: JobRow, instance: InstanceStatus | undefined): { drift?: string } {
  const finished = isTerminalJob(row.status)
  if (!instance) return finished ? {} : { drift: 'Durable does not know this instance; the reconciler starts it again.' }
  const ended = ['Completed', 'Failed', 'Terminated', 'Canceled'].includes(instance.runtimeStatus)
  if (ended && !finished)
    return { drift: `The instance is ${instance.runtimeStatus}, the job is ${row.status}; the reconciler starts it again.` }
  return {}
}
