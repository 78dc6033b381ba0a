import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { advanceJob } from '../../src/engine/advance.ts'
import type { Pool } from '../../src/db/pool.ts'
import { findJob } from '../../src/db/reading.ts'
import { type AnyJob, defineJob, defineStage } from '../../src/define/define-job.ts'
import { AppError } from '../../src/rules/errors.ts'
import { createDatabase, type TestDatabase } from '../support/db.ts'
import { machine, runToEnd, submitTo, tasksOf, turn } from '../support/machine.ts'

let database: TestDatabase
let db: Pool
beforeAll(async () => {
  database = await createDatabase()
  db = database.pool
})
afterAll(() => database.drop())

const parameters = z.strictObject({ id: z.string().default(() => randomUUID()) })

/** A job of one stage with n tasks and the given run. */
function oneStage(
  run: (task: { key: string; taskNo: number }, ctx: { claim: number; signal: AbortSignal }) => unknown,
  more: object = {},
  n = 3,
): AnyJob {
  const stage = defineStage({
    name: 'only_stage',
    parameters,
    result: z.object({ ok: z.boolean() }),
    *plan() {
      for (let i = 0; i < n; i++) yield { key: `t${i}` }
    },
    run: async (task, ctx) => (await run(task, ctx)) as { ok: boolean },
    ...more,
  })
  return defineJob({ name: 'one_stage', description: '', parameters, stages: [stage] })
}

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
  ]
  for (const [title, run, code, details] of cases) {
    test(title, async () => {
      const r = machine(db, { jobs: [oneStage(run, {}, 1)] })
      const id = await submitTo(r, 'one_stage', {})
      const end = await runToEnd(r, id)
      const [task] = await tasksOf(db, id)
      expect([end.status, task?.status, task?.error_code]).toEqual(['failed', 'failed', code])
      expect(task?.error_details).toMatch(details)
      const job = await findJob(db, id)
      expect(job?.error_code).toBe(code)
    })
  }
})

test('a result that cannot be stored fails its task alone, not the batch', async () => {
  const run = (task: { taskNo: number }) => ({ ok: true, text: task.taskNo === 2 ? 'a\u0000b' : 'fine' })
  const r = machine(db, { jobs: [oneStage(run, { result: z.object({ ok: z.boolean(), text: z.string() }) })] })
  const id = await submitTo(r, 'one_stage', {})
  expect((await runToEnd(r, id)).status).toBe('failed')
  expect((await tasksOf(db, id)).map((t) => [t.status, t.error_code])).toEqual([
    ['completed', null],
    ['failed', 'TEXT_NOT_STORABLE'],
    ['completed', null],
  ])
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
    expect(await tasksOf(db, id)).toMatchObject([{ status: 'failed', claims: 3, error_code: 'STORAGE_UNAVAILABLE' }])
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
    expect((await tasksOf(db, id)).every((t) => t.status === 'completed' && t.claims === 3 && t.error_code === null)).toBe(true)
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
    expect(await tasksOf(db, id)).toMatchObject([{ error_code: 'TASK_TIMEOUT' }])
    expect(aborted).toBe(true)
  })

  test('a stop signal in mid-task hands the task back at once, and costs it no claim', async () => {
    const stop = new AbortController()
    const r = machine(db, { jobs: [oneStage(() => new Promise(() => stop.abort()), {}, 1)], stopping: stop.signal })
    const id = await submitTo(r, 'one_stage', {})
    await turn(r, id)
    expect(await tasksOf(db, id)).toMatchObject([{ status: 'queued', error_code: null, claims: 0, lease_until: null }])
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
    expect(await tasksOf(db, id)).toMatchObject([{ status: 'processing', result_data: null }])
    expect(await advanceJob({ jobId: id, attempt: 1 }, r)).toEqual({ kind: 'done', status: 'cancelled', attempt: 1 })
  })
})

describe('a result above 64 KB lives in a blob and is read back whole', () => {
  test('the row keeps a reference, the next stage gets the value', async () => {
    const text = 'é'.repeat(100_000)
    const big = defineStage({
      name: 'make_big',
      parameters,
      result: z.object({ text: z.string() }),
      *plan() {
        yield { key: 'k' }
      },
      run: () => ({ text }),
    })
    const use = defineStage({
      name: 'use_big',
      parameters,
      after: big,
      result: z.object({ length: z.number() }),
      *plan() {
        yield { key: 'k' }
      },
      run: async (_t, ctx) => ({ length: (await ctx.predecessor()).text.length }),
    })
    const r = machine(db, { jobs: [defineJob({ name: 'big_job', description: '', parameters, stages: [big, use] })] })
    await r.service.getContainerClient('lamplighter').createIfNotExists()
    const id = await submitTo(r, 'big_job', {})
    expect((await runToEnd(r, id)).status).toBe('completed')
    const tasks = await tasksOf(db, id)
    expect(JSON.stringify(tasks[0]?.result_data).length).toBeLessThan(400)
    expect(tasks[1]?.result_data).toEqual({ length: 100_000 })
  })
})
