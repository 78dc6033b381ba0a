// Whoever is to be told of the end of a job is written down in its transaction, and told until they take it.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { cancelJob, checkJobCompletion, purgeJob, rerunJob } from '../../src/db/job-functions.ts'
import { openPool, type Pool } from '../../src/db/pool.ts'
import {
  deleteWebhook,
  endDelivery,
  listDeliveries,
  putWebhook,
  retryDelivery,
  takeDeliveries,
} from '../../src/db/webhook-functions.ts'
import type { Deps } from '../../src/engine/deps.ts'
import { deliverWebhooks, MOST_TRIES } from '../../src/engine/webhooks.ts'
import type { WebhookAnswer, WebhookMessage } from '../../src/models/webhook-message.ts'
import { createDatabase, openStage, type TestDatabase } from '../support/db.ts'

let database: TestDatabase
let pools: Pool[]
beforeAll(async () => {
  database = await createDatabase()
  pools = [1, 2, 3].map(() => openPool({ connectionString: database.appUrl, max: 3 }))
})
afterAll(async () => {
  await Promise.all(pools.map((p) => p.end()))
  await database.drop()
})
beforeEach(() => database.pool.query('TRUNCATE app.webhooks, app.webhook_deliveries, app.jobs CASCADE'))

const make = (webhook_id: string, more: object = {}) =>
  putWebhook(database.pool, {
    webhook_id,
    url: 'https://hooks.example/',
    secret_name: 's',
    job_type: null,
    statuses: ['completed', 'failed', 'cancelled'],
    is_paused: false,
    actor: 'test',
    ...more,
  })
const fail = async (): Promise<string> => {
  const { job_id } = await openStage(database.pool, { tasks: 1 })
  await checkJobCompletion(database.pool, { job_id, attempt: 1, result: null, error_code: 'X', error_details: 'x' })
  return job_id
}
const list = async (webhook_id: string) => listDeliveries(database.pool, { webhook_id, limit: 100 })

let sent: WebhookMessage[] = []
const host = (db: Pool, answer: Partial<WebhookAnswer>): Deps =>
  ({
    db,
    random: () => 1,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    webhooks: {
      send: (message: WebhookMessage) => {
        sent.push(message)
        return Promise.resolve({ status: 200, error: null, isGone: false, retryAfterMs: undefined, ...answer })
      },
    },
  }) as unknown as Deps
const pass = async (answer: Partial<WebhookAnswer> = {}): Promise<number> => {
  sent = []
  return (await Promise.all(pools.map((db) => deliverWebhooks(host(db, answer))))).reduce((a, b) => a + b, 0)
}
const due = () => database.pool.query(`UPDATE app.webhook_deliveries SET next_try_at = now()`)

test('each end of each attempt is told once to each webhook that wants it, by one of three instances', async () => {
  await make('all')
  await make('failures', { statuses: ['failed'] })
  await make('others', { job_type: 'other_job' })
  const job_id = await fail()
  expect(
    await checkJobCompletion(database.pool, { job_id, attempt: 1, result: null, error_code: 'X', error_details: 'x' }),
  ).toEqual([{ status: 'failed', finished_now: false }])
  await rerunJob(database.pool, { job_id, total_stages: 1, reason: 'r', actor: 'a' })
  await cancelJob(database.pool, { job_id, reason: 'r', actor: 'a' })
  expect(new Set((await list('all')).map((d) => `${d.attempt} ${d.status}`))).toEqual(new Set(['1 pending', '2 pending']))
  expect([(await list('failures')).length, (await list('others')).length]).toEqual([1, 0])
  expect(await pass()).toBe(3)
  expect(sent.map((m) => m.id).toSorted()).toEqual([
    `all.${job_id.slice(0, 16)}.1`,
    `all.${job_id.slice(0, 16)}.2`,
    `failures.${job_id.slice(0, 16)}.1`,
  ])
  const bodies = sent.map((m) => JSON.parse(m.body) as { type: string; data: object })
  expect(bodies.find((b) => b.type === 'job.cancelled')?.data).toMatchObject({
    job_id,
    status: 'cancelled',
    attempt: 2,
    job_type: 'test_job',
  })
  expect(bodies.find((b) => b.type === 'job.failed')?.data).toMatchObject({ error_code: 'X', attempt: 1 })
  expect(await pass()).toBe(0)
  expect((await list('all')).every((d) => d.status === 'delivered' && d.answered === 200)).toBe(true)
})

test('a receiver that is down is tried again later and later, then given up; an operator has it sent again', async () => {
  await make('down')
  const job_id = await fail()
  const waits: number[] = []
  for (let n = 1; n <= MOST_TRIES; n++) {
    expect(await pass({ status: 503, error: 'It answered 503.' })).toBe(1)
    const [row] = await database.pool.query<{ wait: number }>(
      `SELECT extract(epoch FROM next_try_at - now())::float8 AS wait FROM app.webhook_deliveries`,
    )
    waits.push(row?.wait ?? 0)
    await due()
  }
  expect(waits.slice(0, 4).map((w) => Math.round(w / 30))).toEqual([1, 2, 4, 8])
  expect(await list('down')).toMatchObject([{ status: 'dead', tries: MOST_TRIES, answered: 503, error: 'It answered 503.' }])
  expect(await pass()).toBe(0)
  const key = { webhook_id: 'down', job_id, attempt: 1 }
  expect(await retryDelivery(database.pool, { ...key, actor: 'ada' })).toEqual([{ retry_delivery: true }])
  expect(await retryDelivery(database.pool, { ...key, actor: 'ada' })).toEqual([{ retry_delivery: false }])
  expect(await pass()).toBe(1)
  expect(await list('down')).toMatchObject([{ status: 'delivered', tries: 1, error: null }])
})

test('410 is given up at once; what the receiver asks for is waited for', async () => {
  await make('gone')
  await fail()
  await pass({ status: 410, error: 'It answered 410.', isGone: true })
  expect(await list('gone')).toMatchObject([{ status: 'dead', tries: 1 }])
  await make('busy')
  await fail()
  await pass({ status: 429, error: 'It answered 429.', retryAfterMs: 900_000 })
  const [busy] = await list('busy')
  expect(busy && busy.next_try_at.getTime() - Date.now()).toBeGreaterThan(800_000)
})

test('whoever took a message dies: it is handed out again after the lease, and what the dead one brings late counts no more', async () => {
  await make('lease')
  await fail()
  const [taken] = await takeDeliveries(database.pool, { limit: 10, lease: 60_000 })
  expect(await takeDeliveries(database.pool, { limit: 10, lease: 60_000 })).toEqual([])
  await due()
  expect(await takeDeliveries(database.pool, { limit: 10, lease: 60_000 })).toMatchObject([{ tries: 2 }])
  const { webhook_id, job_id, attempt, tries } = taken as NonNullable<typeof taken>
  const late = { webhook_id, job_id, attempt, tries, answered: 200, error: null, retry_in: null }
  expect(await endDelivery(database.pool, late)).toEqual([{ end_delivery: false }])
})

test('a paused webhook keeps its messages; a deleted one and a purged job take theirs along', async () => {
  await make('paused', { is_paused: true })
  await make('here')
  const job_id = await fail()
  expect(await pass()).toBe(1)
  await make('paused')
  expect(await pass()).toBe(1)
  await deleteWebhook(database.pool, { webhook_id: 'paused', actor: 'test' })
  expect(await purgeJob(database.pool, { job_id })).toEqual([{ purge_job: 'gone' }])
  expect(await database.pool.query('SELECT FROM app.webhook_deliveries')).toEqual([])
})
