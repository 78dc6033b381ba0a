// All jobs, newest first: narrowed, paged, refreshed, and acted on as a whole.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { type Address, address, changed } from '../address.ts'
import { api, query } from '../api.ts'
import { moment } from '../format.ts'
import { useLoad, usePreferences, useRole } from '../hooks.ts'
import type { JobPage } from '../types.ts'
import { Empty, Shown } from '../ui/notice.tsx'
import { BulkDialog } from './bulk-dialog.tsx'
import { COLUMNS } from './columns.tsx'
import { apiFilter, filterOf, isEmpty, type JobFilter } from './filter.ts'
import { FilterBar } from './filter-bar.tsx'
import { ColumnChoice, RefreshChoice } from './list-options.tsx'

const PAGE = 50

export function JobsView({ at }: { readonly at: Address }): JSX.Element {
  const filter = filterOf(at.query)
  const next = at.query.get('next') ?? undefined
  const [{ refresh, hidden }] = usePreferences()
  const [seconds, setSeconds] = useState(refresh)
  const [shown, setShown] = useState(hidden)
  const [acting, setActing] = useState(false)
  const isOperator = useRole('operator')
  const load = useLoad(
    JSON.stringify([filter, next]),
    (signal) => api<JobPage>(`monitor/jobs${query({ ...apiFilter(filter, new Date()), next, limit: PAGE })}`, { signal }),
    seconds,
  )
  return (
    <>
      <div class="heading">
        <h1>Jobs</h1>
        <span class="faint" role="status">
          {load.data && `as of ${moment(load.data.at, new Date())}`}
        </span>
        <span class="tools">
          <RefreshChoice value={seconds} onChange={setSeconds} onNow={load.reload} />
          <ColumnChoice hidden={shown} onChange={setShown} />
          {isOperator && !isEmpty(filter) && (
            <button type="button" onClick={() => setActing(true)}>
              Act on all of these …
            </button>
          )}
        </span>
      </div>
      <FilterBar at={at} />
      <Shown loaded={load}>{(page) => <JobPageView page={page} at={at} filter={filter} hidden={shown} />}</Shown>
      {acting && <BulkDialog filter={filter} onClose={() => (setActing(false), load.reload())} />}
    </>
  )
}

interface PageProps {
  readonly page: JobPage
  readonly at: Address
  readonly filter: JobFilter
  readonly hidden: readonly string[]
}

function JobPageView({ page, at, filter, hidden }: PageProps): JSX.Element {
  if (page.jobs.length === 0 && isEmpty(filter))
    return (
      <Empty title="No jobs yet.">
        <p>A job appears here as soon as it is submitted.</p>
        <a class="button primary" href={address(['submit'])}>
          Submit the first one
        </a>
      </Empty>
    )
  if (page.jobs.length === 0 && page.next === undefined)
    return (
      <Empty title="No job fits.">
        <a class="button" href={address(['jobs'])}>
          Clear all filters
        </a>
      </Empty>
    )
  return (
    <>
      {page.jobs.length > 0 ? (
        <JobTable page={page} hidden={hidden} />
      ) : (
        <Empty title="No job that was looked through has this text.">
          <p>Jobs are looked through in parts, newest first. A type, a status or a time narrows the search.</p>
        </Empty>
      )}
      <nav class="pages" aria-label="Pages">
        {at.query.has('next') && <a href={changed(at, { next: undefined })}>Newest</a>}
        {page.next !== undefined && (
          <a href={changed(at, { next: page.next })} rel="next">
            Older jobs
          </a>
        )}
      </nav>
    </>
  )
}

function JobTable({ page, hidden }: Pick<PageProps, 'page' | 'hidden'>): JSX.Element {
  // The server's clock: that of the browser may be wrong.
  const now = new Date(page.at)
  const columns = COLUMNS.filter(({ name }) => !hidden.includes(name))
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Table of jobs">
      <table class="list stacked">
        <thead>
          <tr>
            {columns.map(({ name, label, isNumber }) => (
              <th key={name} scope="col" class={isNumber ? 'number' : ''}>
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {page.jobs.map((job) => (
            <tr key={job.job_id}>
              {columns.map(({ name, label, isNumber, cell }) => (
                <td key={name} data-label={label} class={isNumber ? 'number' : ''}>
                  {cell(job, now)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
