// What a job came to: counts and sizes as charts where the result has them, task times, and all of it as text.
import type { JSX } from 'preact'
import { bytes, count, duration, words } from '../format.ts'
import type { JobDocument, StageFigures } from '../types.ts'
import { BarChart, Treemap } from '../ui/charts.tsx'
import { JsonText } from '../ui/json.tsx'
import { Empty } from '../ui/notice.tsx'
import { GrowthCharts } from './growth.tsx'
import { distributionsIn, type Distribution, prefixesIn } from './result-figures.ts'

export function Result({ job, figures }: { readonly job: JobDocument; readonly figures: readonly StageFigures[] }): JSX.Element {
  const prefixes = prefixesIn(job.result)
  return (
    <>
      <div class="charts">
        {distributionsIn(job.result).map((distribution) => (
          <SizeChart key={distribution.name} distribution={distribution} />
        ))}
        {prefixes.length > 0 && (
          <Treemap
            title="Bytes by folder"
            areas={prefixes.map(({ prefix, size }) => ({ label: prefix, value: size, text: bytes(size) }))}
          />
        )}
        <GrowthCharts result={job.result} />
        {figures.map((stage) => (
          <TimeChart key={stage.stage} figures={stage} name={job.stages.find((s) => s.stage === stage.stage)?.name ?? ''} />
        ))}
      </div>
      {job.result === null ? <Empty title="No result yet." /> : <JsonText value={job.result} label="Result of the job" />}
    </>
  )
}

export function SizeChart({ distribution: { name, rows } }: { readonly distribution: Distribution }): JSX.Element {
  return (
    <BarChart
      title={words(name)}
      bars={rows.map(({ label, size, count: files }) => ({
        label: words(label),
        value: size,
        text: `${bytes(size)} · ${count(files)}`,
      }))}
    />
  )
}

/** The i-th counts tasks of 2^(i-1) up to 2^i ms. */
function TimeChart({
  figures: { stage, durations },
  name,
}: {
  readonly figures: StageFigures
  readonly name: string
}): JSX.Element {
  const first = durations.findIndex((n) => n > 0)
  const bars = durations.flatMap((n, i) =>
    i < first ? [] : [{ label: i === 0 ? 'below 1 ms' : `below ${duration(2 ** i)}`, value: n, text: count(n) }],
  )
  return <BarChart title={`Task times of stage ${stage} ${name}`} bars={bars} />
}
