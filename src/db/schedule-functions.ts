// Callers of the SQL functions of schedules, and the reads beside them.
import type { Row } from '../models/row.ts'
import type { MissedRule, Schedule, ScheduleRun, ScheduleRunStatus } from '../models/schedule.ts'
import type { Database } from './pool.ts'
import { sqlFunction } from './sql-function.ts'

export const putSchedule = sqlFunction<
  {
    schedule_id: string
    job_type: string
    parameters: unknown
    cron: string
    time_zone: string
    missed: MissedRule
    is_paused: boolean
    next_due_at: Date | null
    actor: string
  },
  { created: boolean }
>(
  'put_schedule',
  {
    schedule_id: 'text',
    job_type: 'text',
    parameters: 'jsonb',
    cron: 'text',
    time_zone: 'text',
    missed: 'text',
    is_paused: 'boolean',
    next_due_at: 'timestamp with time zone',
    actor: 'text',
  },
  { created: 'boolean' },
)

export const deleteSchedule = sqlFunction<{ schedule_id: string; actor: string }, { delete_schedule: boolean }>(
  'delete_schedule',
  { schedule_id: 'text', actor: 'text' },
  { delete_schedule: 'boolean' },
)

export const takeSchedule = sqlFunction<
  { schedule_id: string; expected: Date; run: Date | null; missed: readonly Date[]; next_due_at: Date | null },
  { take_schedule: boolean }
>(
  'take_schedule',
  {
    schedule_id: 'text',
    expected: 'timestamp with time zone',
    run: 'timestamp with time zone',
    missed: 'jsonb',
    next_due_at: 'timestamp with time zone',
  },
  { take_schedule: 'boolean' },
)

export const endScheduleRun = sqlFunction<
  {
    schedule_id: string
    due_at: Date
    status: Exclude<ScheduleRunStatus, 'started' | 'missed'>
    job_id: string | null
    attempt: number | null
    error_code: string | null
    error_details: string | null
  },
  { end_schedule_run: boolean }
>(
  'end_schedule_run',
  {
    schedule_id: 'text',
    due_at: 'timestamp with time zone',
    status: 'text',
    job_id: 'text',
    attempt: 'integer',
    error_code: 'text',
    error_details: 'text',
  },
  { end_schedule_run: 'boolean' },
)

export type ScheduleRow = Row<typeof Schedule>
export type ScheduleRunRow = Row<typeof ScheduleRun>

/** Those whose time has come. */
export const listDueSchedules = (db: Database, now: Date, limit: number): Promise<ScheduleRow[]> =>
  db.query(`SELECT * FROM app.schedules WHERE NOT is_paused AND next_due_at <= $1 ORDER BY next_due_at, schedule_id LIMIT $2`, [
    now,
    limit,
  ])

/** With what became of its last due time; null: none has come. */
export type ShownSchedule = ScheduleRow & { readonly last_run: Record<string, unknown> | null }
const LAST_RUN = `(SELECT to_jsonb(r) - 'schedule_id' FROM app.schedule_runs r
  WHERE r.schedule_id = s.schedule_id ORDER BY r.due_at DESC LIMIT 1) AS last_run`

/** By name; `after` is the last one of the page before. */
export const listSchedules = (db: Database, after: string | undefined, limit: number): Promise<ShownSchedule[]> =>
  db.query(
    `SELECT s.*, ${LAST_RUN} FROM app.schedules s WHERE ($1::text IS NULL OR schedule_id > $1) ORDER BY schedule_id LIMIT $2`,
    [after, limit],
  )

export const findSchedule = async (db: Database, id: string): Promise<ShownSchedule | undefined> =>
  (await db.query<ShownSchedule>(`SELECT s.*, ${LAST_RUN} FROM app.schedules s WHERE schedule_id = $1`, [id]))[0]

/** Newest first. */
export const listScheduleRuns = (
  db: Database,
  id: string,
  before: string | undefined,
  limit: number,
): Promise<ScheduleRunRow[]> =>
  db.query(
    `SELECT * FROM app.schedule_runs WHERE schedule_id = $1 AND ($2::timestamptz IS NULL OR due_at < $2) ORDER BY due_at DESC LIMIT $3`,
    [id, before, limit],
  )

/** Runs that somebody took, and did not end, longer ago than `seconds`. */
export const listLostRuns = (
  db: Database,
  seconds: number,
  limit: number,
): Promise<(ScheduleRunRow & { schedule: ScheduleRow })[]> =>
  db.query(
    `SELECT r.*, to_jsonb(s) AS schedule FROM app.schedule_runs r JOIN app.schedules s USING (schedule_id)
     WHERE r.status = 'started' AND r.changed_at < now() - $1 * interval '1 second' ORDER BY r.changed_at LIMIT $2`,
    [seconds, limit],
  )
