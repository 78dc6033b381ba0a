import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { alive } from 'functions-host/testing'
import { until } from 'functions-host/testing'

let app: TestApp
beforeAll(async () => void (app = await startApp()))
afterAll(() => app.stop())

const CLAIMED = `SELECT count(*)::int AS n FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1 AND t.status <> 'queued'`

const ACTIVE = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'`

/** Resolves when at least this many tasks of the job were handed out. */
async function handedOut(jobId: string, least: number, of: TestApp = app): Promise<void> {
  await until(`${least} tasks of the job were handed out`, async () => {
    const [row] = await of.database.pool.query<{ n: number }>(CLAIMED, [jobId])
    return (row?.n ?? 0) >= least || undefined
  })
}

async function everyEffectOnce(jobId: string, n: number): Promise<void> {
  const rows = await app.database.pool.query(
    `SELECT s.stage_no AS stage, count(*)::int AS n, count(DISTINCT t.result_data)::int AS results FROM app.stages s JOIN app.tasks t USING (stage_id)
     WHERE s.job_id = $1 AND t.status = 'completed' GROUP BY 1 ORDER BY 1`,
    [jobId],
  )
  expect(rows).toEqual([
    { stage: 1, n, results: n },
    { stage: 2, n, results: n },
  ])
}

test('host killed with -9 three times in one job: it completes, every effect exactly once, no worker survives', async () => {
  const n = 5000
  const { job_id } = await app.submit('hello_world', { n, name: 'Phoenix' })
  const workers: number[] = []
  for (const least of [1, 2400, 5400]) {
    await handedOut(job_id, least)
    workers.push(app.host.workerPid)
    await app.host.kill()
    await app.restart()
  }
  const job = await app.waitForJob(job_id)
  expect(job).toMatchObject({ status: 'completed', attempt: 1, result: { greetings: n, replies: n } })
  await everyEffectOnce(job_id, n)
  expect(workers.filter(alive)).toEqual([])
  const { body } = await app.get(`/api/jobs/${job_id}/events`)
  expect(body.events.filter((e: { event: string }) => e.event === 'job.reconciled').length).toBeGreaterThanOrEqual(1)
  expect(body.events.filter((e: { event: string }) => e.event === 'stage.closed')).toHaveLength(2)
})

test('leases of an hour: what a killed host had claimed goes on as soon as the next one has seen that it is dead', async () => {
  const slow = await startApp({ env: { LEASE_SECONDS: '3600', WEBSITE_INSTANCE_ID: 'the same place' } })
  const { job_id } = await slow.submit('hello_world', { n: 6000, name: 'Lease' })
  // A kill between two batches leaves no lease: the next one then.
  for (let least = 500; ; least += 1000) {
    await handedOut(job_id, least, slow)
    await slow.host.kill()
    // What the dead had sent may still be committed: counted when nothing of theirs runs any more.
    await until(
      'nothing of the killed host runs in Postgres',
      async () => (await slow.database.pool.query(ACTIVE)).length === 0 || undefined,
    )
    const held = await slow.database.pool.query(`SELECT FROM app.tasks WHERE status = 'processing'`)
    await slow.restart()
    if (held.length > 0) break
  }
  expect(await slow.waitForJob(job_id)).toMatchObject({ status: 'completed', result: { greetings: 6000, replies: 6000 } })
  const held = await slow.database.pool.query(`SELECT FROM app.job_events WHERE event = 'hosts.released'`)
  expect(held.length).toBeGreaterThanOrEqual(1)
  await slow.stop()
})

test('worker killed with -9 in mid-job: the host lives on, answers, and the job completes', async () => {
  const n = 5000
  const { job_id } = await app.submit('hello_world', { n, name: 'Worker' })
  await handedOut(job_id, 2000)
  process.kill(app.host.workerPid, 'SIGKILL')
  expect((await fetch(`${app.host.url}/admin/host/status`)).status).toBe(200)
  const job = await app.waitForJob(job_id)
  expect(job).toMatchObject({ status: 'completed', result: { greetings: n, replies: n } })
  await everyEffectOnce(job_id, n)
})

test('an orderly stop in mid-job loses nothing, and the status of finished jobs is answered from Postgres after the restart', async () => {
  const done = await app.submit('hello_world', { name: 'Before' })
  await app.waitForJob(done.job_id)
  const { job_id } = await app.submit('hello_world', { n: 5000, name: 'Orderly' })
  await handedOut(job_id, 1000)
  await app.host.stop()
  await app.restart()
  const instance = await app.get(`/api/jobs/${done.job_id}/instance`)
  expect([instance.status, instance.body.runtimeStatus, instance.body.output]).toEqual([
    200,
    'Completed',
    { status: 'completed', attempt: 1 },
  ])
  expect(await app.waitForJob(job_id)).toMatchObject({ status: 'completed' })
  await everyEffectOnce(job_id, 5000)
})

test('random batch sizes of the engine give the same rows', async () => {
  for (const seed of [1, 2]) {
    const seeded = await startApp({ seed })
    const { job_id } = await seeded.submit('hello_world', { n: 500, name: 'Seed' })
    expect(await seeded.waitForJob(job_id)).toMatchObject({ status: 'completed', result: { greetings: 500, replies: 500 } })
    await seeded.stop()
  }
})
