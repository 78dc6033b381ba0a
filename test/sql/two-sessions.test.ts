// Two sessions in the orders that once broke an invariant: the second one waits for the first, and sees what it did.
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as jobs from '../../src/db/job-functions.ts'
import type { Pool } from '../../src/db/pool.ts'
import { only } from '../../src/db/sql-function.ts'
import { addTasks, completeTasks, extendLeases, heldClaims, releaseTasks, skipRest } from '../../src/db/task-functions.ts'
import { claim, codeOf, createDatabase, newJobId, openStage, submit, type TestDatabase, withDb } from '../support/db.ts'
import { session, waits } from '../support/sessions.ts'

let database: TestDatabase
let db: Pool
beforeAll(async () => {
  database = await createDatabase({ max: 10 })
  db = database.pool
})
afterAll(() => database.drop())

const order = (job_id: string) => ({ job_id, reason: 'test', actor: 'test' })

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
  const [a, b] = [await session(database.url), await session(database.url)]
  await jobs.retryJob(a.pool, { ...order(key.job_id), error_code: null, key_like: null })
  const closing = jobs.closeStage(b.pool, key)
  expect(await waits(db, b.client, closing)).toBe(true)
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
  const [a, b] = [await session(database.url), await session(database.url)]
  await jobs.pauseJob(a.pool, order(key.job_id))
  const renewal = extendLeases(b.pool, { ...key, worker, task_nos: [1], lease: 60_000, renew: true, progress: null })
  expect(await waits(db, b.client, renewal)).toBe(true)
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
  const [a, b] = [await session(database.url), await session(database.url)]
  await a.client.query('SELECT 1 FROM app.jobs WHERE job_id = $1 FOR UPDATE', [key.job_id])
  const recording = jobs.recordStageSummary(b.pool, { ...key, summary: { n: 1 } })
  expect(await waits(db, b.client, recording)).toBe(true)
  // The stage row is free while the other one waits for the job.
  await jobs.rerunJob(a.pool, { ...order(key.job_id), total_stages: 1 })
  await a.client.query('COMMIT')
  expect(only(await recording)).toEqual({ record_stage_summary: false })
  await b.client.query('COMMIT')
  await Promise.all([a.client.end(), b.client.end()])
})

test('purge_job × retry_job: no half deleted job runs again; its tasks go afterwards, in slices', async () => {
  const key = await openStage(db, { tasks: 50 })
  await jobs.cancelJob(db, order(key.job_id))
  const [a, b] = [await session(database.url), await session(database.url)]
  expect(only(await jobs.purgeJob(a.pool, { job_id: key.job_id }))).toEqual({ purge_job: 'gone' })
  const retry = jobs.retryJob(b.pool, { ...order(key.job_id), error_code: null, key_like: null })
  const refused = codeOf(retry)
  expect(await waits(db, b.client, retry)).toBe(true)
  await a.client.query('COMMIT')
  expect(await refused).toBe('LL001')
  await Promise.all([a.client.end(), b.client.end()])
  // The same job submitted again begins from nothing, whatever of the old one is still there.
  const again = await submit(db, key.job_id)
  expect(again).toMatchObject({ created: true, attempt: 1 })
  expect(await jobs.stageReadiness(db, { job_id: key.job_id, stage_no: 1 })).toEqual([])
  const left = async (): Promise<unknown> =>
    only(await db.query(`SELECT count(*)::int AS n FROM app.stages s WHERE job_id = $1 AND retired_at IS NOT NULL`, [key.job_id]))
  expect(await left()).toEqual({ n: 1 })
  while (only(await jobs.deleteRetired(db, { limit: 20 })).delete_retired > 0);
  expect(await left()).toEqual({ n: 0 })
})

test.each([false, true])('submit_job (force: %s) × purge_job: the job is made anew instead of an error', async (force) => {
  const key = await openStage(db, { tasks: 1 })
  await jobs.cancelJob(db, order(key.job_id))
  const [a, b] = [await session(database.url), await session(database.url)]
  await jobs.purgeJob(a.pool, { job_id: key.job_id })
  const submission = submit(b.pool, key.job_id, { force })
  expect(await waits(db, b.client, submission)).toBe(true)
  await a.client.query('COMMIT')
  expect(await submission).toEqual({ created: true, status: 'queued', attempt: 1, start_needed: true })
  await b.client.query('COMMIT')
  await Promise.all([a.client.end(), b.client.end()])
})

test.each([
  ['cancel_job', jobs.cancelJob],
  ['pause_job', jobs.pauseJob],
])('add_tasks and seal_stage × %s: a planner that waited adds nothing', async (_name, action) => {
  for (const plan of ['add', 'seal'] as const) {
    const key = await openStage(db, { tasks: 3, seal: false })
    const [a, b] = [await session(database.url), await session(database.url)]
    await action(a.pool, order(key.job_id))
    const planning: Promise<unknown> =
      plan === 'add'
        ? addTasks(b.pool, { ...key, cursor: 3, tasks: [{ key: 'late' }] })
        : jobs.sealStage(b.pool, { ...key, expected: 3 })
    const refused = codeOf(planning)
    expect(await waits(db, b.client, planning)).toBe(true)
    await a.client.query('COMMIT')
    expect(await refused).toBe('LL004')
    await Promise.all([a.client.end(), b.client.end()])
  }
})

test('skip_rest × pause_job: nothing is skipped in a paused job; skip_rest and close_stage are no transaction', async () => {
  const key = await openStage(db, { tasks: 5 })
  const { worker } = await claim(db, key, 1)
  const failed = { task_no: 1, status: 'failed', error_code: 'X', error_details: 'x', retryable: false } as const
  await completeTasks(db, { ...key, worker, results: [failed] })
  const [a, b] = [await session(database.url), await session(database.url)]
  await jobs.pauseJob(a.pool, order(key.job_id))
  const skipping = skipRest(b.pool, { ...key, limit: 100 })
  expect(await waits(db, b.client, skipping)).toBe(true)
  await a.client.query('COMMIT')
  expect(only(await skipping)).toEqual({ skip_rest: 0 })
  await b.client.query('ROLLBACK; BEGIN')
  await jobs.resumeJob(db, order(key.job_id))
  expect(only(await skipRest(b.pool, { ...key, limit: 100 }))).toEqual({ skip_rest: 4 })
  expect(await codeOf(jobs.closeStage(b.pool, key))).toBe('LL012')
  await Promise.all([a.client.end(), b.client.end()])
})

test('a retry by error code in a fail-fast stage runs what it queued, though other failures stay', async () => {
  const key = await openStage(db, { tasks: 2 })
  const { worker } = await claim(db, key, 2)
  const failed = (task_no: number, error_code: string) =>
    ({ task_no, status: 'failed', error_code, error_details: 'x', retryable: false }) as const
  await completeTasks(db, { ...key, worker, results: [failed(1, 'FIRST'), failed(2, 'SECOND')] })
  await jobs.closeStage(db, key)
  await jobs.checkJobCompletion(db, { ...key, result: null, error_code: null, error_details: null })
  await jobs.retryJob(db, { ...order(key.job_id), error_code: 'FIRST', key_like: null })
  const again = { ...key, attempt: 2 }
  await jobs.beginJob(db, again)
  expect(only(await skipRest(db, { ...again, limit: 100 }))).toEqual({ skip_rest: 0 })
  expect((await claim(db, again, 5)).tasks.map((t) => t.task_no)).toEqual([1])
})

test('a task that kills its workers ends as POISON however often its job is paused; one whose worker lives costs no try', async () => {
  const key = await openStage(db, { tasks: 1, maxClaims: 3 })
  const around = async (lives: boolean): Promise<number[]> => {
    const { worker, tasks } = await claim(db, key, 1)
    await jobs.pauseJob(db, order(key.job_id))
    if (lives) await releaseTasks(db, { ...key, worker, task_nos: [1] })
    await jobs.resumeJob(db, order(key.job_id))
    return tasks.map((t) => t.claims)
  }
  const claims: number[][] = []
  for (const lives of [true, true, true, true, false, false, false, false]) claims.push(await around(lives))
  expect(claims).toEqual([[1], [1], [1], [1], [1], [2], [3], []])
  expect(
    await db.query(`SELECT error_code FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1`, [key.job_id]),
  ).toEqual([{ error_code: 'POISON' }])
})

test('one task twice in a batch: the first outcome counts, the others are told what is recorded', async () => {
  const key = await openStage(db, { tasks: 2, onTaskFailure: 'continue' })
  const { worker } = await claim(db, key, 2)
  const done = (n: number) => ({ task_no: 1, status: 'completed', result: { n } }) as const
  const failed = (task_no: number) =>
    ({ task_no, status: 'failed', error_code: 'X', error_details: 'x', retryable: true }) as const
  const answers = await completeTasks(db, {
    ...key,
    worker,
    results: [done(1), done(2), failed(1), failed(2), failed(2), { ...done(3), task_no: 9 }],
  })
  expect(answers.map((a) => [a.task_no, a.outcome, a.reason])).toEqual([
    [1, 'applied', null],
    [1, 'already_applied', null],
    [1, 'superseded', 'other_outcome'],
    [2, 'applied', null],
    [2, 'already_applied', null],
    [9, 'unknown', null],
  ])
  expect(
    await db.query(
      `SELECT result_data FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1 AND t.task_no = 1`,
      [key.job_id],
    ),
  ).toEqual([{ result_data: { n: 1 } }])
})

test.each(['retrying', 'queued', 'processing', '', undefined])('an outcome %s of a worker is refused by name', async (status) => {
  const key = await openStage(db, { tasks: 1 })
  const { worker } = await claim(db, key, 1)
  const results = JSON.parse(JSON.stringify([{ task_no: 1, status }])) as Parameters<typeof completeTasks>[1]['results']
  expect(await codeOf(completeTasks(db, { ...key, worker, results }))).toBe('OUTCOME_INVALID')
})

test('a claim whose answer was lost is found by its uuid; claims of others and of ended leases are not', async () => {
  const key = await openStage(db, { tasks: 10 })
  const mine = await claim(db, key, 3)
  const other = await claim(db, key, 2)
  expect(await heldClaims(db, { ...key, worker: mine.worker })).toEqual(mine.tasks)
  await releaseTasks(db, { ...key, worker: mine.worker, task_nos: [2] })
  expect((await heldClaims(db, { ...key, worker: mine.worker })).map((t) => t.task_no)).toEqual([1, 3])
  expect((await heldClaims(db, { ...key, worker: other.worker })).map((t) => t.task_no)).toEqual([4, 5])
  await jobs.pauseJob(db, order(key.job_id))
  expect(await heldClaims(db, { ...key, worker: mine.worker })).toEqual([])
})

test('the pages of the reconciler: every job once, however many were submitted in one moment', async () => {
  await withDb(async (own) => {
    const ids = Array.from({ length: 23 }, () => newJobId())
    for (const id of ids) await submit(own, id)
    await own.query(`UPDATE app.jobs SET updated_at = date_trunc('minute', now()) WHERE job_id = ANY ($1)`, [ids.slice(5, 15)])
    const seen: string[] = []
    for (let after: string | null = null; ;) {
      const page: Awaited<ReturnType<typeof jobs.jobsToReconcile>> = await jobs.jobsToReconcile(own, {
        limit: 4,
        idle_seconds: 0,
        after,
      })
      seen.push(...page.map((j) => j.job_id))
      after = page.at(-1)?.reconcile_key ?? null
      if (page.length < 4) break
    }
    expect(seen.toSorted()).toEqual(ids.toSorted())
  })
})
