// Postgres that is not there at the start, goes away in mid-job, or whose disk is full: told at once, and work goes on by itself.
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '../../local/free-port.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createDatabase, type TestDatabase } from '../support/db.ts'
import { startTransactionPooler, type TransactionPooler } from '../support/transaction-pooler.ts'
import { until } from 'functions-host/testing'

let database: TestDatabase
let app: TestApp
let pooler: TransactionPooler | undefined
let port: number
/** The way to Postgres: a proxy on one port that comes and goes. */
const up = async (): Promise<void> => void (pooler = await startTransactionPooler(database.appUrl, 12, port))
const down = async (): Promise<void> => {
  await pooler?.close()
  pooler = undefined
}
beforeAll(async () => {
  database = await createDatabase()
  port = await freePort()
  const url = new URL(database.appUrl)
  url.port = String(port)
  app = await startApp({ databaseUrl: url.href })
})
afterAll(async () => {
  await app.stop()
  await down()
  await database.drop()
})

test('not there at the start: alive, not ready, 503 with Retry-After; when it comes, work begins without a restart', async () => {
  expect((await app.get('/api/health/live')).status).toBe(200)
  const ready = await app.get('/api/health/ready')
  expect([ready.status, ready.body.checks.find((c: { name: string }) => c.name === 'postgres').status]).toEqual([503, 'failed'])
  for (const answer of [await app.get('/api/jobs'), await app.send('POST', '/api/jobs/submit/hello_world', {})]) {
    expect([answer.status, answer.body.code]).toEqual([503, 'DATABASE_UNAVAILABLE'])
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
  }
  await up()
  const { job_id } = await app.submit('hello_world', { n: 20, name: randomUUID() })
  expect(await app.waitForJob(job_id)).toMatchObject({ status: 'completed' })
  expect((await app.get('/api/health/ready')).status).toBe(200)
})

test('gone in mid-job for a while: every task has its effect once', async () => {
  const n = 10_000
  const { job_id } = await app.submit('hello_world', { n, name: randomUUID() })
  const begun = `SELECT 1 FROM app.stages WHERE job_id = $1 AND claim_cursor > 200`
  await until('tasks were handed out', async () => (await database.pool.query(begun, [job_id]))[0])
  await down()
  for (let told = 0; told < 5; told++) expect((await app.get('/api/jobs')).status).toBe(503)
  await up()
  expect(await app.waitForJob(job_id)).toMatchObject({ status: 'completed', attempt: 1, result: { greetings: n, replies: n } })
})

test('all connections are busy: 503 with Retry-After instead of a queue without end', async () => {
  const holder = new pg.Client({ connectionString: database.url })
  await holder.connect()
  await holder.query('BEGIN; LOCK TABLE app.jobs IN ACCESS EXCLUSIVE MODE')
  // Ten connections wait for the lock; whoever comes after them waits five seconds for a connection.
  const asked = Array.from({ length: 14 }, () => app.get('/api/jobs'))
  const busy = await Promise.race(
    asked.map(async (a) => ((await a).status === 503 ? await a : new Promise<never>(() => undefined))),
  )
  expect(busy.body.code).toBe('DATABASE_BUSY')
  expect(Number(busy.headers.get('retry-after'))).toBeGreaterThan(0)
  await holder.query('ROLLBACK')
  await holder.end()
  const statuses = (await Promise.all(asked)).map((a) => a.status)
  expect(statuses.filter((s) => s === 200).length).toBeGreaterThanOrEqual(8)
  expect(new Set(statuses)).toEqual(new Set([200, 503]))
})

test('a full disk: nothing is half-written, and the job goes on when there is room again', async () => {
  // What a sequence counts is not rolled back.
  await database.pool.query('CREATE SEQUENCE app.refused; GRANT USAGE ON app.refused TO PUBLIC')
  await database.pool.query(
    `CREATE FUNCTION app.full_disk() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN PERFORM nextval('app.refused'); RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$`,
  )
  await database.pool.query(
    'CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON app.tasks FOR EACH STATEMENT EXECUTE FUNCTION app.full_disk()',
  )
  const { job_id } = await app.submit('hello_world', { n: 500, name: randomUUID() })
  const refused = 'SELECT 1 FROM app.refused WHERE is_called AND last_value >= 2'
  await until('the plan was refused twice', async () => (await database.pool.query(refused))[0])
  expect((await app.get(`/api/jobs/${job_id}`)).body).toMatchObject({ status: 'queued', stage: 0, stages: [] })
  await database.pool.query('DROP TRIGGER full_disk ON app.tasks')
  expect(await app.waitForJob(job_id)).toMatchObject({
    status: 'completed',
    attempt: 1,
    result: { greetings: 500, replies: 500 },
  })
})
