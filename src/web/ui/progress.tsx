// How far something is: done, failed, and what is left, with the figures in words.
import type { JSX } from 'preact'
import { count } from '../format.ts'
import type { JobStatus, Progress } from '../types.ts'

/** Of a job that ended badly the part that was done; the server calls every end 100 %. */
export function shownPercent(status: JobStatus, { percent, done, total }: Progress): number {
  if (status !== 'failed' && status !== 'cancelled') return percent
  return total > 0 ? Math.min(100, Math.floor((1000 * done) / total) / 10) : 0
}

export interface ProgressFigures {
  readonly percent: number
  readonly done: number
  readonly failed: number
  readonly total: number
  readonly tone: string
  /** What the bar is of, for those who do not see it. */
  readonly label: string
}

export function ProgressBar({ percent, done, failed, total, tone, label }: ProgressFigures): JSX.Element {
  const failedShare = total > 0 ? Math.min(percent, (100 * failed) / total) : 0
  return (
    <span class="progress">
      <span
        class={`bar ${tone}`}
        role="progressbar"
        aria-label={label}
        aria-valuenow={percent}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuetext={`${percent} %, ${done} of ${total} tasks, ${failed} failed`}
      >
        <span class="fill" style={{ width: `${percent - failedShare}%` }} />
        <span class="fill bad" style={{ width: `${failedShare}%` }} />
      </span>
      <span class="figures">
        <b>{percent.toFixed(percent >= 100 || percent === 0 ? 0 : 1)} %</b> {count(done)}/{count(total)}
        {failed > 0 && <span class="bad"> · {count(failed)} failed</span>}
      </span>
    </span>
  )
}
