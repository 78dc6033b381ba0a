// Schedules: which job is submitted when, and what became of each due time.
import * as z from 'zod'
import { JobId, SnakeName } from './names.ts'
import { column, instant, instantNow, int32, type TableDefinition } from './sql-meta.ts'

export const ScheduleId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'must be of lower-case letters, digits, _ and -, 1-63 characters')

/** skip: a due time that was missed is only noted. latest: the last one that was missed is run as soon as somebody can. */
export const MissedRule = z.enum(['skip', 'latest'])
export type MissedRule = z.infer<typeof MissedRule>

export const Schedule = z.object({
  schedule_id: ScheduleId.describe('chosen by whoever made it'),
  job_type: SnakeName,
  parameters: z.record(z.string(), z.unknown()).describe('as given; {due} and {date} in texts become the due time'),
  cron: z.string().min(9).max(200).describe('five fields: minute, hour, day of the month, month, day of the week'),
  time_zone: z.string().min(1).max(64).describe('of the IANA database'),
  missed: MissedRule.default('skip'),
  is_paused: z.boolean().default(false),
  next_due_at: instant().nullable().describe('null: there is no further one'),
  created_by: z.string().max(200).nullable(),
  created_at: instantNow('first version'),
  updated_at: instantNow('last change by somebody'),
})
export type Schedule = z.infer<typeof Schedule>

export const schedulesTable: TableDefinition = {
  name: 'schedules',
  comment: 'Jobs that are submitted at due times.',
  model: Schedule,
  primaryKey: ['schedule_id'],
  indexes: [{ name: 'schedules_due', on: 'next_due_at', where: 'NOT is_paused', why: 'what is due, asked every 30 s' }],
}

/** started: taken, and not submitted yet; submitted: its job was; missed: nobody ran then; refused: it could not be submitted. */
export const ScheduleRunStatus = z.enum(['started', 'submitted', 'missed', 'refused'])
export type ScheduleRunStatus = z.infer<typeof ScheduleRunStatus>

export const ScheduleRun = z.object({
  schedule_id: ScheduleId,
  due_at: column(instant().describe('one row for each'), {}),
  status: ScheduleRunStatus,
  job_id: JobId.nullable(),
  attempt: int32(1).nullable(),
  error_code: z.string().min(1).max(64).nullable(),
  error_details: z.string().max(2000).nullable(),
  changed_at: instantNow('of the status'),
})
export type ScheduleRun = z.infer<typeof ScheduleRun>

export const scheduleRunsTable: TableDefinition = {
  name: 'schedule_runs',
  comment: 'What became of each due time of a schedule: exactly one row, whatever the number of instances.',
  model: ScheduleRun,
  primaryKey: ['schedule_id', 'due_at'],
  indexes: [
    { name: 'schedule_runs_started', on: 'changed_at', where: "status = 'started'", why: 'taken by a process that died' },
  ],
}
