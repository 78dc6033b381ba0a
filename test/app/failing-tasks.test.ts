// Many tasks of which one in ten fails once and one in a hundred for good: counts exact, tries as configured. More by flag: FAILING=100000.
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { retryJob } from '../../src/db/job-functions.ts'
import { findJob } from '../../src/db/reading.ts'
import { type AnyJob, defineJob, defineStage } from '../../src/define/define-job.ts'
import { AppError } from '../../src/rules/errors.ts'
import { createDatabase, type TestDatabase } from '../support/db.ts'
import { machine, runToEnd, submitTo } from '../support/machine.ts'

const N = Number(process.env['FAILING'] ?? 10_000)
let database: TestDatabase
beforeAll(async () => void (database = await createDatabase()))
afterAll(() => database.drop())

const parameters = z.strictObject({ disturbed: z.boolean() })
const job: AnyJob = defineJob({
  name: 'failing_job',
  description: '',
  parameters,
  stages: [
    defineStage({
      name: 'fail_now_and_then',
      parameters,
      onTaskFailure: 'continue',
      backoff: { baseMs: 0 },
      result: z.object({ n: z.number() }),
      *plan() {
        for (let i = 0; i < N; i++) yield { key: `task_${i}`, parameters: { i } }
      },
      run(task, ctx) {
        const { i } = task.parameters
        if (ctx.parameters.disturbed && i % 100 === 0) throw new AppError('TILE_OUT_OF_RANGE', 'for good')
        if (ctx.parameters.disturbed && i % 10 === 1 && ctx.claim === 1) throw new AppError('STORAGE_UNAVAILABLE', 'once')
        return { n: i }
      },
    }),
  ],
})

test(`${N} tasks, 10 % fail once, 1 % for good: each as often as configured, none lost`, async () => {
  const r = machine(database.pool, { jobs: [job] })
  const seconds = async (disturbed: boolean): Promise<[string, number]> => {
    const id = await submitTo(r, 'failing_job', { disturbed })
    const started = performance.now()
    await runToEnd(r, id)
    return [id, (performance.now() - started) / 1000]
  }
  const [, undisturbed] = await seconds(false)
  const [id, disturbed] = await seconds(true)
  console.log(`${N} tasks: ${undisturbed.toFixed(1)} s undisturbed, ${disturbed.toFixed(1)} s with failures`)
  expect(await findJob(r.db, id)).toMatchObject({ status: 'completed_with_errors' })
  const rows = await r.db.query(
    `SELECT t.status, t.error_code, t.claims, count(*)::int AS n FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1 GROUP BY 1, 2, 3 ORDER BY 1, 3`,
    [id],
  )
  expect(rows).toEqual([
    { status: 'completed', error_code: null, claims: 1, n: N - N / 10 - N / 100 },
    { status: 'completed', error_code: null, claims: 2, n: N / 10 },
    { status: 'failed', error_code: 'TILE_OUT_OF_RANGE', claims: 1, n: N / 100 },
  ])
}, 300_000)

test('the mode fail stops early: what has not begun is skipped, and a retry runs it', async () => {
  let broken = true
  const ran: number[] = []
  const stage = defineStage({
    name: 'stop_at_first',
    parameters: z.strictObject({}),
    maxParallel: 1,
    taskConcurrency: 1,
    result: z.object({}),
    *plan() {
      for (let i = 0; i < 12_000; i++) yield { key: `task_${i}`, parameters: { i } }
    },
    run(task) {
      ran.push(task.parameters.i)
      if (broken && task.parameters.i === 60) throw new AppError('TILE_OUT_OF_RANGE', 'for good')
      return {}
    },
  })
  const stopping: AnyJob = defineJob({ name: 'stopping_job', description: '', parameters: z.strictObject({}), stages: [stage] })
  const r = machine(database.pool, { jobs: [stopping] })
  const id = await submitTo(r, 'stopping_job', {})
  expect((await runToEnd(r, id)).status).toBe('failed')
  // A claim of 50 and one of at most 200, which runs to its end.
  const begun = ran.length
  expect(begun).toBeGreaterThanOrEqual(100)
  expect(begun).toBeLessThanOrEqual(250)
  expect(ran).toEqual(Array.from({ length: begun }, (_, i) => i))
  const counts = () =>
    r.db.query(
      `SELECT t.status, t.error_code, count(*)::int AS n FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1 GROUP BY 1, 2 ORDER BY 1`,
      [id],
    )
  expect(await counts()).toEqual([
    { status: 'completed', error_code: null, n: begun - 1 },
    { status: 'failed', error_code: 'TILE_OUT_OF_RANGE', n: 1 },
    { status: 'skipped', error_code: 'STAGE_FAILED', n: 12_000 - begun },
  ])
  expect(await findJob(r.db, id)).toMatchObject({ status: 'failed', error_code: 'TILE_OUT_OF_RANGE' })
  broken = false
  await retryJob(r.db, { job_id: id, reason: 'mended', actor: 'test', error_code: null, key_like: null })
  expect((await runToEnd(r, id, 2)).status).toBe('completed')
  expect(await counts()).toEqual([{ status: 'completed', error_code: null, n: 12_000 }])
  expect(ran).toHaveLength(12_001)
})
