// Poisoned tasks: shown, exported, requeued to a good end, given up.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { advanceJob } from '../../src/engine/advance.ts'
import { claimTasks } from '../../src/db/task-functions.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { machine, runToEnd, submitTo } from '../support/machine.ts'

let app: TestApp
beforeAll(async () => void (app = await startApp()))
afterAll(() => app.stop())

const poison = (body?: object) => app.send(body ? 'POST' : 'GET', '/api/monitor/poison', body)

/** A job whose only task was claimed four times by workers that never came back. */
async function poisonedJob(): Promise<string> {
  const r = machine(app.database.pool)
  const id = await submitTo(r, 'hello_world', { n: 1, name: randomUUID() })
  await advanceJob({ jobId: id, attempt: 1 }, r)
  for (let i = 0; i < 4; i++)
    expect(
      await claimTasks(r.db, { job_id: id, attempt: 1, stage_no: 1, limit: 1, worker: randomUUID(), lease: 0 }),
    ).toHaveLength(1)
  expect(await runToEnd(r, id)).toMatchObject({ status: 'failed' })
  return id
}

test('a fresh system is healthy', async () => {
  expect(await poison()).toMatchObject({
    status: 200,
    body: { status: 'healthy', poison_messages_found: 0, tasks: [], queue_details: [] },
  })
})

test('shown, exported, then requeued: the job completes as a new attempt', async () => {
  const id = await poisonedJob()
  const { body } = await poison()
  expect(body).toMatchObject({
    status: 'attention_needed',
    poison_messages_found: 1,
    queue_details: [{ job_type: 'hello_world', stage_name: 'say_greeting', tasks: 1, jobs: 1 }],
    tasks: [{ job_id: id, task_key: 'greet_0', error_code: 'POISON', claims: 4 }],
  })
  const lines = (await poison({ action: 'export', job_id: id })).body.trimEnd().split('\n')
  expect(lines.map((l: string) => JSON.parse(l).parameters)).toEqual([{ index: 0 }])
  expect((await poison({ action: 'requeue', reason: 'worker had too little memory' })).body).toMatchObject({
    requeued: 1,
    refused: [],
    status: 'healthy',
  })
  expect(await app.waitForJob(id, 'completed')).toMatchObject({ attempt: 2, result: { greetings: 1, replies: 1 } })
})

test('given up: it stays failed under a code of its own, and is no poison any more', async () => {
  const [one, other] = [await poisonedJob(), await poisonedJob()]
  expect((await poison({ action: 'discard', reason: 'known bad file', job_id: one })).body).toMatchObject({
    discarded: 1,
    poison_messages_found: 1,
    tasks: [{ job_id: other }],
  })
  expect((await app.get(`/api/jobs/${one}/errors`)).body.errors).toMatchObject([{ error_code: 'POISON_DISCARDED', count: 1 }])
  expect((await poison({ action: 'discard', reason: 'again', job_id: one })).body).toMatchObject({ discarded: 0 })
  expect((await poison({ action: 'discard', reason: 'all' })).body).toMatchObject({ discarded: 1, status: 'healthy' })
})

test.each([
  [{ action: 'delete' }, 'action'],
  [{ action: 'requeue' }, 'reason'],
  [{ action: 'discard', reason: 'x', job_id: 'y' }, 'job_id'],
])('%j is refused', async (body, path) => {
  expect(await poison(body)).toMatchObject({ status: 400, body: { issues: [{ path }] } })
})
