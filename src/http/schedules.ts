// Schedules: jobs that are submitted at due times. Read by everybody, made by operators.
import * as z from 'zod'
import {
  deleteSchedule,
  findSchedule,
  listScheduleRuns,
  listSchedules,
  putSchedule,
  type ShownSchedule,
} from '../db/schedule-functions.ts'
import { only } from '../db/sql-function.ts'
import { nextDueTimes } from '../engine/due-times.ts'
import { parametersAt } from '../engine/schedules.ts'
import { jobTypeOf } from '../engine/submit.ts'
import { SnakeName } from '../models/names.ts'
import { MissedRule, ScheduleId } from '../models/schedule.ts'
import type { Resources } from '../platform/resources.ts'
import { AppError } from '../rules/errors.ts'
import { storableJson } from '../rules/storable.ts'
import { paging, PositionTime, readCursor } from './cursor.ts'
import { pageOf, readingOf } from './pages.ts'
import { type Answer, type Call, type HttpRow, route } from './route.ts'
import { validate } from './validation.ts'

const ById = z.object({ schedule_id: ScheduleId })
const Body = z.strictObject({
  job_type: SnakeName,
  parameters: z.record(z.string(), z.unknown()).default({}).describe('{due} and {date} in texts become the due time and its day'),
  cron: z.string().trim().min(9).max(200).describe('five fields: minute, hour, day of the month, month, day of the week'),
  time_zone: z.string().min(1).max(64).default('UTC').describe('of the IANA database, e.g. Europe/Berlin'),
  missed: MissedRule.default('skip').describe('a due time when nobody ran: only noted, or the last one run later'),
  is_paused: z.boolean().default(false),
})
const NEXT = 5

/** With the next due times, what became of the last one, and where its runs are. */
function documentOf(schedule: ShownSchedule, origin: string): object {
  const from = schedule.next_due_at === null ? [] : [schedule.next_due_at]
  const more = schedule.next_due_at === null ? [] : nextDueTimes(schedule, schedule.next_due_at, NEXT - 1)
  const links = { runs: `${origin}/api/schedules/${schedule.schedule_id}/runs` }
  return { ...schedule, next_due_times: schedule.is_paused ? [] : [...from, ...more], links }
}

async function required(r: Resources, id: string): Promise<ShownSchedule> {
  const found = await findSchedule(r.db, id)
  if (!found) throw new AppError('SCHEDULE_NOT_FOUND', `There is no schedule ${id}.`)
  return found
}

const ListQuery = z.strictObject(paging)

async function list({ query, url, r }: Call<object, z.infer<typeof ListQuery>, undefined>): Promise<Answer> {
  const after = readCursor(query.next, {}, ById)
  const rows = await listSchedules(readingOf(r), after?.schedule_id, query.limit + 1)
  const { page, more } = pageOf(rows, query.limit, {}, ({ schedule_id }) => ({ schedule_id }))
  return { body: { schedules: page.map((s) => documentOf(s, url.origin)), count: page.length, ...more } }
}

async function get({ pathParameters, url, r }: Call<z.infer<typeof ById>, object, undefined>): Promise<Answer> {
  return { body: documentOf(await required(r, pathParameters.schedule_id), url.origin) }
}

type PutCall = Call<z.infer<typeof ById>, object, z.infer<typeof Body>>

/** Refuses what would fail at each due time: an unknown job type, parameters that it does not take, a time that never comes. */
async function put({ pathParameters: { schedule_id }, body, caller, url, r }: PutCall): Promise<Answer> {
  const job = jobTypeOf(r, body.job_type)
  const [next] = nextDueTimes(body, r.now(), 1)
  if (next === undefined) {
    const message = 'has no due time in the future'
    throw new AppError('INVALID_PARAMETERS', `Invalid input: cron: ${message}`, { issues: [{ path: 'cron', message }] })
  }
  validate(z.object({ parameters: job.parameters }), { parameters: parametersAt(body, next) }, 'INVALID_PARAMETERS')
  storableJson(body.parameters)
  const { created } = only(await putSchedule(r.db, { schedule_id, ...body, next_due_at: next, actor: caller.name }))
  return {
    status: created ? 201 : 200,
    headers: created ? { location: `${url.origin}/api/schedules/${schedule_id}` } : {},
    body: documentOf(await required(r, schedule_id), url.origin),
  }
}

async function remove({ pathParameters, caller, r }: Call<z.infer<typeof ById>, object, undefined>): Promise<Answer> {
  const { delete_schedule: gone } = only(await deleteSchedule(r.db, { ...pathParameters, actor: caller.name }))
  if (!gone) throw new AppError('SCHEDULE_NOT_FOUND', `There is no schedule ${pathParameters.schedule_id}.`)
  return { body: { deleted: pathParameters.schedule_id } }
}

async function runs({
  pathParameters,
  query,
  r,
}: Call<z.infer<typeof ById>, z.infer<typeof ListQuery>, undefined>): Promise<Answer> {
  const { schedule_id } = await required(r, pathParameters.schedule_id)
  const after = readCursor(query.next, pathParameters, z.object({ due_at: PositionTime }))
  const rows = await listScheduleRuns(readingOf(r), schedule_id, after?.due_at, query.limit + 1)
  const { page, more } = pageOf(rows, query.limit, pathParameters, (last) => ({ due_at: last.due_at.toISOString() }))
  return { body: { runs: page, count: page.length, ...more } }
}

export const scheduleRoutes: readonly HttpRow[] = [
  route({
    name: 'listSchedules',
    summary: 'jobs that are submitted at due times, with the next ones and what became of the last',
    method: 'GET',
    path: 'schedules',
    role: 'reader',
    query: ListQuery,
    handle: list,
  }),
  route({
    name: 'getSchedule',
    summary: 'one schedule with its next due times',
    method: 'GET',
    path: 'schedules/{schedule_id}',
    role: 'reader',
    pathParameters: ById,
    handle: get,
  }),
  route({
    name: 'putSchedule',
    summary: 'makes or changes a schedule: `job_type`, `parameters`, `cron`, `time_zone`, `missed`, `is_paused`',
    method: 'PUT',
    path: 'schedules/{schedule_id}',
    role: 'operator',
    pathParameters: ById,
    body: Body,
    handle: put,
  }),
  route({
    name: 'deleteSchedule',
    summary: 'removes a schedule; the jobs that it submitted stay',
    method: 'DELETE',
    path: 'schedules/{schedule_id}',
    role: 'operator',
    pathParameters: ById,
    handle: remove,
  }),
  route({
    name: 'listScheduleRuns',
    summary: 'what became of each due time, newest first',
    method: 'GET',
    path: 'schedules/{schedule_id}/runs',
    role: 'reader',
    pathParameters: ById,
    query: ListQuery,
    handle: runs,
  }),
]
