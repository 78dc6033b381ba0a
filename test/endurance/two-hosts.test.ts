// Two hosts on one database, and hosts with few connections: one effect per task, never more connections than allowed.
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { startApp } from '../support/app.ts'
import { until } from 'functions-host/testing'

test('two hosts own one job: each task has one effect, each stage one closure', async () => {
  // One worker at a time, so that the job outlasts the start of the second host, also on a busy machine.
  const first = await startApp({ env: { AzureFunctionsJobHost__extensions__durableTask__maxConcurrentActivityFunctions: '1' } })
  const n = 40_000
  const { job_id } = await first.submit('hello_world', { n, name: randomUUID() })
  const handedOut = `SELECT 1 FROM app.stages WHERE job_id = $1 AND claim_cursor > 500`
  await until('tasks were handed out', async () => (await first.database.pool.query(handedOut, [job_id]))[0])
  // Its task hub is its own: at its start it finds a job that it knows no instance of, and starts one.
  const second = await startApp({ databaseUrl: first.database.appUrl })
  await until('the second host knows an instance', async () => {
    const { runtime_status, status } = (await second.get(`/api/jobs/${job_id}`)).body as Record<string, unknown>
    if (runtime_status === null) expect(status, 'the job must outlast the start of the second host').toBe('processing')
    return runtime_status ?? undefined
  })
  expect(await first.waitForJob(job_id)).toMatchObject({ status: 'completed', result: { greetings: n, replies: n } })
  const rows = await first.database.pool.query(
    `SELECT s.stage_no AS stage, count(*)::int AS n, count(DISTINCT t.result_data)::int AS results, max(t.claims)::int AS most
     FROM app.stages s JOIN app.tasks t USING (stage_id) WHERE s.job_id = $1 AND t.status = 'completed' GROUP BY 1 ORDER BY 1`,
    [job_id],
  )
  expect(rows).toEqual([1, 2].map((stage) => ({ stage, n, results: n, most: 1 })))
  const events = await first.database.pool.query(
    `SELECT event, count(*)::int AS n FROM app.job_events WHERE job_id = $1 AND event IN ('stage.closed', 'job.finished') GROUP BY 1 ORDER BY 1`,
    [job_id],
  )
  expect(events).toEqual([
    { event: 'job.finished', n: 1 },
    { event: 'stage.closed', n: 2 },
  ])
  await second.stop()
  await first.stop()
})

test('a pool of two: twelve jobs queue for it and end, and there are never more than two connections', async () => {
  const app = await startApp({ env: { PG_POOL_MAX: '2' } })
  const ids = await Promise.all(
    Array.from({ length: 12 }, async (_, i) => (await app.submit('hello_world', { n: 300 + i, name: randomUUID() })).job_id),
  )
  let most = 0
  const running = `SELECT count(*)::int AS n FROM app.jobs WHERE status IN ('queued', 'processing')`
  const connections = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'lamplighter'`
  // The pool that looks is of the same name: it holds one connection besides.
  const [own] = await app.database.pool.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lamplighter' AND client_port IN (
       SELECT client_port FROM pg_stat_activity WHERE pid = pg_backend_pid())`,
  )
  expect(own?.n).toBe(1)
  while (((await app.database.pool.query<{ n: number }>(running))[0]?.n ?? 0) > 0)
    most = Math.max(most, (await app.database.pool.query<{ n: number }>(connections))[0]?.n ?? 0)
  for (const [i, id] of ids.entries())
    expect(await app.waitForJob(id)).toMatchObject({ status: 'completed', result: { replies: 300 + i } })
  expect(most).toBeGreaterThan(0)
  expect(most).toBeLessThanOrEqual(2)
  await app.stop()
})
