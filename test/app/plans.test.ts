import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
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

describe('lineage: what becomes of a task whose predecessor did not complete', () => {
  const first = (fails: boolean) =>
    defineStage({
      name: 'make_source',
      parameters,
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
      parameters,
      after: before,
      onTaskFailure: 'continue',
      result: z.object({ n: z.number() }),
      *plan() {
        yield { key: 'bad-s2/é', ...(source === undefined ? {} : { source }) }
      },
      run: async (_task, ctx) => ({ n: (await ctx.predecessor()).n + 1 }),
    })
    return defineJob({ name: 'lineage_job', description: '', parameters, stages: [before, after] })
  }
  const cases: [string, boolean, string | undefined, object][] = [
    ['completed, same key', false, undefined, { status: 'completed', result_data: { n: 2 } }],
    ['completed, named source', true, 'good', { status: 'completed', result_data: { n: 2 } }],
    ['failed, same key', true, undefined, { status: 'skipped', error_code: 'PREDECESSOR_FAILED' }],
    ['failed, named source', true, 'bad-s2/é', { status: 'skipped', error_code: 'PREDECESSOR_FAILED' }],
    ['missing', false, 'no such key', { status: 'failed', error_code: 'PREDECESSOR_MISSING' }],
  ]
  for (const [title, fails, source, expected] of cases) {
    test(title, async () => {
      const r = machine(db, { jobs: [job(fails, source)] })
      const id = await submitTo(r, 'lineage_job', {})
      await runToEnd(r, id)
      expect((await tasksOf(db, id)).filter((t) => t.stage === 2)).toMatchObject([expected])
    })
  }
})

test('predecessors are one query for each claimed batch, not one for each task', async () => {
  const before = defineStage({
    name: 'make_source',
    parameters,
    result: z.object({ n: z.number() }),
    *plan() {
      for (let i = 0; i < 120; i++) yield { key: `task-s1/${i}`, parameters: { n: i } }
    },
    run: (task) => ({ n: task.parameters.n }),
  })
  const after = defineStage({
    name: 'use_source',
    parameters,
    after: before,
    maxParallel: 1,
    result: z.object({ n: z.number() }),
    *plan() {
      for (let i = 0; i < 120; i++) yield { key: `task-s1/${i}` }
    },
    run: async (_task, ctx) => ({ n: (await ctx.predecessor()).n + 1000 }),
  })
  const r = machine(db, { jobs: [defineJob({ name: 'counted_job', description: '', parameters, stages: [before, after] })] })
  let asked = 0
  const counting: Pool = {
    ...db,
    query: (text, values) => {
      if (text.includes('AS k(key)')) asked++
      return db.query(text, values)
    },
  }
  const id = await submitTo(r, 'counted_job', {})
  await runToEnd({ ...r, db: counting }, id)
  // Tasks of one claim began at one moment: a claim of 50, and what that one's speed allows.
  const [claims] = await db.query<{ n: number }>(
    `SELECT count(DISTINCT t.started_at)::int AS n FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1 AND s.stage_no = 2`,
    [id],
  )
  expect(asked).toBe(claims?.n)
  expect(asked).toBeLessThanOrEqual(3)
  expect((await tasksOf(db, id)).filter((t) => t.stage === 2).map((t) => t.result_data)).toEqual(
    Array.from({ length: 120 }, (_, i) => ({ n: i + 1000 })),
  )
})

describe('plans', () => {
  const planned = (plan: () => Iterable<{ key: string }> | AsyncIterable<{ key: string }>): AnyJob =>
    defineJob({
      name: 'planned_job',
      description: '',
      parameters,
      stages: [defineStage({ name: 'only_stage', parameters, result: z.object({}), plan, run: () => ({}) })],
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
      const tasks = await tasksOf(db, id)
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
    const name = `t-${randomUUID().slice(0, 18)}`
    const r = machine(db, { allowed: [name] })
    const container = r.service.getContainerClient(name)
    await container.create()
    const id = await submitTo(r, 'list_container', { container_name: name })
    await container.delete()
    expect((await runToEnd(r, id)).status).toBe('failed')
    expect(await findJob(db, id)).toMatchObject({ error_code: 'CONTAINER_NOT_FOUND' })
  })

  test('a file that is gone after the listing fails its task, never the others', async () => {
    const name = `t-${randomUUID().slice(0, 18)}`
    const r = machine(db, { allowed: [name] })
    const container = r.service.getContainerClient(name)
    await Promise.all([container.create(), r.service.getContainerClient('lamplighter').createIfNotExists()])
    for (const file of ['a.tif', 'b.tif', 'c.tif']) await container.getBlockBlobClient(file).upload('x', 1)
    const id = await submitTo(r, 'list_container', { container_name: container.containerName, metadata_level: 'full' })
    await turn(r, id)
    await container.deleteBlob('b.tif')
    expect((await runToEnd(r, id)).status).toBe('completed_with_errors')
    expect((await tasksOf(db, id)).filter((t) => t.stage === 2).map((t) => [t.task_key, t.status, t.error_code])).toEqual([
      ['a.tif', 'completed', null],
      ['b.tif', 'failed', 'BLOB_NOT_FOUND'],
      ['c.tif', 'completed', null],
    ])
    expect((await findJob(db, id))?.result_data).toMatchObject({ total_files: 3, successful: 2, failed: 1 })
  })
})
