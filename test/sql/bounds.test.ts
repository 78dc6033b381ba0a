// What a reader may cost: the time of a statement, and the size of a page.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Pool, readingWithin } from '../../src/db/pool.ts'
import { listJobs } from '../../src/db/list-jobs.ts'
import { findJob } from '../../src/db/reading.ts'
import { listFailedTasks } from '../../src/db/reading-failures.ts'
import { findTask, listTasks } from '../../src/db/reading-tasks.ts'
import { PAGE_BYTES, pageOf } from '../../src/http/pages.ts'
import { createDatabase, type TestDatabase } from '../support/db.ts'

let database: TestDatabase
let db: Pool
beforeAll(async () => {
  database = await createDatabase({ max: 2 })
  db = database.pool
})
afterAll(() => database.drop())

test('a read that takes longer than it may ends by name, and neither its time nor its transaction stays on a connection', async () => {
  const slow = readingWithin(db, 50)
  const endless = 'SELECT count(*) FROM generate_series(1, 1000000000) a, generate_series(1, 1000) b'
  for (let i = 0; i < 5; i++) await expect(slow.query(endless)).rejects.toMatchObject({ code: 'QUERY_TOO_SLOW', status: 422 })
  expect(await slow.query('SELECT $1::int AS n', [1])).toEqual([{ n: 1 }])
  expect(
    await db.query(`SELECT current_setting('statement_timeout') AS t, current_setting('transaction_read_only') AS ro`),
  ).toEqual([{ t: '0', ro: 'off' }])
  await expect(slow.query(`SELECT app.add_event(NULL, 'admin.test', '{}')`)).rejects.toMatchObject({ code: 'DATABASE_ERROR' })
})

test.each([
  [1, 100, 100],
  [50_000, 100, 19],
  [PAGE_BYTES * 2, 100, 1],
  [PAGE_BYTES * 2, 1, 1],
  [10, 3, 3],
])('rows of %i bytes, limit %i: pages of %i, every row once', (bytes, limit, first) => {
  const all = Array.from({ length: bytes > 100_000 ? 7 : 120 }, (_, n) => ({ n, text: 'x'.repeat(bytes) }))
  const seen: number[] = []
  for (let from = 0, pages = 0; ; pages++) {
    const { page, more } = pageOf(all.slice(from, from + limit + 1), limit, {}, (last) => last.n)
    if (pages === 0) expect(page).toHaveLength(first)
    seen.push(...page.map((row) => row.n))
    from += page.length
    if (more.next === undefined) break
  }
  expect(seen).toEqual(all.map((row) => row.n))
})

test('a list carries small values and names what it leaves out; the row itself is whole', async () => {
  const [small, large] = [{ n: 1 }, { text: 'ž'.repeat(8000) }]
  for (const [id, parameters] of [
    ['a'.repeat(64), small],
    ['b'.repeat(64), large],
  ] as const)
    await db.query(`SELECT app.submit_job($1, 'lists', 1, $2, '{}', 'fail', NULL, NULL, NULL, false)`, [id, parameters])
  const {
    rows: [b, a],
  } = await listJobs(db, { type: 'lists', limit: 10 })
  expect([a?.parameters, a?.cut, b?.parameters, b?.cut]).toEqual([small, null, null, ['parameters']])
  expect((await findJob(db, 'b'.repeat(64)))?.parameters).toEqual(large)

  await db.query(
    `INSERT INTO app.stages (job_id, stage_no, name, expected, plan_cursor, claim_cursor) VALUES ($1, 1, 'one', 1, 1, 1)`,
    ['b'.repeat(64)],
  )
  await db.query(
    `INSERT INTO app.tasks (stage_id, task_no, task_key, parameters, result_data, error_code, error_details, status, finished_at)
     SELECT stage_id, 1, 'k', $2, $3, 'X', $4, 'failed', now() FROM app.stages WHERE job_id = $1`,
    ['b'.repeat(64), small, large, 'e'.repeat(5000)],
  )
  const cut = {
    parameters: small,
    result_data: null,
    error_details: `${'e'.repeat(299)}…`,
    cut: ['result_data', 'error_details'],
  }
  expect((await listTasks(db, 'b'.repeat(64), { limit: 10 }))[0]).toMatchObject(cut)
  const ever = { since: '1970-01-01T00:00:00Z', limit: 10 }
  expect((await listFailedTasks(db, ever))[0]).toMatchObject(cut)
  expect((await listFailedTasks(db, { ...ever, whole: true }))[0]).toMatchObject({
    result_data: large,
    error_details: 'e'.repeat(5000),
  })
  expect((await findTask(db, 'b'.repeat(64), 1, 'k'))?.result_data).toEqual(large)
})
