// Two sessions in the orders that once broke an invariant: the second one waits for the first, and sees what it did.
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as jobs from '../../src/db/job-functions.ts'
import type { Pool } from '../../src/db/pool.ts'
import { only } from '../../src/db/sql-function.ts'
import { completeTasks, extendLeases } from '../../src/db/task-functions.ts'
import { claim, createDatabase, openStage, type TestDatabase } from '../support/db.ts'

let database: TestDatabase
let db: Pool
beforeAll(async () => {
  database = await createDatabase({ max: 10 })
  db = database.pool
})
afterAll(() => database.drop())

const order = (job_id: string) => ({ job_id, reason: 'test', actor: 'test' })

/** A session of its own, its transaction begun. */
async function session(): Promise<{ client: pg.Client; pool: Pool }> {
  const client = new pg.Client(database.url)
  await client.connect()
  await client.query('BEGIN')
  return {
    client,
    pool: { query: async (text: string, values?: unknown[]) => (await client.query(text, values)).rows } as unknown as Pool,
  }
}

/** True when Postgres says that the session waits for a lock; false when its call answered without. */
async function waits(client: pg.Client, call: Promise<unknown>): Promise<boolean> {
  let answered = false
  const settled = call.then(
    () => (answered = true),
    () => (answered = true),
  )
  for (;;) {
    const [row] = await db.query<{ waiting: boolean }>(
      `SELECT coalesce(bool_or(wait_event_type = 'Lock'), false) AS waiting FROM pg_stat_activity WHERE pid = $1`,
      [(client as unknown as { processID: number }).processID],
    )
    if (row?.waiting) return true
    if (answered) return false
    await Promise.race([settled, db.query('SELECT 1')])
  }
}

test('close_stage × retry_job on a cancelled job: no stage is closed over tasks that were queued again', async () => {
  const key = await openStage(db, { tasks: 2 })
  const { worker } = await claim(db, key, 2)
  await completeTasks(db, {
    ...key,
    worker,
    results: [
      { task_no: 1, status: 'completed', result: {} },
      { task_no: 2, status: 'failed', error_code: 'X', error_details: 'x', retryable: false },
    ],
  })
  await jobs.cancelJob(db, order(key.job_id))
  const [a, b] = [await session(), await session()]
  await jobs.retryJob(a.pool, { ...order(key.job_id), error_code: null, key_like: null })
  const closing = jobs.closeStage(b.pool, key)
  expect(await waits(b.client, closing)).toBe(true)
  await a.client.query('COMMIT')
  expect(only(await closing)).toMatchObject({ state: 'superseded', closed_now: false })
  await b.client.query('COMMIT')
  const rows = await db.query(
    `SELECT s.status, count(*) FILTER (WHERE t.finished_at IS NULL)::int AS open FROM app.stages s JOIN app.tasks t USING (stage_id)
     WHERE s.job_id = $1 AND s.retired_at IS NULL GROUP BY 1`,
    [key.job_id],
  )
  expect(rows).toEqual([{ status: 'open', open: 1 }])
  await Promise.all([a.client.end(), b.client.end()])
})

test('extend_leases × pause_job: no lease lives on in a paused job', async () => {
  const key = await openStage(db, { tasks: 1 })
  const { worker } = await claim(db, key, 1)
  const [a, b] = [await session(), await session()]
  await jobs.pauseJob(a.pool, order(key.job_id))
  const renewal = extendLeases(b.pool, { ...key, worker, task_nos: [1], lease: 60_000, renew: true, progress: null })
  expect(await waits(b.client, renewal)).toBe(true)
  await a.client.query('COMMIT')
  expect(only(await renewal)).toMatchObject({ job_status: 'paused' })
  await b.client.query('COMMIT')
  expect(
    await db.query(`SELECT 1 FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1 AND t.lease_until > now()`, [
      key.job_id,
    ]),
  ).toEqual([])
  await Promise.all([a.client.end(), b.client.end()])
})

test('record_stage_summary × rerun_job: both take the job row first, so neither is a deadlock victim', async () => {
  const key = await openStage(db, { tasks: 1 })
  const { worker } = await claim(db, key, 1)
  await completeTasks(db, { ...key, worker, results: [{ task_no: 1, status: 'completed', result: {} }] })
  await jobs.closeStage(db, key)
  await jobs.cancelJob(db, order(key.job_id))
  const [a, b] = [await session(), await session()]
  await a.client.query('SELECT 1 FROM app.jobs WHERE job_id = $1 FOR UPDATE', [key.job_id])
  const recording = jobs.recordStageSummary(b.pool, { ...key, summary: { n: 1 } })
  expect(await waits(b.client, recording)).toBe(true)
  // The stage row is free while the other one waits for the job.
  await jobs.rerunJob(a.pool, { ...order(key.job_id), total_stages: 1 })
  await a.client.query('COMMIT')
  expect(only(await recording)).toEqual({ record_stage_summary: false })
  await b.client.query('COMMIT')
  await Promise.all([a.client.end(), b.client.end()])
})
