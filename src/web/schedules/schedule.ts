// A schedule as the API has it, and the form of one. Pure.
import { fieldsOf, type Field, type Schema, textOf, valuesFrom } from '../submit/schema-form.ts'
import type { JobType } from '../submit/submit-view.tsx'
import type { Json } from '../types.ts'

export interface ScheduleRun {
  readonly due_at: string
  readonly status: 'started' | 'submitted' | 'missed' | 'refused'
  readonly job_id: string | null
  readonly attempt: number | null
  readonly error_code: string | null
  readonly error_details: string | null
}

/** What a caller puts. */
export interface ScheduleOrder {
  readonly job_type: string
  readonly parameters: Json
  readonly cron: string
  readonly time_zone: string
  readonly missed: 'skip' | 'latest'
  readonly is_paused: boolean
}

export interface Schedule extends ScheduleOrder {
  readonly schedule_id: string
  readonly next_due_times: readonly string[]
  readonly last_run: ScheduleRun | null
  readonly created_by: string | null
  readonly created_at: string
  readonly updated_at: string
}

export const orderOf = ({ job_type, parameters, cron, time_zone, missed, is_paused }: Schedule): ScheduleOrder => ({
  job_type,
  parameters,
  cron,
  time_zone,
  missed,
  is_paused,
})

/** Fields of a schedule and of the parameters of the job type that is chosen; without a name where it has one. */
export function scheduleFields(jobTypes: readonly JobType[], chosen: string | undefined, isNew: boolean): Field[] {
  const jobType = jobTypes.find(({ name }) => name === chosen)
  const name: Schema = { type: 'string', maxLength: 63, description: 'lower-case letters, digits, `_` and `-`' }
  return fieldsOf({
    required: ['schedule_id', 'job_type', 'cron', 'parameters'],
    properties: {
      ...(isNew ? { schedule_id: name } : {}),
      cron: {
        type: 'string',
        description: 'minute, hour, day of the month, month, day of the week: `30 2 * * *` is half past two',
      },
      time_zone: { type: 'string', default: 'UTC', description: 'of the IANA database, such as `Europe/Berlin`' },
      missed: {
        enum: ['skip', 'latest'],
        default: 'skip',
        description: 'a due time when nobody ran: `skip` only notes it, `latest` runs the last one later',
      },
      job_type: {
        enum: jobTypes.map((known) => known.name),
        description: 'in its texts, `{due}` and `{date}` become the due time and its day',
      },
      ...(jobType ? { parameters: jobType.parameters } : {}),
    },
  })
}

/** What stands in the form of one that is changed. */
export const scheduleValues = (jobTypes: readonly JobType[], schedule: Schedule): Readonly<Record<string, string>> =>
  valuesFrom(scheduleFields(jobTypes, schedule.job_type, false), { ...orderOf(schedule) })

/** `n: 3, name: on {date}` */
export const parametersText = (parameters: Json): string =>
  typeof parameters === 'object' && parameters !== null && !Array.isArray(parameters)
    ? Object.entries(parameters)
        .map(([name, value]) => `${name}: ${textOf(value)}`)
        .join(', ')
    : ''
