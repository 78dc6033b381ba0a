// Progress and estimated completion: pure functions of counts and times.

/** Counts of one stage. `planned`: its plan is sealed, so total is final. */
export interface StageCounts {
  readonly done: number
  readonly failed: number
  readonly running: number
  readonly total: number
  readonly planned: boolean
  readonly closed: boolean
}

export interface StageProgress {
  readonly done: number
  readonly failed: number
  readonly running: number
  readonly total: number
  readonly percent: number
}

/** One decimal, rounded down, so that 99.96 never shows as 100; 100 only when closed. */
export function percentOf(done: number, total: number, closed: boolean): number {
  if (closed) return 100
  if (total <= 0) return 0
  return Math.min(99.9, Math.floor((1000 * done) / total) / 10)
}

/**
 * Progress of one stage. `done` counts every terminal task (completed, failed, skipped).
 * @param floor the percent shown before: progress never goes backwards
 */
export function calculateStageProgress(counts: StageCounts, floor = 0): StageProgress {
  const { done, failed, running, total, closed } = counts
  return { done, failed, running, total, percent: Math.max(closed ? 100 : Math.min(floor, 99.9), percentOf(done, total, closed)) }
}

export interface OverallProgress {
  readonly percent: number
  readonly done: number
  readonly total: number
  /** True while a stage is not planned yet: its size is the average of the planned ones. */
  readonly estimated: boolean
}

/** Progress of a job: stages weighted by planned tasks. `finished` alone gives 100. */
export function calculateOverallProgress(
  stages: readonly StageCounts[],
  totalStages: number,
  finished: boolean,
  floor = 0,
): OverallProgress {
  const planned = stages.filter((s) => s.planned)
  const done = stages.reduce((sum, s) => sum + s.done, 0)
  const known = planned.reduce((sum, s) => sum + s.total, 0)
  const missing = Math.max(0, totalStages - planned.length)
  const average = planned.length > 0 ? Math.max(1, known / planned.length) : 1
  // Weights of one task at least, so that an empty stage does not vanish and a job of empty stages can end.
  const weight = planned.reduce((sum, s) => sum + Math.max(1, s.total), 0) + missing * average
  const reached = planned.reduce((sum, s) => sum + (s.closed ? Math.max(1, s.total) : s.done), 0)
  const percent = percentOf(reached, weight, finished)
  return {
    percent: finished ? 100 : Math.max(Math.min(floor, 99.9), percent),
    done,
    total: Math.round(known + (missing > 0 && planned.length > 0 ? missing * average : 0)),
    estimated: missing > 0,
  }
}

/**
 * The percent that was shown when the last closed stage had just closed and the next one was not planned yet. A next stage that turns out
 * larger than the average must not pull the percent back below it; both follow from the rows alone.
 */
export function progressFloor(stages: readonly StageCounts[], totalStages: number): number {
  let floor = 0
  for (let k = 1; k <= stages.length && stages[k - 1]?.closed; k++)
    floor = calculateOverallProgress(stages.slice(0, k), totalStages, false, floor).percent
  return floor
}

/** How many tasks were done at a time (milliseconds). */
export interface Sample {
  readonly at: number
  readonly done: number
}

/** A moment at which some of the tasks that were looked at had ended; `ended`: how many of them have by now. */
export interface CompletionPoint {
  readonly at: Date
  readonly done: number
  readonly ended: number
}

/** Samples of a stage from the end of its planning to now; `done`: all of its tasks that have ended. */
export function samplesOf(since: Date, points: readonly CompletionPoint[], done: number, now: Date): Sample[] {
  const known = points.map((p) => ({ at: p.at.getTime(), done: Math.max(0, done - p.ended + p.done) }))
  return [{ at: since.getTime(), done: 0 }, ...known.filter((s) => s.at < now.getTime()), { at: now.getTime(), done }]
}

export type Estimate =
  | { readonly eta: null; readonly reason: string; readonly rate_per_s: number | null }
  | {
      readonly eta: string
      readonly eta_low: string
      readonly eta_high: string
      readonly rate_per_s: number
      readonly confidence: 'low' | 'medium' | 'high'
    }

/** Below this many completions a rate says nothing. */
export const MIN_COMPLETIONS_FOR_ETA = 5

/**
 * How far the bounds reach beyond the slowest and the fastest rate that was seen. With 1.75 they held the truth in 85 % of all moments of
 * the recorded runs (storage that slows down, recovers, drifts, stalls), and in 98 % of those with steady or noisy storage.
 */
const SPREAD = 1.75

/**
 * When the remaining tasks will be done: the rate of the last half of the run, or of as much of it as was looked at.
 * @param samples ascending by time; the first is the stage's start, the last is now
 */
export function calculateEstimatedCompletion(samples: readonly Sample[], total: number): Estimate {
  const first = samples[0]
  const now = samples.at(-1)
  if (!first || !now || now.at <= first.at) return { eta: null, reason: 'no time has passed', rate_per_s: null }
  const n = now.done - first.done
  if (n < MIN_COMPLETIONS_FOR_ETA) {
    return { eta: null, reason: `fewer than ${MIN_COMPLETIONS_FOR_ETA} completions`, rate_per_s: null }
  }
  const last = lastOf(samples, now)
  const [whole, half, quarter] = [1, 1 / 2, 1 / 4].map((share) => rateSince(samples, first, last, share)) as [
    number,
    number,
    number,
  ]
  const [slowest, fastest] = [Math.min(whole, half, quarter), Math.max(whole, half, quarter)]
  const left = Math.max(0, total - now.done)
  const spread = Math.max(SPREAD, 1 + 2 / Math.sqrt(n))
  const at = (perMs: number): string => new Date(Math.min(Math.max(now.at, last.at + left / perMs), MAX_TIME)).toISOString()
  const agreement = slowest / fastest
  return {
    eta: at(half),
    eta_low: at(fastest * spread),
    eta_high: at(slowest / spread),
    rate_per_s: Math.round(half * 100_000) / 100,
    confidence: n < 30 || agreement < 0.5 ? 'low' : agreement < 0.8 ? 'medium' : 'high',
  }
}

/**
 * Workers record what ended every two seconds, so that completions come in bursts. Measured up to now, a rate would be too low by what
 * runs unrecorded; it is measured up to the last burst, unless that one is unusually long ago.
 */
function lastOf(samples: readonly Sample[], now: Sample): Sample {
  const known = samples.slice(1, -1)
  const burst = known.at(-1)
  if (!burst || burst.done < now.done || burst.at <= (samples[0]?.at ?? 0)) return now
  const usual = (burst.at - (known[0]?.at ?? burst.at)) / Math.max(1, new Set(known.map((s) => s.at)).size - 1)
  return now.at - burst.at <= 2 * Math.max(usual, MIN_GAP_MS) ? burst : now
}
const MIN_GAP_MS = 500

/** The rate over the last share of the run; over what is known of it when that is less, over the whole run when that says too little. */
function rateSince(samples: readonly Sample[], first: Sample, last: Sample, share: number): number {
  const begin = last.at - (last.at - first.at) * share
  const known = samples.slice(1, -1)
  const start = share === 1 ? first : (known.findLast((s) => s.at <= begin) ?? known[0] ?? first)
  return start.at < last.at && last.done - start.done >= MIN_COMPLETIONS_FOR_ETA ? rate(start, last) : rate(first, last)
}

/** The end of the time that a Date can hold (ECMA-262 §21.4.1.1). */
const MAX_TIME = 8_640_000_000_000_000

function rate(from: Sample, to: Sample): number {
  return Math.max(Number.MIN_VALUE, (to.done - from.done) / (to.at - from.at))
}
