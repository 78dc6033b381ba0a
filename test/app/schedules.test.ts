// Schedules over HTTP: made, read, changed and removed; what would fail at each due time is refused at once.
import { until } from 'functions-host/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'

let app: TestApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app.stop())
const put = (id: string, body: object) => app.send('PUT', `/api/schedules/${id}`, body)
const DAILY = { job_type: 'hello_world', parameters: { n: 1, name: 'on {date}' }, cron: '30 2 * * *', time_zone: 'Europe/Berlin' }

test('made, read with its next due times, changed, paused, removed; each is an event', async () => {
  const made = await put('nightly', DAILY)
  expect([made.status, made.headers.get('location')]).toEqual([201, `${app.host.url}/api/schedules/nightly`])
  expect(made.body).toMatchObject({
    ...DAILY,
    missed: 'skip',
    is_paused: false,
    created_by: 'key',
    next_due_times: expect.any(Array),
  })
  expect(made.body.next_due_times).toHaveLength(5)
  expect((await put('nightly', { ...DAILY, is_paused: true })).status).toBe(200)
  expect((await app.get('/api/schedules/nightly')).body).toMatchObject({ is_paused: true, next_due_times: [] })
  await put('weekly', { ...DAILY, cron: '0 3 * * 1' })
  const first = await app.get('/api/schedules?limit=1')
  expect(first.body.schedules.map((s: { schedule_id: string }) => s.schedule_id)).toEqual(['nightly'])
  const second = await app.get(`/api/schedules?limit=1&next=${first.body.next}`)
  expect([second.body.schedules[0].schedule_id, second.body.next]).toEqual(['weekly', undefined])
  expect((await app.send('DELETE', '/api/schedules/weekly')).body).toEqual({ deleted: 'weekly' })
  expect(await app.send('DELETE', '/api/schedules/weekly')).toMatchObject({ status: 404, body: { code: 'SCHEDULE_NOT_FOUND' } })
  const events = await app.database.pool.query<{ event: string }>(
    `SELECT event FROM app.job_events WHERE event LIKE 'schedule.%' ORDER BY event_id`,
  )
  expect(events.map((e) => e.event)).toEqual(['schedule.put', 'schedule.put', 'schedule.put', 'schedule.deleted'])
})

test.each([
  [{ job_type: 'no_such' }, 404, undefined],
  [{ parameters: { n: -1 } }, 400, 'parameters.n'],
  [{ parameters: { m: 1 } }, 400, 'parameters.m'],
  [{ cron: '0 0 31 2 *' }, 400, 'cron'],
  [{ cron: '* * * * * *' }, 400, 'cron'],
  [{ time_zone: 'Nowhere' }, 400, 'time_zone'],
  [{ missed: 'all' }, 400, 'missed'],
  [{ parameters: { name: 'a\u0000' } }, 400, undefined],
])('%j is refused at once', async (change, status, path) => {
  const answer = await put('bad', { ...DAILY, ...change })
  expect([answer.status, answer.body.issues?.[0]?.path]).toEqual([status, path ?? answer.body.issues?.[0]?.path])
  expect((await app.get('/api/schedules/bad')).status).toBe(404)
})

test('a due time comes: the timer submits the job, and its run is told', async () => {
  await put('soon', { ...DAILY, cron: '* * * * *' })
  await app.database.pool.query(`UPDATE app.schedules SET next_due_at = date_trunc('minute', now()) WHERE schedule_id = 'soon'`)
  await fetch(`${app.host.url}/admin/functions/reconcileJobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
  const run = await until('the run is told', async () => {
    const { body } = await app.get('/api/schedules/soon/runs')
    return body.runs.find((r: { status: string }) => r.status === 'submitted') as { job_id: string; attempt: number } | undefined
  })
  const job = await app.waitForJob(run.job_id)
  expect([job.status, run.attempt]).toEqual(['completed', 1])
  const [row] = await app.database.pool.query(
    `SELECT submitted_by, metadata ->> 'schedule_id' AS schedule FROM app.jobs WHERE job_id = $1`,
    [run.job_id],
  )
  expect(row).toEqual({ submitted_by: 'schedule:soon', schedule: 'soon' })
})
