// One job: where it stands, its stages, and behind tabs its tasks, errors, events, parameters and result.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { type Address, address } from '../address.ts'
import { api } from '../api.ts'
import { useLoad, usePreferences } from '../hooks.ts'
import { RefreshChoice } from '../job-list/list-options.tsx'
import type { MonitoredJob } from '../types.ts'
import { Shown } from '../ui/notice.tsx'
import { Tabs } from '../ui/tabs.tsx'
import { ActionButtons } from './actions.tsx'
import { ErrorGroups } from './error-groups.tsx'
import { Events } from './events.tsx'
import { Facts, Identity } from './facts.tsx'
import { JobLinks } from './links.tsx'
import { Result } from './result.tsx'
import { StageLanes } from './stage-lanes.tsx'
import { Tasks } from './tasks.tsx'
import { JsonText } from '../ui/json.tsx'
import { hasEnded } from '../words.ts'

const TABS = ['tasks', 'errors', 'result', 'parameters', 'events'] as const
type TabName = (typeof TABS)[number]

export function JobView({ id, at }: { readonly id: string; readonly at: Address }): JSX.Element {
  const [{ refresh }] = usePreferences()
  const [seconds, setSeconds] = useState(refresh)
  const [ended, setEnded] = useState(false)
  // What has ended does not change any more.
  const load = useLoad(
    id,
    (signal) => api<MonitoredJob>(`monitor/jobs/${encodeURIComponent(id)}`, { signal }),
    ended ? 0 : seconds,
  )
  const isEnded = load.data !== undefined && hasEnded(load.data.job.status)
  if (isEnded !== ended) setEnded(isEnded)
  return (
    <>
      <nav class="crumbs" aria-label="Where this is">
        <a href={address(['jobs'])}>Jobs</a>
      </nav>
      <Shown loaded={load}>
        {(monitored) => (
          <>
            <div class="heading">
              <Identity job={monitored.job} />
              <span class="tools">
                <RefreshChoice value={seconds} onChange={setSeconds} onNow={load.reload} />
                <ActionButtons job={monitored.job} onDone={load.reload} />
              </span>
            </div>
            <Body monitored={monitored} at={at} onChanged={load.reload} />
          </>
        )}
      </Shown>
    </>
  )
}

interface BodyProps {
  readonly monitored: MonitoredJob
  readonly at: Address
  readonly onChanged: () => void
}

function Body({ monitored, at, onChanged }: BodyProps): JSX.Element {
  const { job, figures, errors } = monitored
  const now = new Date(monitored.at)
  const wanted = at.query.get('tab')
  // As it was when the job was opened: a retry takes the errors away, and must not take the view with them.
  const [first] = useState<TabName>(() => (errors.length > 0 ? 'errors' : 'tasks'))
  const tab = TABS.find((name) => name === wanted) ?? first
  const failed = errors.reduce((sum, group) => sum + group.count, 0)
  const labels: Readonly<Record<TabName, string>> = {
    tasks: 'Tasks',
    errors: failed > 0 ? `Errors (${failed})` : 'Errors',
    result: 'Result',
    parameters: 'Parameters',
    events: 'Events',
  }
  return (
    <>
      {job.drift !== undefined && (
        <p class="notice warn" role="status">
          {job.drift}
        </p>
      )}
      {job.error !== null && <JobError error={job.error} />}
      <Facts job={job} now={now} />
      <JobLinks job={job} />
      <StageLanes job={job} figures={figures} now={now} />
      <Tabs
        label="Parts of the job"
        current={tab}
        tabs={TABS.map((name) => ({ name, label: labels[name], href: address(['jobs', job.job_id], { tab: name }) }))}
      />
      <section aria-label={labels[tab]}>
        {tab === 'tasks' && <Tasks job={job} at={at} />}
        {tab === 'errors' && <ErrorGroups job={job} errors={errors} now={now} onDone={onChanged} />}
        {tab === 'result' && <Result job={job} figures={figures} />}
        {tab === 'parameters' && <Parameters job={job} />}
        {tab === 'events' && <Events job={job} />}
      </section>
    </>
  )
}

const JobError = ({ error }: { readonly error: NonNullable<MonitoredJob['job']['error']> }): JSX.Element => (
  <p class="notice bad">
    <span>
      <code>{error.code}</code> {error.details ?? ''}
    </span>
  </p>
)

const Parameters = ({ job }: { readonly job: MonitoredJob['job'] }): JSX.Element => (
  <>
    <JsonText value={job.parameters} label="Parameters" />
    {Object.keys(job.metadata ?? {}).length > 0 && (
      <>
        <h3>Metadata</h3>
        <JsonText value={job.metadata} label="Metadata" />
      </>
    )}
    <p>
      <a class="button" href={address(['submit', job.job_type], { parameters: JSON.stringify(job.parameters) })}>
        Submit with other parameters
      </a>
    </p>
  </>
)
