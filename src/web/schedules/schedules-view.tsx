// Schedules: which job is submitted when, what became of the last due time, and the next ones.
import type { JSX } from 'preact'
import { type Address, address } from '../address.ts'
import { ahead, moment } from '../format.ts'
import { RecordsView } from '../records/records-view.tsx'
import { Status } from '../ui/status.tsx'
import type { Schedule } from './schedule.ts'
import { ScheduleForm } from './schedule-form.tsx'
import { ScheduleView } from './schedule-view.tsx'

export function SchedulesView({ at, id }: { readonly at: Address; readonly id: string | undefined }): JSX.Element {
  if (id !== undefined) return <ScheduleView key={id} id={id} at={at} />
  return (
    <RecordsView<Schedule>
      at={at}
      path="schedules"
      one="schedule"
      purpose="A schedule submits a job at due times, such as every night."
      form={() => <ScheduleForm />}
      table={(schedules) => <ScheduleTable schedules={schedules} />}
    />
  )
}

const ScheduleTable = ({ schedules }: { readonly schedules: readonly Schedule[] }): JSX.Element => (
  <div class="scroll" tabIndex={0} role="region" aria-label="Table of schedules">
    <table class="list stacked">
      <thead>
        <tr>
          <th scope="col">Schedule</th>
          <th scope="col">State</th>
          <th scope="col">Job type</th>
          <th scope="col">When</th>
          <th scope="col">Next run</th>
          <th scope="col">Last run</th>
        </tr>
      </thead>
      <tbody>
        {schedules.map((schedule) => (
          <ScheduleRow key={schedule.schedule_id} schedule={schedule} />
        ))}
      </tbody>
    </table>
  </div>
)

function ScheduleRow({ schedule }: { readonly schedule: Schedule }): JSX.Element {
  const { schedule_id, job_type, is_paused, cron, time_zone, next_due_times, last_run } = schedule
  const now = new Date()
  const [due] = next_due_times
  return (
    <tr>
      <td data-label="Schedule" class="name">
        <a class="strong" href={address(['schedules', schedule_id])}>
          {schedule_id}
        </a>
      </td>
      <td data-label="State">
        <Status value={is_paused ? 'paused' : 'active'} />
      </td>
      <td data-label="Job type" class="name">
        {job_type}
      </td>
      <td data-label="When" class="name">
        <code>{cron}</code> <span class="faint block">{time_zone}</span>
      </td>
      <td data-label="Next run">
        {due === undefined ? '–' : moment(due, now)}
        {due !== undefined && <span class="faint block">{ahead(due, now)}</span>}
      </td>
      <td data-label="Last run">
        {last_run === null ? '–' : <Status value={last_run.status} />}
        {last_run !== null && <span class="faint block">{moment(last_run.due_at, now)}</span>}
      </td>
    </tr>
  )
}
