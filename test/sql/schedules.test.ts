// Several instances on one database: each due time is one row and one attempt of a job, over changes of clocks, missed hours and deaths.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { endScheduleRun, listScheduleRuns, putSchedule, takeSchedule } from '../../src/db/schedule-functions.ts'
import { openPool, type Pool } from '../../src/db/pool.ts'
import { type AnyJob, defineJob, defineStage } from '../../src/define/define-job.ts'
import type { InstanceDeps } from '../../src/engine/deps.ts'
import { runSchedules } from '../../src/engine/schedules.ts'
import type { Instances } from '../../src/engine/instances.ts'
import { processIdentity } from '../../src/platform/process-identity.ts'
import { AppError } from '../../src/rules/errors.ts'
import * as z from 'zod'
import { createDatabase, type TestDatabase } from '../support/db.ts'

const parameters = z.strictObject({ label: z.string().default('x') })
const tick: AnyJob = defineJob({
  name: 'tick',
  description: 'does nothing',
  parameters,
  stages: [
    defineStage({
      name: 'do_nothing',
      parameters,
      result: z.strictObject({}),
      *plan() {
        yield* []
      },
      run: () => ({}),
    }),
  ],
})

let database: TestDatabase
let pools: Pool[]
let started: string[] = []
let isHubUp = true
beforeAll(async () => {
  database = await createDatabase()
  pools = [1, 2, 3].map(() => openPool({ connectionString: database.appUrl, max: 3 }))
})
afterAll(async () => {
  await Promise.all(pools.map((p) => p.end()))
  await database.drop()
})
beforeEach(async () => {
  started = []
  await database.pool.query('TRUNCATE app.schedules, app.schedule_runs, app.job_events, app.jobs CASCADE')
})

const instances = {
  start: ({ jobId, attempt }: { jobId: string; attempt: number }) => {
    if (!isHubUp) return Promise.reject(new AppError('DURABLE_UNAVAILABLE', 'The hub is down.'))
    started.push(`${jobId.slice(0, 8)}.${attempt}`)
    return Promise.resolve()
  },
} as unknown as Instances
const quiet = (): void => undefined
const host = (db: Pool, now: Date): InstanceDeps =>
  ({
    db,
    instances,
    now: () => now,
    log: { info: quiet, warn: quiet, error: quiet },
    process: processIdentity({}),
    stopping: new AbortController().signal,
    settings: { maxJobsPerCaller: 1000, maxTasksPerCaller: 1_000_000 },
    jobType: (name: string) => (name === 'tick' ? tick : undefined),
    jobTypes: [tick],
  }) as unknown as InstanceDeps

/** Three instances look at the same moment. */
const look = async (at: string): Promise<number> =>
  (await Promise.all(pools.map((db) => runSchedules(host(db, new Date(at)))))).reduce((a, b) => a + b, 0)
const make = (more: object, next: string) =>
  putSchedule(database.pool, {
    schedule_id: 's',
    job_type: 'tick',
    parameters: { label: '{due}' },
    cron: '0 * * * *',
    time_zone: 'UTC',
    missed: 'skip',
    is_paused: false,
    next_due_at: new Date(next),
    actor: 'test',
    ...more,
  })
const runs = async (): Promise<string[]> =>
  (await listScheduleRuns(database.pool, 's', undefined, 500))
    .map((r) => `${r.due_at.toISOString().slice(5, 16)} ${r.status}`)
    .toReversed()
const end = (more: object) =>
  endScheduleRun(database.pool, {
    schedule_id: 's',
    due_at: new Date('2026-05-01T10:00Z'),
    status: 'submitted',
    job_id: null,
    attempt: null,
    error_code: null,
    error_details: null,
    ...more,
  })

test('a night of each change of clocks, looked at every ten minutes by three instances: each due time is one job', async () => {
  for (const day of ['2026-03-29', '2026-10-25']) {
    await database.pool.query('TRUNCATE app.schedules, app.schedule_runs, app.jobs CASCADE')
    started = []
    await make({ cron: '*/30 * * * *', time_zone: 'Europe/Berlin' }, `${day}T00:00Z`)
    for (let minute = 0; minute <= 240; minute += 10)
      await look(new Date(Date.parse(`${day}T00:00Z`) + minute * 60_000 + 5000).toISOString())
    expect(await runs()).toEqual(
      Array.from(
        { length: 9 },
        (_, i) => `${new Date(Date.parse(`${day}T00:00Z`) + i * 1_800_000).toISOString().slice(5, 16)} submitted`,
      ),
    )
    expect(new Set(started).size).toBe(9)
    expect(started).toHaveLength(9)
  }
})

test('the same parameters at each due time are attempts of one job; while it has not ended the next is refused by name', async () => {
  await make({ parameters: {} }, '2026-05-01T10:00Z')
  await look('2026-05-01T10:00:10Z')
  await look('2026-05-01T11:00:10Z')
  await database.pool.query(`UPDATE app.jobs SET status = 'completed', finished_at = now()`)
  await look('2026-05-01T12:00:10Z')
  expect(await runs()).toEqual(['05-01T10:00 submitted', '05-01T11:00 refused', '05-01T12:00 submitted'])
  const [, refused] = await listScheduleRuns(database.pool, 's', undefined, 2)
  expect(refused).toMatchObject({ error_code: 'ILLEGAL_STATE' })
  expect(started.map((s) => s.split('.')[1])).toEqual(['1', '2'])
})

test('nobody ran for hours: noted, and with latest the last one is run', async () => {
  await make({}, '2026-05-01T10:00Z')
  await look('2026-05-01T12:30Z')
  expect(await runs()).toEqual(['05-01T10:00 missed', '05-01T11:00 missed', '05-01T12:00 missed'])
  await make({ missed: 'latest' }, '2026-05-01T13:00Z')
  await look('2026-05-01T15:30Z')
  expect((await runs()).slice(3)).toEqual(['05-01T13:00 missed', '05-01T14:00 missed', '05-01T15:00 submitted'])
})

test('whoever took a due time dies, or the hub is down: the next pass ends it, as the same attempt', async () => {
  await make({}, '2026-05-01T10:00Z')
  isHubUp = false
  await look('2026-05-01T10:00:10Z')
  expect(await runs()).toEqual(['05-01T10:00 started'])
  expect(await database.pool.query('SELECT attempt FROM app.jobs')).toEqual([{ attempt: 1 }])
  isHubUp = true
  // Not yet: it may still be at work.
  await look('2026-05-01T10:00:40Z')
  expect(await runs()).toEqual(['05-01T10:00 started'])
  await database.pool.query(`UPDATE app.schedule_runs SET changed_at = now() - interval '2 minutes'`)
  await look('2026-05-01T10:01:40Z')
  expect(await runs()).toEqual(['05-01T10:00 submitted'])
  expect(new Set(started)).toEqual(new Set([started[0]]))
  expect(await end({ status: 'refused' })).toEqual([{ end_schedule_run: false }])
})

test('paused, changed or deleted schedules take nothing; a job type that is gone, parameters that no longer fit are refused by name', async () => {
  await make({ is_paused: true }, '2026-05-01T10:00Z')
  expect(await look('2026-05-01T10:00:10Z')).toBe(0)
  const take = { schedule_id: 's', expected: new Date('2026-05-01T10:00Z'), run: null, missed: [], next_due_at: null }
  expect(await takeSchedule(database.pool, take)).toEqual([{ take_schedule: false }])
  await make({ job_type: 'gone' }, '2026-05-01T10:00Z')
  await look('2026-05-01T10:00:10Z')
  await make({ parameters: { nonsense: 1 } }, '2026-05-01T11:00Z')
  await look('2026-05-01T11:00:10Z')
  const found = (await listScheduleRuns(database.pool, 's', undefined, 9)).map((r) => [r.status, r.error_code])
  expect(found).toEqual([
    ['refused', 'INVALID_PARAMETERS'],
    ['refused', 'JOB_TYPE_UNKNOWN'],
  ])
})

test('the newest thousand runs are kept', async () => {
  await make({}, '2026-05-01T10:00Z')
  await database.pool.query(
    `INSERT INTO app.schedule_runs (schedule_id, due_at, status) SELECT 's', '2026-05-01T09:00Z'::timestamptz - n * interval '1 hour', 'missed' FROM generate_series(0, 1100) AS n`,
  )
  await look('2026-05-01T10:00:10Z')
  expect(await database.pool.query('SELECT count(*)::int AS n FROM app.schedule_runs')).toEqual([{ n: 1000 }])
})
