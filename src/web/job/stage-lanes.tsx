// The stages of a job as lanes over its time: when each ran, what became of its tasks, how long they took, how they came in.
import type { JSX } from 'preact'
import { count, duration, moment, rate, span } from '../format.ts'
import type { JobDocument, Stage, StageFigures } from '../types.ts'
import { Sparkline } from '../ui/charts.tsx'
import { Status } from '../ui/status.tsx'
import { hasEnded } from '../words.ts'

export interface LanesProps {
  readonly job: JobDocument
  readonly figures: readonly StageFigures[]
  readonly now: Date
}

export function StageLanes({ job, figures, now }: LanesProps): JSX.Element {
  if (job.stages.length === 0) return <p class="faint">No stage has begun yet.</p>
  const begin = new Date(job.stages[0]?.opened_at ?? job.created_at).getTime()
  const last = hasEnded(job.status) ? (job.stages.at(-1)?.closed_at ?? job.finished_at) : null
  const end = Math.max(begin + 1, last === null ? now.getTime() : new Date(last).getTime())
  const share = (at: string | null): number => {
    const time = at === null ? end : new Date(at).getTime()
    return (100 * (Math.min(Math.max(time, begin), end) - begin)) / (end - begin)
  }
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Stages">
      <table class="list lanes stacked">
        <thead>
          <tr>
            {HEADINGS.map(([label, isNumber]) => (
              <th key={label} scope="col" class={isNumber ? 'number' : ''}>
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {job.stages.map((stage) => (
            <Lane
              key={stage.stage}
              stage={stage}
              figures={figures.find((f) => f.stage === stage.stage)}
              now={now}
              share={share}
            />
          ))}
        </tbody>
      </table>
    </div>
  )
}

const HEADINGS = [
  ['Stage', false],
  ['State', false],
  ['When', false],
  ['Done', true],
  ['Failed', true],
  ['Running', true],
  ['Task p50', true],
  ['p95', true],
  ['Tasks/s', false],
] as const

interface LaneProps {
  readonly stage: Stage
  readonly figures: StageFigures | undefined
  readonly now: Date
  readonly share: (at: string | null) => number
}

function Lane({ stage, figures, now, share }: LaneProps): JSX.Element {
  const [from, to] = [share(stage.opened_at), share(stage.closed_at)]
  const ms = (value: number | null | undefined): string => (value === null || value === undefined ? '–' : duration(value))
  const cell = (index: number): { 'data-label': string; class: string } => ({
    'data-label': HEADINGS[index]?.[0] ?? '',
    class: HEADINGS[index]?.[1] ? 'number' : '',
  })
  return (
    <tr>
      <th scope="row">
        {stage.stage} <code>{stage.name}</code>
      </th>
      <td {...cell(1)}>
        <Status value={stage.outcome ?? stage.status} />
      </td>
      <td {...cell(2)}>
        <span class="track" aria-hidden="true">
          <span class="fill" style={{ insetInlineStart: `${from}%`, width: `${Math.max(0.5, to - from)}%` }} />
        </span>
        <span class="faint block">
          {moment(stage.opened_at, now)} · {span(stage.opened_at, stage.closed_at, now)}
        </span>
      </td>
      <td {...cell(3)}>
        {count(stage.completed)}/{count(stage.expected)}
        {stage.skipped > 0 && <span class="faint block">{count(stage.skipped)} skipped</span>}
      </td>
      <td {...cell(4)}>{stage.failed > 0 ? <span class="bad">{count(stage.failed)}</span> : '–'}</td>
      <td {...cell(5)}>
        {count(stage.running ?? 0)}
        {(stage.retrying ?? 0) > 0 && <span class="faint block">{count(stage.retrying ?? 0)} retrying</span>}
      </td>
      <td {...cell(6)}>{ms(figures?.p50_ms)}</td>
      <td {...cell(7)}>{ms(figures?.p95_ms)}</td>
      <td {...cell(8)}>{figures ? <Throughput figures={figures} /> : '–'}</td>
    </tr>
  )
}

function Throughput({ figures: { ended, from, to, measured, stage } }: { readonly figures: StageFigures }): JSX.Element {
  const seconds = Math.max(0.001, (new Date(to).getTime() - new Date(from).getTime()) / 1000)
  const [mean, peak] = [measured / seconds, (Math.max(...ended) * ended.length) / seconds]
  // Tasks that are recorded together ended at one moment: that is no rate.
  if (seconds < 0.1) return <span class="faint">at once</span>
  return (
    <span class="throughput">
      <Sparkline values={ended} label={`Stage ${stage}: ${rate(mean)} tasks a second on average, ${rate(peak)} at most`} />
      <span class="number">{rate(mean)}</span>
    </span>
  )
}
