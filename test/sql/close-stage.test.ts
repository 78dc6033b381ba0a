import { randomUUID } from 'node:crypto'
import pLimit from 'p-limit'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { closeStage } from '../../src/db/job-functions.ts'
import type { Pool } from '../../src/db/pool.ts'
import { only } from '../../src/db/sql-function.ts'
import { completeTasks, type TaskOutcome } from '../../src/db/task-functions.ts'
import { claim, codeOf, createDatabase, openStage, type StageKey, type TestDatabase } from '../support/db.ts'
import { waits } from '../support/sessions.ts'

let database: TestDatabase
let db: Pool
beforeAll(async () => {
  database = await createDatabase({ max: 20 })
  db = database.pool
})
afterAll(() => database.drop())

const done = (task_no: number): TaskOutcome => ({ task_no, status: 'completed', result: { n: task_no } })
const close = async (key: StageKey) => only(await closeStage(db, key))

describe('many tasks finish at once: exactly one caller turns out the lights', () => {
  for (const n of [1, 2, 3, 4, 5, 10, 20, 30, 100, 1000, 3000]) {
    test(`n = ${n}: nobody was last`, async () => {
      const key = await openStage(db, { tasks: n })
      const { worker, tasks } = await claim(db, key, n)
      expect(tasks).toHaveLength(n)
      const connections = pLimit(20)
      const closures = await connections.map(tasks, async (t) => {
        const [answer] = await completeTasks(db, { ...key, worker, results: [done(t.task_no)] })
        expect(answer?.outcome).toBe('applied')
        return close(key)
      })
      expect(closures.filter((c) => c.closed_now)).toHaveLength(1)
      expect(await close(key)).toMatchObject({
        state: 'closed',
        closed_now: false,
        outcome: 'completed',
        expected: n,
        completed: n,
        failed: 0,
      })
    })
  }
})

describe('n = 2: every interleaving of two callers, stepped by hand', () => {
  const orders: string[][] = []
  const merge = (a: string[], b: string[], so: string[]): void => {
    if (a.length + b.length === 0) orders.push(so)
    if (a[0]) merge(a.slice(1), b, [...so, a[0]])
    if (b[0]) merge(a, b.slice(1), [...so, b[0]])
  }
  // Each caller: complete in an open transaction, commit, close in an open transaction, commit.
  merge(['a:complete', 'a:commit', 'a:close', 'a:commit-close'], ['b:complete', 'b:commit', 'b:close', 'b:commit-close'], [])

  test(`${orders.length} orders: one closed_now, same recorded closure`, async () => {
    const clients = { a: new pg.Client(database.url), b: new pg.Client(database.url) }
    await Promise.all([clients.a.connect(), clients.b.connect()])
    for (const order of orders) {
      const key = await openStage(db, { tasks: 2 })
      const { worker } = await claim(db, key, 2)
      const closures: Record<string, Promise<{ closed_now: boolean; state: string }>> = {}
      for (const step of order) {
        const [who, what] = step.split(':') as ['a' | 'b', string]
        const client = clients[who]
        if (what === 'complete') {
          await client.query('BEGIN')
          await client.query('SELECT * FROM app.complete_tasks($1, 1, 1, $2, $3)', [
            key.job_id,
            worker,
            JSON.stringify([done(who === 'a' ? 1 : 2)]),
          ])
        } else if (what === 'close') {
          await client.query('BEGIN')
          // Not awaited: it may wait for the other caller's advisory lock until that one commits.
          closures[who] = client.query('SELECT * FROM app.close_stage($1, 1, 1)', [key.job_id]).then((r) => r.rows[0])
          await waits(db, client, closures[who])
        } else {
          const ended = client.query('COMMIT')
          // The other caller may hold the lock that this one's close waits for; then its own commit follows in the order.
          await waits(db, client, ended)
        }
      }
      const answers = await Promise.all(Object.values(closures))
      expect(
        answers.filter((c) => c.closed_now),
        order.join(' '),
      ).toHaveLength(1)
      expect((await close(key)).state, order.join(' ')).toBe('closed')
      await Promise.all([clients.a.query('SELECT 1'), clients.b.query('SELECT 1')])
    }
    await Promise.all([clients.a.end(), clients.b.end()])
  })
})

test('the answer is lost after the commit: asked again, the same recorded closure', async () => {
  const key = await openStage(db, { tasks: 1 })
  const { worker } = await claim(db, key, 1)
  const caller = new pg.Client(database.url)
  await caller.connect()
  await caller.query('SELECT * FROM app.complete_tasks($1, 1, 1, $2, $3)', [key.job_id, worker, JSON.stringify([done(1)])])
  await caller.query('SELECT * FROM app.close_stage($1, 1, 1)', [key.job_id])
  await caller.end()
  const [again] = await completeTasks(db, { ...key, worker, results: [done(1)] })
  expect(again?.outcome).toBe('already_applied')
  expect(await close(key)).toMatchObject({ state: 'closed', closed_now: false, outcome: 'completed', completed: 1 })
})

test('a stage that is not sealed never closes', async () => {
  const key = await openStage(db, { tasks: 0, seal: false })
  expect(await close(key)).toMatchObject({ state: 'planning', closed_now: false })
})

test('two stages in one transaction are refused by name instead of a deadlock', async () => {
  const [a, b] = [await openStage(db, { tasks: 1 }), await openStage(db, { tasks: 1 })]
  const client = new pg.Client(database.url)
  await client.connect()
  await client.query('BEGIN')
  await client.query('SELECT app.close_stage($1, 1, 1)', [a.job_id])
  await expect(client.query('SELECT app.close_stage($1, 1, 1)', [b.job_id])).rejects.toMatchObject({ code: 'LL011' })
  await client.end()
})

test('deciding "last" inside the transaction that holds the own result is refused by name', async () => {
  const key = await openStage(db, { tasks: 1 })
  const { worker } = await claim(db, key, 1)
  const client = new pg.Client(database.url)
  await client.connect()
  await client.query('BEGIN')
  await client.query('SELECT * FROM app.complete_tasks($1, 1, 1, $2, $3)', [key.job_id, worker, JSON.stringify([done(1)])])
  await expect(client.query('SELECT app.close_stage($1, 1, 1)', [key.job_id])).rejects.toMatchObject({ code: 'LL012' })
  await client.end()
})

for (const level of ['REPEATABLE READ', 'SERIALIZABLE']) {
  test(`${level}: refused by name, because each caller would see the other's task as open`, async () => {
    const key = await openStage(db, { tasks: 1 })
    const client = new pg.Client(database.url)
    await client.connect()
    for (const call of [
      `app.close_stage('${key.job_id}', 1, 1)`,
      `app.complete_tasks('${key.job_id}', 1, 1, '${randomUUID()}', '[]')`,
    ]) {
      await client.query(`BEGIN ISOLATION LEVEL ${level}`)
      await expect(client.query(`SELECT ${call}`)).rejects.toMatchObject({ code: 'LL010' })
      await client.query('ROLLBACK')
    }
    await client.end()
  })
}

test('unknown job and unknown stage have their own words', async () => {
  const key = await openStage(db, { tasks: 1 })
  expect(await codeOf(closeStage(db, { ...key, stage_no: 9 }))).toBe('STAGE_NOT_FOUND')
  expect(await codeOf(closeStage(db, { ...key, job_id: 'f'.repeat(64) }))).toBe('JOB_NOT_FOUND')
  expect(await close({ ...key, attempt: 7 })).toMatchObject({ state: 'superseded' })
})

describe('skipped and failed tasks do not count as open for ever', () => {
  const cases: [string, TaskOutcome['status'][], 'fail' | 'continue', string][] = [
    ['all completed', ['completed', 'completed'], 'fail', 'completed'],
    ['one skipped', ['completed', 'skipped'], 'fail', 'completed_with_errors'],
    ['one failed, mode fail', ['completed', 'failed'], 'fail', 'failed'],
    ['one failed, mode continue', ['completed', 'failed'], 'continue', 'completed_with_errors'],
    ['all failed, mode continue', ['failed', 'failed'], 'continue', 'failed'],
    ['all skipped', ['skipped', 'skipped'], 'fail', 'completed_with_errors'],
    ['no task', [], 'fail', 'skipped'],
  ]
  for (const [title, statuses, onTaskFailure, outcome] of cases) {
    test(`${title} → ${outcome}`, async () => {
      const key = await openStage(db, { tasks: statuses.length, onTaskFailure })
      const { worker } = await claim(db, key, 10)
      const results = statuses.map((status, i) => ({ task_no: i + 1, status, error_code: 'X', error_details: 'because' }))
      await completeTasks(db, { ...key, worker, results })
      const count = (s: string): number => statuses.filter((x) => x === s).length
      expect(await close(key)).toMatchObject({
        state: 'closed',
        outcome,
        completed: count('completed'),
        failed: count('failed'),
        skipped: count('skipped'),
      })
    })
  }
})

test('an open stage answers with a bound of what is open and the next ready time', async () => {
  const key = await openStage(db, { tasks: 3 })
  const { worker } = await claim(db, key, 3)
  await completeTasks(db, {
    ...key,
    worker,
    results: [{ task_no: 1, status: 'failed', retryable: true, retry_in_ms: 30_000, error_code: 'X' }, done(2)],
  })
  const closure = await close(key)
  expect(closure).toMatchObject({ state: 'open', open_at_least: 2 })
  const [row] = await db.query<{ at: Date }>(
    'SELECT min(not_before) AS at FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1',
    [key.job_id],
  )
  expect(closure.next_ready_at).toEqual(row?.at)
})

test('the procedure commits between completing and asking, so one call does both', async () => {
  const key = await openStage(db, { tasks: 1 })
  const { worker } = await claim(db, key, 1)
  const call = 'CALL app.complete_task_and_check_stage($1, 1, 1, $2, $3)'
  const first = await db.query<{ p_outcome: string; p_closure: { closed_now: boolean; state: string } }>(call, [
    key.job_id,
    worker,
    JSON.stringify(done(1)),
  ])
  expect(first[0]).toMatchObject({ p_outcome: 'applied', p_closure: { closed_now: true, state: 'closed' } })
  const second = await db.query<{ p_outcome: string; p_closure: object }>(call, [key.job_id, worker, JSON.stringify(done(1))])
  expect(second[0]).toMatchObject({ p_outcome: 'already_applied', p_closure: { closed_now: false, state: 'closed' } })
})

test('closing takes the advisory lock of its stage: while another session holds it, nobody closes', async () => {
  const key = await openStage(db, { tasks: 0 })
  const [stage] = await db.query<{ stage_id: number }>('SELECT stage_id FROM app.stages WHERE job_id = $1', [key.job_id])
  const [holder, closer] = [new pg.Client(database.url), new pg.Client(database.url)]
  await Promise.all([holder.connect(), closer.connect()])
  await holder.query('SELECT pg_advisory_lock(4711, $1)', [stage?.stage_id])
  const closing = closer.query<{ closed_now: boolean }>('SELECT * FROM app.close_stage($1, 1, 1)', [key.job_id])
  await waits(db, closer, closing)
  expect(await db.query('SELECT status FROM app.stages WHERE job_id = $1', [key.job_id])).toEqual([{ status: 'open' }])
  await holder.query('SELECT pg_advisory_unlock(4711, $1)', [stage?.stage_id])
  expect((await closing).rows[0]?.closed_now).toBe(true)
  await Promise.all([holder.end(), closer.end()])
})
