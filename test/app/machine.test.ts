import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { advanceJob } from '../../src/activities/advance-job.ts'
import { reconcile } from '../../src/activities/reconcile.ts'
import { runTasks } from '../../src/activities/run-tasks.ts'
import type { Pool } from '../../src/db/pool.ts'
import { findJob } from '../../src/db/reading.ts'
import { type AnyJob, defineJob, defineStage } from '../../src/engine/define-job.ts'
import { AppError } from '../../src/engine/errors.ts'
import type { Instances, InstanceStatus } from '../../src/orchestrators/client.ts'
import { createDatabase, type TestDatabase } from '../support/db.ts'
import { type Machine, machine, runToEnd, submitTo, turn } from '../support/machine.ts'

let database: TestDatabase
let db: Pool
beforeAll(async () => {
  database = await createDatabase()
  db = database.pool
})
afterAll(() => database.drop())

const params = z.strictObject({ id: z.string().default(() => randomUUID()) })

/** A job of one stage with n tasks and the given run. */
function oneStage(
  run: (task: { key: string; taskNo: number }, ctx: { claim: number; signal: AbortSignal }) => unknown,
  more: object = {},
  n = 3,
): AnyJob {
  const stage = defineStage({
    name: 'only_stage',
    params,
    result: z.object({ ok: z.boolean() }),
    *plan() {
      for (let i = 0; i < n; i++) yield { key: `t${i}` }
    },
    run: async (task, ctx) => (await run(task, ctx)) as { ok: boolean },
    ...more,
  })
  return defineJob({ name: 'one_stage', description: '', params, stages: [stage] })
}

const tasksOf = (id: string) =>
  db.query<{
    stage: number
    task_no: number
    task_key: string
    status: string
    claims: number
    result_data: unknown
    error_code: string | null
    error_details: string | null
  }>(
    `SELECT s.stage_no AS stage, t.* FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1 AND s.retired_at IS NULL ORDER BY 1, t.task_no`,
    [id],
  )

describe('what a handler throws or returns is recorded with code and text', () => {
  const cases: [string, () => unknown, string, RegExp][] = [
    [
      'an Error',
      () => {
        throw new Error('plain failure')
      },
      'TASK_FAILED',
      /plain failure/,
    ],
    [
      'a text',
      () => {
        throw 'just text'
      },
      'TASK_FAILED',
      /just text/,
    ],
    ['undefined', () => Promise.reject(undefined), 'TASK_FAILED', /undefined/],
    [
      'an AppError',
      () => {
        throw new AppError('TILE_EMPTY', 'no pixels')
      },
      'TILE_EMPTY',
      /no pixels/,
    ],
    [
      'an Error without a message',
      () => {
        throw new Error()
      },
      'TASK_FAILED',
      /./,
    ],
    [
      'NUL in the message',
      () => {
        throw new Error('a\u0000b')
      },
      'TASK_FAILED',
      /a\uFFFDb/,
    ],
    [
      '1 MB of message',
      () => {
        throw new AppError('LONG', 'x'.repeat(1_000_000))
      },
      'LONG',
      /^x{8000}$/,
    ],
    ['a result of the wrong shape', () => ({ ok: 'yes' }), 'RESULT_INVALID', /ok/],
    ['no result', () => undefined, 'RESULT_INVALID', /only_stage/],
    ['a result that cannot be stored', () => ({ ok: true, text: 'x' }), '', /^$/],
  ]
  for (const [title, run, code, details] of cases) {
    test(title, async () => {
      const r = machine(db, { jobs: [oneStage(run, {}, 1)] })
      const id = await submitTo(r, 'one_stage', {})
      const end = await runToEnd(r, id)
      const [task] = await tasksOf(id)
      if (code === '') {
        expect([end.status, task?.status, task?.error_code, task?.error_details]).toEqual(['completed', 'completed', null, null])
        return
      }
      expect([end.status, task?.status, task?.error_code]).toEqual(['failed', 'failed', code])
      expect(task?.error_details).toMatch(details)
      const job = await findJob(db, id)
      expect(job?.error_code).toBe(code)
    })
  }
})

describe('retries', () => {
  test('a retryable failure is tried as often as configured, a permanent one once', async () => {
    const claims: number[] = []
    const r = machine(db, {
      jobs: [
        oneStage(
          (_t, ctx) => {
            claims.push(ctx.claim)
            throw new AppError('STORAGE_UNAVAILABLE', 'away')
          },
          { maxClaims: 3, backoff: { baseMs: 0 } },
          1,
        ),
      ],
    })
    const id = await submitTo(r, 'one_stage', {})
    expect((await runToEnd(r, id)).status).toBe('failed')
    expect(claims).toEqual([1, 2, 3])
    expect(await tasksOf(id)).toMatchObject([{ status: 'failed', claims: 3, error_code: 'STORAGE_UNAVAILABLE' }])
  })

  test('a task that succeeds at its third try leaves no error behind', async () => {
    const r = machine(db, {
      jobs: [
        oneStage(
          (_t, ctx) => {
            if (ctx.claim < 3) throw new AppError('STORAGE_UNAVAILABLE', 'away')
            return { ok: true }
          },
          { backoff: { baseMs: 0 } },
          5,
        ),
      ],
    })
    const id = await submitTo(r, 'one_stage', {})
    expect((await runToEnd(r, id)).status).toBe('completed')
    expect((await tasksOf(id)).every((t) => t.status === 'completed' && t.claims === 3 && t.error_code === null)).toBe(true)
  })

  test('a task over its time is aborted and failed; a run that ignores the signal is left behind', async () => {
    let aborted = false
    const r = machine(db, {
      jobs: [
        oneStage(
          (_t, ctx) => new Promise(() => ctx.signal.addEventListener('abort', () => (aborted = true))),
          { timeoutMs: 50, maxClaims: 1 },
          1,
        ),
      ],
    })
    const id = await submitTo(r, 'one_stage', {})
    expect((await runToEnd(r, id)).status).toBe('failed')
    expect(await tasksOf(id)).toMatchObject([{ error_code: 'TASK_TIMEOUT' }])
    expect(aborted).toBe(true)
  })

  test('a stop signal in mid-task hands the task back instead of losing it', async () => {
    const stop = new AbortController()
    const r = machine(db, { jobs: [oneStage(() => new Promise(() => stop.abort()), {}, 1)], stopping: stop.signal })
    const id = await submitTo(r, 'one_stage', {})
    await turn(r, id)
    expect(await tasksOf(id)).toMatchObject([{ status: 'retrying', error_code: 'TASK_ABORTED', claims: 1 }])
  })

  test('cancelled while it runs: aborted, nothing recorded afterwards', async () => {
    const started = Promise.withResolvers<void>()
    const r = machine(db, {
      jobs: [
        oneStage(
          (_t, ctx) => {
            started.resolve()
            return new Promise((_resolve, reject) =>
              ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason as Error)),
            )
          },
          {},
          1,
        ),
      ],
    })
    const id = await submitTo(r, 'one_stage', {})
    const running = turn(r, id)
    await started.promise
    await db.query(`UPDATE app.jobs SET status = 'cancelled', finished_at = now() WHERE job_id = $1`, [id])
    await running
    expect(await tasksOf(id)).toMatchObject([{ status: 'processing', result_data: null }])
    expect(await advanceJob({ jobId: id, attempt: 1 }, r)).toEqual({ kind: 'done', status: 'cancelled', attempt: 1 })
  })
})

describe('lineage: what becomes of a task whose predecessor did not complete', () => {
  const first = (fails: boolean) =>
    defineStage({
      name: 'make_source',
      params,
      onTaskFailure: 'continue',
      result: z.object({ n: z.number() }),
      *plan() {
        for (const key of ['good', 'bad-s2/é', 'other']) yield { key }
      },
      run: (task) => {
        if (fails && task.key.startsWith('bad')) throw new Error('source failed')
        return { n: 1 }
      },
    })
  const job = (fails: boolean, source: string | undefined): AnyJob => {
    const before = first(fails)
    const after = defineStage({
      name: 'use_source',
      params,
      after: before,
      onTaskFailure: 'continue',
      result: z.object({ n: z.number() }),
      *plan() {
        yield { key: 'bad-s2/é', ...(source === undefined ? {} : { source }) }
      },
      run: async (_task, ctx) => ({ n: (await ctx.predecessor()).n + 1 }),
    })
    return defineJob({ name: 'lineage_job', description: '', params, stages: [before, after] })
  }
  const cases: [string, boolean, string | undefined, object][] = [
    ['completed, same key', false, undefined, { status: 'completed', result_data: { n: 2 } }],
    ['completed, named source', true, 'good', { status: 'completed', result_data: { n: 2 } }],
    ['failed, same key', true, undefined, { status: 'skipped', error_code: 'PREDECESSOR_FAILED' }],
    ['failed, named source', true, 'bad-s2/é', { status: 'skipped', error_code: 'PREDECESSOR_FAILED' }],
    ['missing', false, 'no such key', { status: 'failed', error_code: 'PREDECESSOR_MISSING' }],
  ]
  for (const [title, fails, source, expected] of cases) {
    test(`${title}`, async () => {
      const r = machine(db, { jobs: [job(fails, source)] })
      const id = await submitTo(r, 'lineage_job', {})
      await runToEnd(r, id)
      expect((await tasksOf(id)).filter((t) => t.stage === 2)).toMatchObject([expected])
    })
  }
})

describe('plans', () => {
  const planned = (plan: () => Iterable<{ key: string }> | AsyncIterable<{ key: string }>): AnyJob =>
    defineJob({
      name: 'planned_job',
      description: '',
      params,
      stages: [defineStage({ name: 'only_stage', params, result: z.object({}), plan, run: () => ({}) })],
    })

  test('a duplicate key fails the job by name', async () => {
    const r = machine(db, { jobs: [planned(() => [{ key: 'a' }, { key: 'b' }, { key: 'a' }])] })
    const id = await submitTo(r, 'planned_job', {})
    expect((await runToEnd(r, id)).status).toBe('failed')
    expect(await findJob(db, id)).toMatchObject({ error_code: 'DUPLICATE_TASK_KEY' })
  })

  for (const at of [0, 1, 2000, 2001, 4999]) {
    test(`planning dies at row ${at}: it resumes at the cursor, never doubles, never closes unsealed`, async () => {
      let die = true
      const r = machine(db, {
        jobs: [
          planned(function* () {
            for (let i = 0; i < 5000; i++) {
              if (die && i === at) throw new AppError('STORAGE_UNAVAILABLE', 'listing broke off')
              yield { key: `k${i}` }
            }
          }),
        ],
      })
      const id = await submitTo(r, 'planned_job', {})
      await expect(turn(r, id)).rejects.toThrow(/listing broke off/)
      expect(await db.query(`SELECT status FROM app.stages WHERE job_id = $1`, [id])).toEqual([{ status: 'planning' }])
      die = false
      expect((await runToEnd(r, id)).status).toBe('completed')
      const tasks = await tasksOf(id)
      expect([tasks.length, new Set(tasks.map((t) => t.task_key)).size]).toEqual([5000, 5000])
    })
  }

  test('a plan that throws for good fails the job with its text', async () => {
    const r = machine(db, {
      jobs: [
        planned(() => {
          throw new Error('no plan today')
        }),
      ],
    })
    const id = await submitTo(r, 'planned_job', {})
    expect((await runToEnd(r, id)).status).toBe('failed')
    expect((await findJob(db, id))?.error_details).toMatch(/no plan today/)
  })

  test('a container that vanished after submission fails the job by name instead of hanging', async () => {
    const r = machine(db)
    const id = await submitTo(r, 'list_container', { container_name: `gone-${randomUUID()}` })
    expect((await runToEnd(r, id)).status).toBe('failed')
    expect(await findJob(db, id)).toMatchObject({ error_code: 'CONTAINER_NOT_FOUND' })
  })

  test('a file that is gone after the listing fails its task, never the others', async () => {
    const r = machine(db)
    const container = r.service.getContainerClient(`t-${randomUUID().slice(0, 18)}`)
    await Promise.all([container.create(), r.service.getContainerClient('lamplighter').createIfNotExists()])
    for (const name of ['a.tif', 'b.tif', 'c.tif']) await container.getBlockBlobClient(name).upload('x', 1)
    const id = await submitTo(r, 'list_container', { container_name: container.containerName, metadata_level: 'full' })
    await turn(r, id)
    await container.deleteBlob('b.tif')
    expect((await runToEnd(r, id)).status).toBe('completed_with_errors')
    expect((await tasksOf(id)).filter((t) => t.stage === 2).map((t) => [t.task_key, t.status, t.error_code])).toEqual([
      ['a.tif', 'completed', null],
      ['b.tif', 'failed', 'BLOB_NOT_FOUND'],
      ['c.tif', 'completed', null],
    ])
    expect((await findJob(db, id))?.result_data).toMatchObject({ total_files: 3, successful: 2, failed: 1 })
  })
})

describe('a result above 64 KB lives in a blob and is read back whole', () => {
  test('the row keeps a reference, the next stage gets the value', async () => {
    const text = 'é'.repeat(100_000)
    const big = defineStage({
      name: 'make_big',
      params,
      result: z.object({ text: z.string() }),
      *plan() {
        yield { key: 'k' }
      },
      run: () => ({ text }),
    })
    const use = defineStage({
      name: 'use_big',
      params,
      after: big,
      result: z.object({ length: z.number() }),
      *plan() {
        yield { key: 'k' }
      },
      run: async (_t, ctx) => ({ length: (await ctx.predecessor()).text.length }),
    })
    const r = machine(db, { jobs: [defineJob({ name: 'big_job', description: '', params, stages: [big, use] })] })
    await r.service.getContainerClient('lamplighter').createIfNotExists()
    const id = await submitTo(r, 'big_job', {})
    expect((await runToEnd(r, id)).status).toBe('completed')
    const tasks = await tasksOf(id)
    expect(JSON.stringify(tasks[0]?.result_data).length).toBeLessThan(400)
    expect(tasks[1]?.result_data).toEqual({ length: 100_000 })
  })
})

describe('duplicate deliveries', () => {
  const shape = async (id: string) => (await tasksOf(id)).map((t) => [t.stage, t.task_key, t.status, t.result_data])
  const run = async (name: string, deliver: (r: Machine, id: string) => Promise<void>) => {
    const r = machine(db)
    const id = await submitTo(r, 'hello_world', { n: 120, name })
    await deliver(r, id)
    expect((await runToEnd(r, id)).status).toBe('completed')
    return (await shape(id)).map((row) => JSON.stringify(row).replaceAll(name, 'X'))
  }

  test('every activity delivered twice and three times, side by side: the rows of an undisturbed run', async () => {
    const undisturbed = await run('Once', () => Promise.resolve())
    for (const times of [2, 3]) {
      const disturbed = await run(`Times${times}`, async (r, id) => {
        for (;;) {
          const steps = await Promise.all(Array.from({ length: times }, () => advanceJob({ jobId: id, attempt: 1 }, r)))
          const step = steps[0]
          if (!step || step.kind === 'done') return
          if (step.kind !== 'run') continue
          await Promise.all(
            Array.from({ length: times * step.workers }, () => runTasks({ jobId: id, attempt: 1, stage: step.stage }, r)),
          )
          // And once more, late.
          await runTasks({ jobId: id, attempt: 1, stage: step.stage }, r)
        }
      })
      expect(disturbed).toEqual(undisturbed)
    }
    const events = await db.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM app.job_events e JOIN app.jobs j USING (job_id) WHERE e.event = 'stage.closed' AND j.parameters ->> 'name' LIKE 'Times%' GROUP BY job_id`,
    )
    expect(events).toEqual([{ n: 2 }, { n: 2 }])
  })

  test('malformed activity input is a named error', async () => {
    const r = machine(db)
    for (const input of [
      {},
      { jobId: 'x', attempt: 1 },
      { jobId: 'a'.repeat(64), attempt: 0 },
      { jobId: 'a'.repeat(64), attempt: 1, more: 1 },
    ]) {
      await expect(advanceJob(input as never, r)).rejects.toMatchObject({ code: 'INVALID_PARAMETERS' })
    }
    await expect(advanceJob({ jobId: 'a'.repeat(64), attempt: 1 }, r)).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' })
    expect(await runTasks({ jobId: 'a'.repeat(64), attempt: 1, stage: 1 }, r)).toEqual({ claimed: 0, completed: 0, failed: 0 })
  })
})

describe('the reconciler', () => {
  const status = (runtimeStatus: string, lastUpdatedTime = new Date().toISOString()): InstanceStatus => ({
    name: 'job',
    instanceId: '',
    runtimeStatus,
    input: null,
    customStatus: null,
    output: null,
    createdTime: lastUpdatedTime,
    lastUpdatedTime,
  })
  const fake = (found: InstanceStatus | undefined) => {
    const calls: string[] = []
    const instances: Instances = {
      start: (i) => Promise.resolve(void calls.push(`start ${i.attempt}`)),
      find: () => Promise.resolve(found),
      terminate: (_id, reason) => Promise.resolve(void calls.push(`terminate ${reason}`)),
    }
    return { instances, calls }
  }
  const old = '2020-01-01T00:00:00Z'
  const cases: [string, InstanceStatus | undefined, string[]][] = [
    ['missing: started', undefined, ['start 1']],
    ['running: left alone', status('Running'), []],
    ['suspended: left alone', status('Suspended'), []],
    ['failed outside the job: started again', status('Failed'), ['start 1']],
    ['completed although the job goes on: started again', status('Completed'), ['start 1']],
    ['terminated: started again', status('Terminated'), ['start 1']],
    ['pending for long: terminated, then started', status('Pending', old), ['terminate lost while pending', 'start 1']],
    ['just pending: left alone', status('Pending'), []],
  ]
  for (const [title, found, calls] of cases) {
    test(title, async () => {
      const own = await createDatabase()
      try {
        const r = machine(own.pool)
        const id = await submitTo(r, 'hello_world', { name: 'Reconcile' })
        await turn(r, id)
        const { instances, calls: made } = fake(found)
        expect(await reconcile(r, instances, 0)).toBe(calls.some((c) => c.startsWith('start')) ? 1 : 0)
        expect(made).toEqual(calls)
        const events = await own.pool.query(`SELECT 1 FROM app.job_events WHERE event = 'job.reconciled'`)
        expect(events).toHaveLength(calls.length > 0 ? 1 : 0)
      } finally {
        await own.drop()
      }
    })
  }

  test('a job whose start was never confirmed is started; a finished one and one with living leases are not looked at', async () => {
    const own = await createDatabase()
    try {
      const r = machine(own.pool)
      await submitTo(r, 'hello_world', { name: 'Never' })
      const finished = await submitTo(r, 'hello_world', { name: 'Finished' })
      await runToEnd(r, finished)
      const { instances, calls } = fake(undefined)
      expect(await reconcile(r, instances, 0)).toBe(1)
      expect(calls).toEqual(['start 1'])
      // Just repaired: it leaves the list for a while.
      expect(await reconcile(r, instances, 30)).toBe(0)
    } finally {
      await own.drop()
    }
  })

  test('one job that cannot be repaired does not keep the others waiting', async () => {
    const own = await createDatabase()
    try {
      const r = machine(own.pool)
      for (const name of ['A', 'B', 'C']) await submitTo(r, 'hello_world', { name })
      let n = 0
      const { instances } = fake(undefined)
      const flaky: Instances = {
        ...instances,
        start: () => (n++ === 1 ? Promise.reject(new Error('refused')) : Promise.resolve()),
      }
      expect(await reconcile(r, flaky, 0)).toBe(2)
    } finally {
      await own.drop()
    }
  })

  test('what old attempts left is deleted', async () => {
    const own = await createDatabase()
    try {
      const r = machine(own.pool)
      const id = await submitTo(r, 'hello_world', { n: 50, name: 'Old' })
      await runToEnd(r, id)
      await own.pool.query(`UPDATE app.stages SET retired_at = now()`)
      await reconcile(r, fake(undefined).instances, 0)
      expect(
        await own.pool.query(
          'SELECT (SELECT count(*)::int FROM app.tasks) AS tasks, (SELECT count(*)::int FROM app.stages) AS stages',
        ),
      ).toEqual([{ tasks: 0, stages: 0 }])
    } finally {
      await own.drop()
    }
  })
})
