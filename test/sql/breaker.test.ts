// Circuit breakers shared through Postgres: one probe in the whole system, whoever asks.
import { beforeAll, afterAll, beforeEach, expect, test } from 'vitest'
import { openPool, type Pool } from '../../src/db/pool.ts'
import { only } from '../../src/db/sql-function.ts'
import { breakerGate, breakerReport } from '../../src/db/breaker-functions.ts'
import { createDatabase, type TestDatabase } from '../support/db.ts'

let database: TestDatabase
let db: Pool
beforeAll(async () => {
  database = await createDatabase()
  db = database.pool
})
afterAll(() => database.drop())
beforeEach(async () => void (await db.query('DELETE FROM app.circuit_breakers')))

const gate = async (take: boolean, { pool = db, cooldown = 0, probe = 60_000 } = {}) =>
  only(await breakerGate(pool, { names: ['storage'], cooldown, probe, take }))
const report = (ok: boolean) => breakerReport(db, { name: 'storage', ok, actor: 'test' })

test('no row is closed; open waits; after the wait it is ready, and a probe when it is taken', async () => {
  expect(await gate(true)).toEqual({ state: 'closed', wait_ms: 0 })
  await report(false)
  const open = await gate(true, { cooldown: 60_000 })
  expect(open.state).toBe('open')
  expect(open.wait_ms).toBeGreaterThan(50_000)
  expect(await gate(false)).toEqual({ state: 'ready', wait_ms: 0 })
  expect(await gate(true)).toEqual({ state: 'probe', wait_ms: 0 })
  expect((await gate(true)).state).toBe('open')
})

test('50 callers over five pools at half-open: one probe', async () => {
  await report(false)
  const pools = Array.from({ length: 5 }, () => openPool({ connectionString: database.url, max: 10 }))
  const states = await Promise.all(
    Array.from({ length: 50 }, async (_, i) => (await gate(true, { pool: pools[i % 5] ?? db })).state),
  )
  expect(states.filter((s) => s === 'probe')).toHaveLength(1)
  expect(states.filter((s) => s === 'open')).toHaveLength(49)
  await Promise.all(pools.map((p) => p.end()))
})

test('a probe that fails opens it again, one that succeeds closes it; each change is one event', async () => {
  await report(false)
  await gate(true)
  await report(false)
  expect((await gate(true, { cooldown: 60_000 })).state).toBe('open')
  await gate(true)
  await report(true)
  await report(true)
  expect(await gate(true)).toEqual({ state: 'closed', wait_ms: 0 })
  const events = await db.query<{ event: string }>(
    `SELECT event FROM app.job_events WHERE event LIKE 'breaker.%' ORDER BY event_id DESC LIMIT 2`,
  )
  expect(events.map((e) => e.event)).toEqual(['breaker.closed', 'breaker.opened'])
})

test('a probe whose worker died: another one gets it when its lease is over', async () => {
  await report(false)
  expect((await gate(true, { probe: 0 })).state).toBe('probe')
  expect((await gate(true)).state).toBe('probe')
})

test('twenty first reports at once: one row, no error', async () => {
  await Promise.all(Array.from({ length: 20 }, () => report(false)))
  expect(await db.query('SELECT state, failures FROM app.circuit_breakers')).toEqual([{ state: 'open', failures: 20 }])
})
