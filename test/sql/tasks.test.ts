import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { advanceJobStage, beginJob, checkJobCompletion, closeStage, stageReadiness } from '../../src/db/job-functions.ts'
import type { Pool } from '../../src/db/pool.ts'
import { only } from '../../src/db/sql-function.ts'
import { addTasks, claimTasks, completeTasks, extendLeases, type TaskOutcome } from '../../src/db/task-functions.ts'
import { claim, codeOf, createDatabase, openStage, planStage, submit, type StageKey, type TestDatabase } from '../support/db.ts'

let database: TestDatabase
let db: Pool
beforeAll(async () => {
  database = await createDatabase()
  db = database.pool
})
afterAll(() => database.drop())

const done = (task_no: number): TaskOutcome => ({ task_no, status: 'completed', result: {} })
const failed = (task_no: number, more: Partial<TaskOutcome> = {}): TaskOutcome => ({
  task_no,
  status: 'failed',
  error_code: 'X',
  error_details: 'because',
  ...more,
})
const rows = (key: StageKey) =>
  db.query<{ task_no: number; status: string; claims: number; error_code: string | null; error_details: string | null }>(
    `SELECT t.* FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1 AND s.stage_no = $2 AND s.retired_at IS NULL ORDER BY task_no`,
    [key.job_id, key.stage_no],
  )
/** Makes leases or waits run out without waiting. */
const expire = (key: StageKey) =>
  db.query(
    `UPDATE app.tasks t SET lease_until = lease_until - interval '1 hour', not_before = not_before - interval '1 hour' FROM app.stages s WHERE s.stage_id = t.stage_id AND s.job_id = $1`,
    [key.job_id],
  )

describe('claims', () => {
  test('in task_no order, each task once, whoever asks', async () => {
    const key = await openStage(db, { tasks: 1000 })
    const claims = await Promise.all(Array.from({ length: 40 }, () => claim(db, key, 25)))
    expect(claims.every((c) => c.tasks.every((t, i, all) => i === 0 || t.task_no > (all[i - 1]?.task_no ?? 0)))).toBe(true)
    expect(new Set(claims.flatMap((c) => c.tasks.map((t) => t.task_no))).size).toBe(1000)
    expect((await claim(db, key, 25)).tasks).toHaveLength(0)
  })

  test('nothing is claimable when the job is not processing, the attempt is old or the stage is not sealed', async () => {
    const key = await openStage(db, { tasks: 3 })
    expect((await claim(db, { ...key, attempt: 2 }, 1)).tasks).toEqual([])
    await db.query(`UPDATE app.jobs SET status = 'paused' WHERE job_id = $1`, [key.job_id])
    expect((await claim(db, key, 1)).tasks).toEqual([])
    const planning = await openStage(db, { tasks: 3, seal: false })
    expect((await claim(db, planning, 1)).tasks).toEqual([])
  })

  test('an expired lease is claimed again; the late completion of the first claimant is superseded', async () => {
    const key = await openStage(db, { tasks: 1 })
    const first = await claim(db, key, 1)
    expect((await claim(db, key, 1)).tasks).toEqual([])
    await expire(key)
    const second = await claim(db, key, 1)
    expect(second.tasks[0]).toMatchObject({ task_no: 1, claims: 2 })
    expect(await completeTasks(db, { ...key, worker: first.worker, results: [done(1)] })).toEqual([
      { task_no: 1, outcome: 'superseded', reason: 'other_claim' },
    ])
    expect(await completeTasks(db, { ...key, worker: second.worker, results: [done(1)] })).toEqual([
      { task_no: 1, outcome: 'applied', reason: null },
    ])
  })

  test('a task over its claim limit is failed as POISON instead of handed out', async () => {
    const key = await openStage(db, { tasks: 2, maxClaims: 2 })
    for (const no of [1, 2]) expect((await claim(db, key, 1)).tasks[0]?.task_no).toBe(no)
    await expire(key)
    await claim(db, key, 2)
    await expire(key)
    expect((await claim(db, key, 2)).tasks).toEqual([])
    expect((await rows(key)).map((t) => [t.status, t.claims, t.error_code])).toEqual([
      ['failed', 2, 'POISON'],
      ['failed', 2, 'POISON'],
    ])
    expect(only(await closeStage(db, key))).toMatchObject({ state: 'closed', outcome: 'failed', failed: 2 })
  })

  test('a claimer never waits for the rows of a rival that has not committed: they are skipped', async () => {
    const key = await openStage(db, { tasks: 4 })
    await claim(db, key, 4)
    await expire(key)
    const rival = new pg.Client(database.url)
    await rival.connect()
    await rival.query('BEGIN')
    const taken = await rival.query('SELECT task_no FROM app.claim_tasks($1, 1, 1, 2, $2, $3)', [
      key.job_id,
      randomUUID(),
      '1 minute',
    ])
    expect(taken.rows).toEqual([{ task_no: 1 }, { task_no: 2 }])
    expect((await claim(db, key, 4)).tasks.map((t) => t.task_no)).toEqual([3, 4])
    await rival.query('ROLLBACK')
    await rival.end()
    expect((await claim(db, key, 4)).tasks.map((t) => t.task_no)).toEqual([1, 2])
  })

  test('claimers that hammer while failures are recorded get none before its time', async () => {
    const key = await openStage(db, { tasks: 20 })
    const { worker, tasks } = await claim(db, key, 20)
    // Interleaved, so that claims meet failures that were just recorded; and once more when all are.
    const claims = await Promise.all(
      tasks.flatMap((t) => [
        completeTasks(db, { ...key, worker, results: [failed(t.task_no, { retryable: true, retry_in_ms: 3_600_000 })] }).then(
          () => claim(db, key, 5),
        ),
        claim(db, key, 5),
      ]),
    )
    expect(claims.flatMap((c) => c.tasks)).toEqual([])
    expect((await claim(db, key, 50)).tasks).toEqual([])
    await expire(key)
    expect((await claim(db, key, 50)).tasks).toHaveLength(20)
  })

  test('the stage tells how much is ready now and when the next one is', async () => {
    const key = await openStage(db, { tasks: 10 })
    const { worker } = await claim(db, key, 4)
    await completeTasks(db, { ...key, worker, results: [done(1), failed(2, { retryable: true, retry_in_ms: 60_000 })] })
    const ready = only(await stageReadiness(db, { job_id: key.job_id, stage_no: 1 }))
    expect(ready).toMatchObject({ status: 'open', expected: 10, ready: 6, open_at_least: 9 })
    expect(ready.next_ready_at).toBeInstanceOf(Date)
  })
})

describe('completions: every case has its own word', () => {
  test('duplicate, unknown, wrong stage, old attempt, other outcome, unknown job', async () => {
    const key = await openStage(db, { tasks: 2 })
    const { worker } = await claim(db, key, 1)
    const complete = (k: StageKey, results: TaskOutcome[], w = worker) => completeTasks(db, { ...k, worker: w, results })
    expect((await complete(key, [done(1)]))[0]).toMatchObject({ outcome: 'applied' })
    expect((await complete(key, [done(1)]))[0]).toMatchObject({ outcome: 'already_applied', reason: null })
    expect((await complete(key, [failed(1)]))[0]).toMatchObject({ outcome: 'superseded', reason: 'other_outcome' })
    expect((await complete(key, [done(99)]))[0]).toMatchObject({ outcome: 'unknown' })
    expect((await complete(key, [done(2)]))[0]).toMatchObject({ outcome: 'superseded', reason: 'other_claim' })
    expect((await complete({ ...key, attempt: 2 }, [done(1)]))[0]).toMatchObject({ outcome: 'superseded', reason: 'old_attempt' })
    expect(await codeOf(complete({ ...key, stage_no: 5 }, [done(1)]))).toBe('STAGE_NOT_FOUND')
    expect(await codeOf(complete({ ...key, job_id: 'e'.repeat(64) }, [done(1)]))).toBe('JOB_NOT_FOUND')
    expect((await rows(key))[0]).toMatchObject({ status: 'completed', error_code: null })
  })

  test('a retryable failure waits below the claim limit and fails at it', async () => {
    const key = await openStage(db, { tasks: 1, maxClaims: 2 })
    for (const [claims, status] of [
      [1, 'retrying'],
      [2, 'failed'],
    ] as const) {
      const { worker } = await claim(db, key, 1)
      await completeTasks(db, { ...key, worker, results: [failed(1, { retryable: true, retry_in_ms: 0 })] })
      expect((await rows(key))[0]).toMatchObject({ status, claims })
    }
  })

  test('overlapping batches in opposite orders by 100 callers: no deadlock, nothing lost', async () => {
    const key = await openStage(db, { tasks: 200 })
    const { worker, tasks } = await claim(db, key, 200)
    const all = tasks.map((t) => t.task_no)
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        completeTasks(db, { ...key, worker, results: (i % 2 ? all : [...all].reverse()).map(done) }),
      ),
    )
    for (const task of all) {
      const words = answers.map((a) => a.find((x) => x.task_no === task)?.outcome)
      expect(words.filter((w) => w === 'applied')).toHaveLength(1)
      expect(words.filter((w) => w === 'already_applied')).toHaveLength(99)
    }
    expect(only(await closeStage(db, key))).toMatchObject({ closed_now: true, completed: 200 })
  })

  test('a 1 MB stack trace is cut and stored, so that no failure is unrecordable', async () => {
    const key = await openStage(db, { tasks: 1 })
    const { worker } = await claim(db, key, 1)
    await completeTasks(db, {
      ...key,
      worker,
      results: [failed(1, { error_code: 'C'.repeat(500), error_details: 'x'.repeat(1_000_000) })],
    })
    const [task] = await rows(key)
    expect(task?.error_details).toHaveLength(8000)
    expect(task?.error_code).toHaveLength(64)
  })

  test('NUL and lone surrogates are refused by name before the write; 1 MB texts and edge dates survive', async () => {
    const key = await openStage(db, { tasks: 1 })
    const { worker } = await claim(db, key, 1)
    for (const text of ['a\u0000b', '\ud800']) {
      expect(await codeOf(completeTasks(db, { ...key, worker, results: [{ ...done(1), result: { deep: [{ text }] } }] }))).toBe(
        'TEXT_NOT_STORABLE',
      )
    }
    const result = { long: 'é'.repeat(500_000), at: '9999-12-31T23:59:59.999Z', emoji: '🏮', empty: '' }
    expect((await completeTasks(db, { ...key, worker, results: [{ ...done(1), result }] }))[0]?.outcome).toBe('applied')
    expect(
      await db.query('SELECT result_data FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1', [key.job_id]),
    ).toEqual([{ result_data: result }])
  })
})

describe('leases', () => {
  test('the heartbeat renews, stores progress, and tells what is lost or that the job was cancelled', async () => {
    const key = await openStage(db, { tasks: 2 })
    const { worker } = await claim(db, key, 2)
    const beat = (renew: boolean) =>
      extendLeases(db, {
        ...key,
        worker,
        task_nos: [1, 2],
        lease: 60_000,
        renew,
        progress: { '1': { fraction: 0.5, note: 'half' } },
      })
    expect(await beat(true)).toEqual([{ job_status: 'processing', current_attempt: 1, lost: [] }])
    expect(
      await db.query(
        'SELECT progress, progress_note FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1 AND task_no = 1',
        [key.job_id],
      ),
    ).toEqual([{ progress: 0.5, progress_note: 'half' }])
    await expire(key)
    await claimTasks(db, { ...key, limit: 1, worker: randomUUID(), lease: 60_000 })
    expect((await beat(false))[0]?.lost).toEqual([1])
    await db.query(`UPDATE app.jobs SET status = 'cancelled', finished_at = now() WHERE job_id = $1`, [key.job_id])
    expect((await beat(false))[0]).toMatchObject({ job_status: 'cancelled' })
    expect((await completeTasks(db, { ...key, worker, results: [done(2)] }))[0]).toMatchObject({
      outcome: 'superseded',
      reason: 'job_cancelled',
    })
  })
})

describe('planning', () => {
  test('a batch that is stored already is not stored again; a gap is refused; a seal must fit', async () => {
    const key = await openStage(db, { tasks: 0, seal: false })
    const batch = Array.from({ length: 1000 }, (_, i) => ({ key: `k${i}` }))
    const add = (cursor: number, tasks = batch) => addTasks(db, { ...key, cursor, tasks })
    expect(only(await add(0)).add_tasks).toBe(1000)
    expect(only(await add(0)).add_tasks).toBe(1000)
    expect(await codeOf(add(2000))).toBe('PLAN_GAP')
    expect(await rows(key)).toHaveLength(1000)
    await planStage(db, key, { tasks: [...batch, { key: 'last' }] })
    expect(await rows(key)).toHaveLength(1001)
    expect(await codeOf(add(1001, [{ key: 'late' }]))).toBe('STAGE_SEALED')
  })

  test('a key that is yielded twice is named, in one batch and across batches', async () => {
    const key = await openStage(db, { tasks: 0, seal: false })
    expect(await codeOf(addTasks(db, { ...key, cursor: 0, tasks: [{ key: 'a' }, { key: 'a' }] }))).toBe('DUPLICATE_TASK_KEY')
    await addTasks(db, { ...key, cursor: 0, tasks: [{ key: "it's" }] })
    await expect(addTasks(db, { ...key, cursor: 1, tasks: [{ key: 'b' }, { key: "it's" }] })).rejects.toThrow(/stage_1.*it''s/)
    expect(await rows(key)).toHaveLength(1)
  })

  test('300 keys of 1,024 three-byte characters that differ in one: all stored, all unique', async () => {
    const keys = Array.from({ length: 300 }, (_, i) => ({ key: '漢'.repeat(1020) + String(i).padStart(4, '0') }))
    const key = await openStage(db, { tasks: keys })
    expect((await claim(db, key, 300)).tasks.map((t) => t.task_key)).toEqual(keys.map((k) => k.key))
  })

  test('any keys in any batching survive byte for byte and in order', async () => {
    const text = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
      .filter((s) => s.isWellFormed() && !s.includes('\u0000'))
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(text, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 10 }),
        async (keys, size) => {
          const key = await openStage(db, { tasks: 0, seal: false })
          for (let at = 0; at < keys.length; at += size)
            await addTasks(db, { ...key, cursor: at, tasks: keys.slice(at, at + size).map((k) => ({ key: k })) })
          await planStage(db, key, { tasks: keys.map((k) => ({ key: k })) })
          expect((await claim(db, key, 100)).tasks.map((t) => t.task_key)).toEqual(keys)
        },
      ),
      { numRuns: 25 },
    )
  })
})

describe('moving a job', () => {
  const close = async (key: StageKey, results: TaskOutcome[]) => {
    const { worker } = await claim(db, key, 100)
    if (results.length > 0) await completeTasks(db, { ...key, worker, results })
    return only(await closeStage(db, key))
  }
  const advance = async (key: StageKey, from_stage = key.stage_no) =>
    only(await advanceJobStage(db, { job_id: key.job_id, attempt: key.attempt, from_stage }))
  const finish = async (key: StageKey) =>
    only(
      await checkJobCompletion(db, {
        job_id: key.job_id,
        attempt: key.attempt,
        result: { ok: true },
        error_code: null,
        error_details: null,
      }),
    )

  test('asked twice, advance answers the same; beyond the last stage it says done; an open stage is refused', async () => {
    const key = await openStage(db, { tasks: 1, stages: 2 })
    expect(await advance(key)).toEqual({ outcome: 'refused', stage: 1 })
    await close(key, [done(1)])
    expect(await advance(key)).toEqual({ outcome: 'advanced', stage: 2 })
    expect(await advance(key)).toEqual({ outcome: 'already', stage: 2 })
    expect(await advance(key, 5)).toEqual({ outcome: 'refused', stage: 2 })
    expect(await advance({ ...key, attempt: 9 })).toEqual({ outcome: 'refused', stage: 2 })
    const second = { ...key, stage_no: 2 }
    await planStage(db, second, { tasks: 0 })
    expect(await close(second, [])).toMatchObject({ outcome: 'skipped' })
    expect(await advance(second)).toEqual({ outcome: 'done', stage: 2 })
    expect(await finish(second)).toEqual({ status: 'completed', finished_now: true })
    expect(await finish(second)).toEqual({ status: 'completed', finished_now: false })
    expect(await advance(second)).toEqual({ outcome: 'refused', stage: 2 })
  })

  for (const n of [1, 30, 1000]) {
    test(`all ${n} tasks fail: the job fails with code and details instead of processing for ever`, async () => {
      const key = await openStage(db, { tasks: n, stages: 2 })
      const { worker, tasks } = await claim(db, key, n)
      await completeTasks(db, { ...key, worker, results: tasks.map((t) => failed(t.task_no)) })
      await closeStage(db, key)
      expect(await advance(key)).toEqual({ outcome: 'refused', stage: 1 })
      expect(await finish(key)).toEqual({ status: 'failed', finished_now: true })
      const [job] = await db.query<{ error_code: string; error_details: string; result_data: unknown }>(
        'SELECT * FROM app.jobs WHERE job_id = $1',
        [key.job_id],
      )
      expect(job).toMatchObject({ error_code: 'X', result_data: { ok: true } })
      expect(job?.error_details).toContain(`Stage 1 (stage_1): ${n} of ${n} tasks failed. First: task_0: because`)
    })
  }

  test('20 callers finish at once: one of them does', async () => {
    const key = await openStage(db, { tasks: 1 })
    await close(key, [done(1)])
    const answers = await Promise.all(Array.from({ length: 20 }, () => finish(key)))
    expect(answers.filter((a) => a.finished_now)).toHaveLength(1)
    expect(new Set(answers.map((a) => a.status))).toEqual(new Set(['completed']))
  })

  test('100 racing submitters: one row, one created; start is needed until it was confirmed', async () => {
    const id = 'd'.repeat(64)
    const answers = await Promise.all(Array.from({ length: 100 }, () => submit(db, id)))
    expect(answers.filter((a) => a.created)).toHaveLength(1)
    expect(answers.every((a) => a.start_needed)).toBe(true)
    await beginJob(db, { job_id: id, attempt: 1 })
    expect(await submit(db, id)).toEqual({ created: false, status: 'processing', attempt: 1, start_needed: false })
    expect(await codeOf(submit(db, id, { force: true }))).toBe('ILLEGAL_STATE')
  })

  test('the stragglers of an old attempt change nothing', async () => {
    const key = await openStage(db, { tasks: 2 })
    const { worker } = await claim(db, key, 2)
    await completeTasks(db, { ...key, worker, results: [failed(1), failed(2)] })
    await closeStage(db, key)
    await finish(key)
    expect(await submit(db, key.job_id, { force: true })).toMatchObject({ created: true, attempt: 2, status: 'queued' })
    expect(await completeTasks(db, { ...key, worker, results: [done(1)] })).toMatchObject([
      { outcome: 'superseded', reason: 'old_attempt' },
    ])
    expect(only(await closeStage(db, key))).toMatchObject({ state: 'superseded' })
    expect(only(await beginJob(db, { job_id: key.job_id, attempt: 1 }))).toMatchObject({ status: 'queued', attempt: 2 })
  })
})
