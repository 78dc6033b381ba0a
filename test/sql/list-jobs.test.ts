// A text is looked for in a bounded number of jobs at a time: every page ends soon, and together they are what a plain filter finds.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findJobs, type JobFilter, type JobPosition, listJobs, LOOKED_THROUGH } from '../../src/db/list-jobs.ts'
import { type Pool, readingWithin } from '../../src/db/pool.ts'
import { buffersOf } from '../support/buffers.ts'
import { createDatabase, type TestDatabase } from '../support/db.ts'

const JOBS = Math.round(2.25 * LOOKED_THROUGH)
let database: TestDatabase
let db: Pool
beforeAll(async () => {
  database = await createDatabase({ max: 1 })
  db = database.pool
  // Ten created at the same time, so that pages end among equals; label_0 is the oldest of all.
  await db.query(
    `INSERT INTO app.jobs (job_id, job_type, status, total_stages, parameters, created_at, started_at, finished_at, error_code, error_details)
     SELECT lpad(to_hex(i), 64, '0'), (ARRAY['one', 'two', 'two', 'two'])[1 + i % 4], s.status, 1, jsonb_build_object('label', 'label_' || i || '_'),
       '2026-01-01'::timestamptz + (i / 10) * interval '1 s', now(), now(), CASE s.status WHEN 'failed' THEN 'OWN' END, CASE s.status WHEN 'failed' THEN 'Broke at ' || i END
     FROM generate_series(0, ${JOBS - 1}) i, LATERAL (SELECT CASE WHEN i % 5000 = 7 THEN 'failed' ELSE 'completed' END AS status) s`,
  )
  await db.query('VACUUM ANALYZE app.jobs')
})
afterAll(() => database.drop())

type Filter = Omit<JobFilter, 'after' | 'limit'>

/** Every page to the end, and how many there were. */
async function walk(filter: Filter, limit: number): Promise<{ ids: string[]; calls: number }> {
  const ids: string[] = []
  let after: JobPosition | undefined
  for (let calls = 1; ; calls++) {
    const { rows, stopped } = await listJobs(readingWithin(db, 10_000), { ...filter, after, limit })
    ids.push(...rows.map((row) => row.job_id))
    const last = rows.at(-1)
    after = stopped ?? (rows.length === limit && last ? { created_at: last.created_key, job_id: last.job_id } : undefined)
    if (!after) return { ids, calls }
  }
}

const plain = async (f: Filter): Promise<string[]> =>
  (
    await db.query<{ job_id: string }>(
      `SELECT job_id FROM app.jobs WHERE ($1::text IS NULL OR job_type = $1) AND ($2::text IS NULL OR status = $2)
         AND ($3::timestamptz IS NULL OR created_at >= $3) AND strpos(lower(parameters::text || coalesce(error_details, '')), lower($4)) > 0
       ORDER BY created_at DESC, job_id DESC`,
      [f.type, f.status, f.since, f.text],
    )
  ).map((row) => row.job_id)

test('a text that only the oldest has is found by going on: three pages, the first two empty; an order on the filter finds it at once', async () => {
  const filter = { text: 'LABEL_0_' }
  const first = await listJobs(db, { ...filter, limit: 50 })
  expect(first).toMatchObject({ rows: [], stopped: { job_id: (JOBS - LOOKED_THROUGH).toString(16).padStart(64, '0') } })
  expect(await walk(filter, 50)).toEqual({ ids: ['0'.repeat(64)], calls: 3 })
  expect((await findJobs(db, { ...filter, limit: 10 })).map((row) => row.job_id)).toEqual(['0'.repeat(64)])
})

test('a text that nothing has costs a page no more, however many jobs there are behind it', async () => {
  const touched = (after?: JobPosition): Promise<number> =>
    buffersOf(db, async () => void (await listJobs(readingWithin(db, 10_000), { text: 'nothing has this', after, limit: 50 })))
  const { stopped } = await listJobs(readingWithin(db, 10_000), { text: 'nothing has this', limit: 50 })
  const [of45, of25] = [await touched(), await touched(stopped)]
  expect(of45 / of25).toBeGreaterThan(0.8)
  expect(of45 / of25).toBeLessThan(1.25)
})

test('whatever the filter and the size of a page: all pages together are what a plain filter finds, in order, each once', async () => {
  const filter = fc.record({
    type: fc.constantFrom(undefined, 'one', 'two'),
    status: fc.constantFrom<Filter['status']>(undefined, 'failed', 'completed'),
    since: fc.constantFrom(undefined, '2026-01-01T00:20:00Z'),
    text: fc.constantFrom('label_4444', 'label_1999', '7_', 'broke', 'Broke AT 5007', 'nothing'),
  })
  await fc.assert(
    fc.asyncProperty(filter, fc.constantFrom(300, 1001), async (given, limit) => {
      const wanted = await plain(given)
      expect((await walk(given, limit)).ids).toEqual(wanted)
      expect((await findJobs(db, { ...given, limit: 20 })).map((row) => row.job_id)).toEqual(wanted.slice(0, 20))
    }),
    { numRuns: 25 },
  )
})
