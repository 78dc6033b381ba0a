// One schedule: its next due times, what became of the ones before, and what operators do to it.
import type { JSX } from 'preact'
import { type Address, address } from '../address.ts'
import { api, query } from '../api.ts'
import { ahead, moment } from '../format.ts'
import { useLoad, useRole } from '../hooks.ts'
import { Fact } from '../job/facts.tsx'
import { RecordOrders } from '../records/record-orders.tsx'
import { JsonText } from '../ui/json.tsx'
import { Shown } from '../ui/notice.tsx'
import { ReloadButton } from '../ui/reload.tsx'
import { Status } from '../ui/status.tsx'
import { orderOf, type Schedule } from './schedule.ts'
import { ScheduleForm } from './schedule-form.tsx'
import { type RunPage, ScheduleRuns } from './schedule-runs.tsx'

const PAGE = 50
const pathOf = (id: string): string => `schedules/${encodeURIComponent(id)}`

async function loadBoth(
  id: string,
  next: string | undefined,
  signal: AbortSignal,
): Promise<{ schedule: Schedule; runs: RunPage }> {
  const [schedule, runs] = await Promise.all([
    api<Schedule>(pathOf(id), { signal }),
    api<RunPage>(`${pathOf(id)}/runs${query({ limit: PAGE, next })}`, { signal }),
  ])
  return { schedule, runs }
}

export function ScheduleView({ id, at }: { readonly id: string; readonly at: Address }): JSX.Element {
  const next = at.query.get('next') ?? undefined
  const load = useLoad(`${id} ${next}`, (signal) => loadBoth(id, next, signal))
  const isOperator = useRole('operator')
  const isEdited = at.query.has('edit') && isOperator
  return (
    <>
      <nav class="crumbs" aria-label="Where this is">
        <a href={address(['schedules'])}>Schedules</a>
      </nav>
      <Shown loaded={load}>
        {({ schedule, runs }) => (
          <>
            <div class="heading">
              <h1>{schedule.schedule_id}</h1>
              <Status value={schedule.is_paused ? 'paused' : 'active'} />
              <span class="tools">
                <ReloadButton onClick={load.reload} />
                {isOperator && !isEdited && <Orders schedule={schedule} onDone={load.reload} />}
              </span>
            </div>
            {isEdited ? (
              <ScheduleForm schedule={schedule} onSaved={load.reload} />
            ) : (
              <Body schedule={schedule} runs={runs} at={at} />
            )}
          </>
        )}
      </Shown>
    </>
  )
}

interface BodyProps {
  readonly schedule: Schedule
  readonly runs: RunPage
  readonly at: Address
}

function Body({ schedule, runs, at }: BodyProps): JSX.Element {
  const { job_type, cron, time_zone, missed, created_by, updated_at, parameters } = schedule
  const now = new Date()
  return (
    <>
      <div class="card facts">
        <dl>
          <Fact name="Job type">{job_type}</Fact>
          <Fact name="When">
            <code>{cron}</code> <span class="faint block">{time_zone}</span>
          </Fact>
          <Fact name="Missed due times">{missed === 'latest' ? 'the last one is run later' : 'are only noted'}</Fact>
          <Fact name="Made by">{created_by ?? '–'}</Fact>
          <Fact name="Changed">{moment(updated_at, now)}</Fact>
        </dl>
      </div>
      <h2>Next runs</h2>
      <NextRuns schedule={schedule} now={now} />
      <h2>Parameters</h2>
      <JsonText value={parameters} label="Parameters" />
      <h2>Runs</h2>
      <ScheduleRuns page={runs} at={at} />
    </>
  )
}

function NextRuns({
  schedule: { is_paused, next_due_times },
  now,
}: {
  readonly schedule: Schedule
  readonly now: Date
}): JSX.Element {
  if (is_paused) return <p class="faint">None while it is paused.</p>
  if (next_due_times.length === 0) return <p class="faint">There is no due time any more.</p>
  return (
    <ol class="events next-runs">
      {next_due_times.map((due) => (
        <li key={due}>
          <time dateTime={due}>{moment(due, now)}</time>
          <span class="faint">{ahead(due, now)}</span>
        </li>
      ))}
    </ol>
  )
}

const EXPLAINS = {
  pause: 'It submits nothing until somebody resumes it. Due times in between are left out.',
  resume: 'It submits jobs again from its next due time on.',
  delete: 'It submits nothing any more, and its list of runs goes with it. The jobs that it submitted stay.',
} as const

const Orders = ({ schedule, onDone }: { readonly schedule: Schedule; readonly onDone: () => void }): JSX.Element => (
  <RecordOrders
    kind="schedules"
    id={schedule.schedule_id}
    isPaused={schedule.is_paused}
    explains={EXPLAINS}
    orderOf={orderOf}
    onDone={onDone}
  />
)
