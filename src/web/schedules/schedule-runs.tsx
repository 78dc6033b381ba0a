// What became of each due time of a schedule: one row each, newest first.
import type { JSX } from 'preact'
import { type Address, address, changed } from '../address.ts'
import { moment, shortId } from '../format.ts'
import { Empty } from '../ui/notice.tsx'
import { Status } from '../ui/status.tsx'
import type { ScheduleRun } from './schedule.ts'

export interface RunPage {
  readonly runs: readonly ScheduleRun[]
  readonly next?: string
}

export function ScheduleRuns({ page: { runs, next: more }, at }: { readonly page: RunPage; readonly at: Address }): JSX.Element {
  if (runs.length === 0) return <Empty title="No due time has come yet." />
  return (
    <>
      <RunTable runs={runs} />
      <nav class="pages" aria-label="Pages of runs">
        {at.query.has('next') && <a href={changed(at, { next: undefined })}>Newest</a>}
        {more !== undefined && <a href={changed(at, { next: more })}>Older runs</a>}
      </nav>
    </>
  )
}

const RunTable = ({ runs }: { readonly runs: readonly ScheduleRun[] }): JSX.Element => (
  <div class="scroll" tabIndex={0} role="region" aria-label="Table of runs">
    <table class="list stacked">
      <thead>
        <tr>
          <th scope="col">Due</th>
          <th scope="col">Status</th>
          <th scope="col">Job</th>
          <th scope="col">Why</th>
        </tr>
      </thead>
      <tbody>
        {runs.map(({ due_at, status, job_id, attempt, error_code, error_details }) => (
          <tr key={due_at}>
            <td data-label="Due">
              <time dateTime={due_at}>{moment(due_at, new Date())}</time>
            </td>
            <td data-label="Status">
              <Status value={status} />
            </td>
            <td data-label="Job">
              {job_id === null ? (
                '–'
              ) : (
                <a href={address(['jobs', job_id])}>
                  <code>{shortId(job_id)}</code>
                  {attempt !== null && attempt > 1 && ` attempt ${attempt}`}
                </a>
              )}
            </td>
            <td data-label="Why" class="name">
              {error_code === null ? '–' : <code>{error_code}</code>}
              {error_details !== null && <span class="faint block">{error_details}</span>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
)
