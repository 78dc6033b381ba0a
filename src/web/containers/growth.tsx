// How a container grew: two of its inventories are chosen, compared by a job, and shown as bars.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { type Address, address, changed } from '../address.ts'
import { api, type ApiError } from '../api.ts'
import { bytes, count, moment, shortId } from '../format.ts'
import { asApiError, go, useLoad, useRole } from '../hooks.ts'
import { GrowthCharts } from '../job/growth.tsx'
import type { Job, JobDocument, Json } from '../types.ts'
import { ErrorNotice, Shown } from '../ui/notice.tsx'
import { Status } from '../ui/status.tsx'
import { hasEnded } from '../words.ts'
import { inventoriesOf } from './inventories.ts'

/** The newest attempts of one job. */
const ATTEMPTS = 10
const POLL_SECONDS = 2

export function Growth({ at, container }: { readonly at: Address; readonly container: string }): JSX.Element {
  const load = useLoad(container, (signal) => inventoriesOf(container, signal))
  const compared = at.query.get('compared')
  return (
    <>
      <h2>Growth between two inventories</h2>
      <Shown loaded={load}>{(jobs) => <Choose at={at} jobs={jobs} />}</Shown>
      {compared !== null && <Compared key={compared} id={compared} />}
    </>
  )
}

interface Chosen {
  readonly job_id: string
  readonly attempt: number
  readonly label: string
}

/** Newest first; attempts of one job are inventories of their own. */
const choicesOf = (jobs: readonly Job[]): Chosen[] =>
  jobs.flatMap(({ job_id, attempt, finished_at, created_at }) =>
    Array.from({ length: Math.min(ATTEMPTS, attempt) }, (_, back) => ({
      job_id,
      attempt: attempt - back,
      label:
        back === 0
          ? `${moment(finished_at ?? created_at, new Date())} (${shortId(job_id)}, attempt ${attempt})`
          : `earlier (${shortId(job_id)}, attempt ${attempt - back})`,
    })),
  )

function Choose({ at, jobs }: { readonly at: Address; readonly jobs: readonly Job[] }): JSX.Element {
  const choices = choicesOf(jobs)
  const [before, setBefore] = useState(1)
  const [after, setAfter] = useState(0)
  const [error, setError] = useState<ApiError>()
  const maySubmit = useRole('submitter')
  if (choices.length < 2) return <p class="faint">It takes two finished inventories of the whole container.</p>
  const compare = async (): Promise<void> => {
    const idOf = (index: number): object => ({ job_id: choices[index]?.job_id, attempt: choices[index]?.attempt })
    try {
      const body = { before: idOf(before), after: idOf(after) }
      const { job_id } = await api<{ job_id: string }>('jobs/submit/compare_inventories', { method: 'POST', body })
      setError(undefined)
      go(changed(at, { compared: job_id }))
    } catch (cause) {
      setError(asApiError(cause))
    }
  }
  return (
    <>
      <form class="filters" onSubmit={(event) => (event.preventDefault(), void compare())}>
        <InventoryChoice label="Before" choices={choices} value={before} onChange={setBefore} />
        <InventoryChoice label="After" choices={choices} value={after} onChange={setAfter} />
        {maySubmit && (
          <button type="submit" disabled={before === after}>
            Compare
          </button>
        )}
      </form>
      {error && <ErrorNotice error={error} />}
    </>
  )
}

interface ChoiceProps {
  readonly label: string
  readonly choices: readonly Chosen[]
  readonly value: number
  readonly onChange: (index: number) => void
}

const InventoryChoice = ({ label, choices, value, onChange }: ChoiceProps): JSX.Element => (
  <label>
    {label}
    <select value={String(value)} onChange={(event) => onChange(Number(event.currentTarget.value))}>
      {choices.map((choice, index) => (
        <option key={`${choice.job_id} ${choice.attempt}`} value={String(index)}>
          {choice.label}
        </option>
      ))}
    </select>
  </label>
)

function Compared({ id }: { readonly id: string }): JSX.Element {
  const [ended, setEnded] = useState(false)
  const load = useLoad(id, (signal) => api<JobDocument>(`jobs/${encodeURIComponent(id)}`, { signal }), ended ? 0 : POLL_SECONDS)
  const isEnded = load.data !== undefined && hasEnded(load.data.status)
  if (isEnded !== ended) setEnded(isEnded)
  return (
    <Shown loaded={load}>
      {({ status, result }) => (
        <section aria-label="Growth">
          <p>
            <Status value={status} /> <a href={address(['jobs', id])}>job {shortId(id)}</a>
            {status === 'completed' && <Totals result={result} />}
          </p>
          <div class="charts">
            <GrowthCharts result={result} />
          </div>
        </section>
      )}
    </Shown>
  )
}

function Totals({ result }: { readonly result: Json }): JSX.Element {
  const members = typeof result === 'object' && result !== null && !Array.isArray(result) ? result : {}
  const of = (name: string): number => Number(members[name] ?? 0)
  const warning = members['warning']
  return (
    <>
      {`: ${count(of('added'))} added, ${count(of('changed'))} changed, ${count(of('removed'))} removed, ${count(of('unchanged'))} as before; `}
      {`${bytes(of('bytes_added'))} more, ${bytes(of('bytes_removed'))} less.`}
      {typeof warning === 'string' && <span class="block warn">{warning}</span>}
    </>
  )
}
