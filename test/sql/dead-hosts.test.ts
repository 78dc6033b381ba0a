// What a process had claimed when it died is claimable before its leases end, and nobody else loses anything.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Pool } from '../../src/db/pool.ts'
import { only } from '../../src/db/sql-function.ts'
import { claimTasks, completeTasks, hostAlive, releaseDead } from '../../src/db/task-functions.ts'
import { createDatabase, openStage, type TestDatabase } from '../support/db.ts'

let database: TestDatabase
let db: Pool
beforeAll(async () => {
  database = await createDatabase()
  db = database.pool
})
afterAll(() => database.drop())

const [DEAD, ALIVE, ASKING] = ['d'.repeat(16), 'a'.repeat(16), 'b'.repeat(16)]
const workerOf = (host: string, n: number): string => `${host}${String(n).padStart(16, '0')}`
const HOUR = 3_600_000
const ask = async (silent: number, followed: number, name = 'elsewhere'): Promise<number> =>
  only(await releaseDead(db, { host_id: ASKING, name, silent, followed })).release_dead

test('leases of the silent process end, those of one that lives do not; the dead worker is fenced', async () => {
  const key = await openStage(db, { tasks: 12 })
  for (const host of [DEAD, ALIVE]) await hostAlive(db, { host_id: host, name: host })
  const claim = (host: string, limit: number) => claimTasks(db, { ...key, limit, worker: workerOf(host, 1), lease: HOUR })
  const dead = await claim(DEAD, 4)
  await claim(ALIVE, 4)
  await completeTasks(db, { ...key, worker: workerOf(DEAD, 1), results: [{ task_no: 1, status: 'completed' }] })
  await db.query(`UPDATE app.hosts SET seen_at = now() - interval '20 seconds' WHERE host_id = $1`, [DEAD])

  expect(await ask(30_000, 6000)).toBe(0)
  expect(await ask(10_000, 6000)).toBe(3)
  expect(await ask(10_000, 6000)).toBe(0)
  await claimTasks(db, { ...key, limit: 4, worker: workerOf(ASKING, 1), lease: HOUR })
  const again = await claimTasks(db, { ...key, limit: 4, worker: workerOf(ASKING, 2), lease: HOUR })
  expect(again.map((t) => [t.task_no, t.claims])).toEqual([2, 3, 4].map((no) => [no, 2]))
  const late = await completeTasks(db, {
    ...key,
    worker: workerOf(DEAD, 1),
    results: dead.map(({ task_no }) => ({ task_no, status: 'completed' as const })),
  })
  expect(late.map((o) => o.outcome)).toEqual(['already_applied', 'superseded', 'superseded', 'superseded'])
  expect(await db.query(`SELECT data FROM app.job_events WHERE event = 'hosts.released'`)).toEqual([
    { data: { hosts: [DEAD], leases: 3 } },
  ])
})

test('a process that was started in the same place waits less', async () => {
  const key = await openStage(db, { tasks: 2 })
  await hostAlive(db, { host_id: DEAD, name: 'here' })
  await claimTasks(db, { ...key, limit: 2, worker: workerOf(DEAD, 7), lease: HOUR })
  await db.query(`UPDATE app.hosts SET seen_at = now() - interval '7 seconds' WHERE host_id = $1`, [DEAD])
  expect(await ask(30_000, 6000, 'there')).toBe(0)
  expect(await ask(30_000, 6000, 'here')).toBe(2)
})

test('rows that somebody holds are left to the end of their leases: nobody waits for a lock', async () => {
  await db.query('DELETE FROM app.hosts')
  const key = await openStage(db, { tasks: 3 })
  await hostAlive(db, { host_id: DEAD, name: 'here' })
  await claimTasks(db, { ...key, limit: 3, worker: workerOf(DEAD, 8), lease: HOUR })
  const client = await db.pg.connect()
  await client.query('BEGIN')
  await client.query(
    `SELECT FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1 AND task_no = 2 FOR UPDATE OF t`,
    [key.job_id],
  )
  expect(await ask(0, 0)).toBe(2)
  await client.query('ROLLBACK')
  client.release()
})
