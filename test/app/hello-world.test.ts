import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'

let app: TestApp
beforeAll(async () => void (app = await startApp()))
afterAll(() => app.stop())

async function counts(jobId: string): Promise<{ stage: number; n: number; distinct: number; starts: string }[]> {
  return app.database.pool.query(
    `SELECT s.stage_no AS stage, count(*)::int AS n, count(DISTINCT t.result_data)::int AS distinct FROM app.stages s JOIN app.tasks t USING (stage_id)
     WHERE s.job_id = $1 AND t.status = 'completed' AND t.result_data IS NOT NULL GROUP BY 1 ORDER BY 1`,
    [jobId],
  )
}

describe('exactly n results per stage, over HTTP', () => {
  for (const n of [1, 2, 3, 4, 5, 10, 20, 30, 100, 1000, 10_000, 30_000]) {
    test(`n = ${n}`, async () => {
      const { job_id, created } = await app.submit('hello_world', { n, name: 'Ada' })
      expect(created).toBe(true)
      const job = await app.waitForJob(job_id)
      expect(job).toMatchObject({
        status: 'completed',
        attempt: 1,
        stage: 2,
        result: { greetings: n, replies: n },
        progress: { percent: 100, done: 2 * n, total: 2 * n },
      })
      expect(await counts(job_id)).toEqual([
        { stage: 1, n, distinct: n },
        { stage: 2, n, distinct: n },
      ])
    })
  }

  test('each transition is recorded once, in order', async () => {
    const { job_id } = await app.submit('hello_world', { n: 7, name: 'Events' })
    await app.waitForJob(job_id)
    const { body } = await app.get(`/api/jobs/${job_id}/events`)
    const names = body.events.map((e: { event: string }) => e.event)
    // begin_job may confirm the start before the submitter does.
    expect(names.filter((n: string) => n !== 'job.start_confirmed')).toEqual([
      'job.submitted',
      'job.started',
      'stage.opened',
      'stage.closed',
      'stage.opened',
      'stage.closed',
      'job.finished',
    ])
  })
})

describe('the same submission is the same job', () => {
  test('twice: one id, one run, the second answer 200 once finished', async () => {
    const first = await app.submit('hello_world', { name: 'Twice' })
    await app.waitForJob(first.job_id)
    const again = await app.send('POST', '/api/jobs/submit/hello_world', { n: 1, name: 'Twice' })
    expect(again.status).toBe(200)
    expect(again.body).toMatchObject({
      job_id: first.job_id,
      created: false,
      status: 'completed',
      attempt: 1,
      parameters: { n: 1, name: 'Twice' },
    })
    const { body } = await app.get(`/api/jobs/${first.job_id}/events`)
    expect(body.events.filter((e: { event: string }) => e.event === 'job.started')).toHaveLength(1)
  })

  test('50 at once: one row, one created, one run', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => app.submit('hello_world', { n: 20, name: 'Crowd' })))
    expect(new Set(answers.map((a) => a.job_id)).size).toBe(1)
    expect(answers.filter((a) => a.created)).toHaveLength(1)
    const job = await app.waitForJob(answers[0]?.job_id ?? '')
    expect(job.result).toEqual({ greetings: 20, replies: 20 })
    const { body } = await app.get(`/api/jobs/${job.job_id}/events`)
    expect(body.events.filter((e: { event: string }) => e.event === 'job.started')).toHaveLength(1)
  })

  test('force after the end: a new attempt that starts from nothing; the same Idempotency-Key does not make a third', async () => {
    const first = await app.submit('hello_world', { n: 3, name: 'Force' })
    await app.waitForJob(first.job_id)
    const force = () =>
      app.send('POST', '/api/jobs/submit/hello_world?force=true', { n: 3, name: 'Force' }, { 'idempotency-key': 'k-1' })
    const second = await force()
    expect(second.body).toMatchObject({ job_id: first.job_id, created: true, attempt: 2 })
    expect(await app.waitForJob(first.job_id)).toMatchObject({
      status: 'completed',
      attempt: 2,
      result: { greetings: 3, replies: 3 },
    })
    expect((await force()).body).toMatchObject({ created: false, attempt: 2 })
    const rows = await app.database.pool.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM app.stages WHERE job_id = $1 AND retired_at IS NULL',
      [first.job_id],
    )
    expect(rows).toEqual([{ n: 2 }])
  })

  test('metadata is kept but not part of the identity', async () => {
    const a = await app.submit('hello_world', { name: 'Meta', dataset_id: 'd1' })
    const b = await app.submit('hello_world', { name: 'Meta', dataset_id: 'd2' })
    expect(b.job_id).toBe(a.job_id)
    expect((await app.get(`/api/jobs/${a.job_id}`)).body.metadata).toEqual({ dataset_id: 'd1' })
  })
})

test('lineage: a reply descends from its greeting', async () => {
  const { job_id } = await app.submit('hello_world', { n: 3, name: 'Line' })
  await app.waitForJob(job_id)
  const { body } = await app.get(`/api/jobs/${job_id}/tasks/2/reply_1`)
  expect(body).toMatchObject({
    task_key: 'reply_1',
    source_key: 'greet_1',
    result_data: { reply: 'Thank you for "Hello Line from task 1!"' },
    lineage: [
      { stage: 1, stage_name: 'say_greeting', task_key: 'greet_1', result_data: { greeting: 'Hello Line from task 1!' } },
    ],
  })
})
