// Progress of a job and when it may end, from its stages and how the tasks of the open one came in.
import type { StageRow } from '../db/reading.ts'
import { isTerminalJob, type JobStatus } from '../models/words.ts'
import {
  calculateEstimatedCompletion,
  calculateOverallProgress,
  type CompletionPoint,
  type Estimate,
  type OverallProgress,
  progressFloor,
  samplesOf,
  type StageCounts,
} from '../rules/progress.ts'

type Job = { readonly status: JobStatus; readonly total_stages: number }

export function toCounts(s: StageRow): StageCounts {
  return {
    done: s.completed + s.failed + s.skipped,
    failed: s.failed,
    running: s.running,
    total: s.expected,
    planned: s.sealed_at !== null,
    closed: s.status === 'closed',
  }
}

/** The stage whose completions tell the rate; none while nothing runs. */
export const openStageOf = (stages: readonly StageRow[]): StageRow | undefined => stages.find((s) => s.status === 'open')

/** @param completions of the open stage, in order of time */
export function progressOf(
  job: Job,
  stages: readonly StageRow[],
  completions: readonly CompletionPoint[],
  now: Date,
): OverallProgress & Partial<Estimate> {
  const finished = isTerminalJob(job.status)
  const counts = stages.map(toCounts)
  const overall = calculateOverallProgress(counts, job.total_stages, finished, progressFloor(counts, job.total_stages))
  return finished ? overall : { ...overall, ...estimateOf(stages, completions, overall, now) }
}

function estimateOf(
  stages: readonly StageRow[],
  completions: readonly CompletionPoint[],
  overall: OverallProgress,
  now: Date,
): Estimate {
  const current = openStageOf(stages)
  if (!current) return { eta: null, reason: 'no stage is running', rate_per_s: null }
  const done = current.completed + current.failed + current.skipped
  const samples = samplesOf(current.sealed_at ?? current.opened_at, completions, done, now)
  // The rate of the running stage, applied to all that is left of the job.
  return calculateEstimatedCompletion(samples, done + Math.max(0, overall.total - overall.done))
}
