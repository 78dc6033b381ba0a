// Makes a schedule, or changes one: when, which job type, and its parameters.
import type { JSX } from 'preact'
import { address } from '../address.ts'
import { api } from '../api.ts'
import { go, useLoad } from '../hooks.ts'
import { RecordForm, refuseTaken } from '../records/record-form.tsx'
import type { JobType } from '../submit/submit-view.tsx'
import { textOf } from '../submit/schema-form.ts'
import type { Json } from '../types.ts'
import { Shown } from '../ui/notice.tsx'
import { type Schedule, scheduleFields, scheduleValues } from './schedule.ts'

export interface ScheduleFormProps {
  /** Undefined: a new one. */
  readonly schedule?: Schedule
  readonly onSaved?: () => void
}

export function ScheduleForm({ schedule, onSaved }: ScheduleFormProps): JSX.Element {
  const load = useLoad('job-types', (signal) => api<{ job_types: readonly JobType[] }>('job-types', { signal }))
  const isNew = schedule === undefined
  const save = async (filled: { [name: string]: Json }): Promise<void> => {
    const { schedule_id, ...record } = filled
    const id = schedule?.schedule_id ?? textOf(schedule_id)
    const path = `schedules/${encodeURIComponent(id)}`
    if (isNew) await refuseTaken(path, 'schedule_id')
    await api(path, { method: 'PUT', body: { ...record, is_paused: schedule?.is_paused ?? false } })
    onSaved?.()
    go(address(['schedules', id]))
  }
  return (
    <Shown loaded={load}>
      {({ job_types }) => (
        <RecordForm
          fieldsFor={({ job_type }) => scheduleFields(job_types, job_type, isNew)}
          initial={schedule ? scheduleValues(job_types, schedule) : {}}
          label={isNew ? 'Make the schedule' : 'Save the schedule'}
          cancelHref={address(schedule ? ['schedules', schedule.schedule_id] : ['schedules'])}
          save={save}
        />
      )}
    </Shown>
  )
}
