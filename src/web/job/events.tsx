// What happened to a job, in order: who did what, and why.
import type { JSX } from 'preact'
import { api, query } from '../api.ts'
import { moment } from '../format.ts'
import { useLoad } from '../hooks.ts'
import type { JobDocument, JobEvent, Json } from '../types.ts'
import { Shown } from '../ui/notice.tsx'

const MOST = 500

export function Events({ job }: { readonly job: JobDocument }): JSX.Element {
  const load = useLoad(`${job.job_id} ${job.updated_at}`, (signal) =>
    api<{ events: readonly JobEvent[]; next?: string }>(`jobs/${job.job_id}/events${query({ limit: MOST })}`, { signal }),
  )
  return (
    <Shown loaded={load}>
      {({ events, next }) => (
        <>
          <ol class="events">
            {events.map((event) => (
              <li key={event.event_id}>
                <time dateTime={event.at}>{moment(event.at, new Date())}</time>
                <span>
                  <code>{event.event}</code> <span class="faint">by {event.actor}</span>
                  <span class="name block">{factsOf(event.data)}</span>
                </span>
              </li>
            ))}
          </ol>
          {next !== undefined && <p class="faint">The first {MOST} events. The API has the others.</p>}
        </>
      )}
    </Shown>
  )
}

/** `reason: disk was full · attempt: 2` */
function factsOf(data: Json): string {
  if (typeof data !== 'object' || data === null) return ''
  return Object.entries(data)
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' · ')
}
