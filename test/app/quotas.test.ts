// One caller cannot keep the system from others: bounds of its jobs and tasks.
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { defineJob, defineStage } from '../../src/define/define-job.ts'
import { findJob } from '../../src/db/reading.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createDatabase } from '../support/db.ts'
import { machine, runToEnd, submitTo } from '../support/machine.ts'

let app: TestApp
beforeAll(async () => void (app = await startApp({ env: { MAX_JOBS_PER_CALLER: '2', MAX_TASKS_PER_CALLER: '100000' } })))
afterAll(() => app.stop())

const submit = (n: number, name: string) => app.send('POST', '/api/jobs/submit/hello_world', { n, name })

test('more jobs than a caller may have at once: 429 with Retry-After; joining one of them is none; room is there again when one ends', async () => {
  const first = (await submit(30_000, 'one')).body
  const second = (await submit(30_000, 'two')).body
  for (const { job_id } of [first, second]) await app.send('POST', `/api/jobs/${job_id}/pause`, { reason: 'held for the test' })
  const refused = await submit(1, 'three')
  expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([429, 'TOO_MANY_JOBS', '30'])
  expect(refused.body.detail).toBe('2 jobs of key have not ended, 2 at most (MAX_JOBS_PER_CALLER).')
  expect((await submit(30_000, 'two')).status).toBe(202)
  expect(await findJob(app.database.pool, refused.body.job_id ?? 'none')).toBeUndefined()
  await app.send('POST', `/api/jobs/${first.job_id}/cancel`, { reason: 'room' })
  expect((await submit(1, 'three')).status).toBe(202)
  await app.send('POST', `/api/jobs/${second.job_id}/cancel`, { reason: 'end' })
})

test('tasks that wait: a submission beyond them is refused, and a plan that would pass them fails by name', async () => {
  const { pool, drop } = await createDatabase()
  const parameters = z.strictObject({ n: z.number() })
  const stage = defineStage({
    name: 'many',
    parameters,
    result: z.object({}),
    *plan({ parameters: { n } }) {
      for (let i = 0; i < n; i++) yield { key: `t${i}` }
    },
    run: () => ({}),
  })
  const r = machine(pool, { jobs: [defineJob({ name: 'many_tasks', description: '', parameters, stages: [stage] })] })
  Object.assign(r.settings, { maxTasksPerCaller: 7000 })
  const id = await submitTo(r, 'many_tasks', { n: 9000 })
  expect(await runToEnd(r, id)).toMatchObject({ status: 'failed' })
  expect(await findJob(pool, id)).toMatchObject({
    error_code: 'QUOTA_EXCEEDED',
    error_details:
      '6000 tasks of this caller wait for a worker; 2000 more of this plan would be above 7000 (MAX_TASKS_PER_CALLER).',
  })
  const fits = await submitTo(r, 'many_tasks', { n: 6999 })
  expect(await runToEnd(r, fits)).toMatchObject({ status: 'completed' })
  await drop()
})
