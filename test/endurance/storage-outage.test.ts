// Blob storage that is down for a while: callers are told quickly, jobs wait and go on, nothing is restarted.
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { fill, startApp, type TestApp } from '../support/app.ts'
import { type StorageProxy, startStorageProxy } from '../support/storage-proxy.ts'
import { until } from 'functions-host/testing'

let app: TestApp
let proxy: StorageProxy
let container: string
const DOWN = { status: 503, code: 'ServerBusy' }
beforeAll(async () => {
  proxy = await startStorageProxy(inject('storage'))
  app = await startApp({ storage: proxy.connectionString, env: { BREAKER_COOLDOWN_SECONDS: '2' } })
  const client = await app.container()
  container = client.containerName
  await fill(client, ['a/1.tif', 'a/2.tif', 'b.csv'], 'x')
})
afterAll(async () => {
  await app.stop()
  await proxy.close()
})

test('endpoints answer 503 with Retry-After, ready says why; then all is well again', async () => {
  proxy.fault = () => DOWN
  for (const path of [
    `/api/containers/${container}/blobs`,
    `/api/containers/${container}/summary`,
    `/api/containers/${container}/blobs/b.csv`,
  ]) {
    const { status, body, headers } = await app.get(path)
    expect([status, body.code, headers.has('retry-after')]).toEqual([503, 'STORAGE_UNAVAILABLE', true])
  }
  expect(await app.send('POST', '/api/jobs/submit/summarize_container', { container })).toMatchObject({ status: 503 })
  const ready = await app.get('/api/health/ready')
  expect([ready.status, ready.body.checks.slice(0, 2)]).toEqual([
    503,
    [expect.objectContaining({ name: 'postgres', status: 'ok' }), expect.objectContaining({ name: 'storage', status: 'failed' })],
  ])
  proxy.fault = () => undefined
  expect((await app.get(`/api/containers/${container}/blobs`)).status).toBe(200)
  expect((await app.get('/api/health/ready')).status).toBe(200)
})

test('a job whose storage goes away is tried again and completes, every file once', async () => {
  // Submission asks whether the container exists; everything after it fails until a task was recorded as tried.
  proxy.fault = (line) => (line.includes('comp=list') ? DOWN : undefined)
  const { job_id } = await app.submit('list_container', { container })
  const tried = `SELECT 1 FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1 AND t.status = 'retrying' AND t.error_code = 'STORAGE_UNAVAILABLE'`
  await until('a task waits for its next try', async () => (await app.database.pool.query(tried, [job_id]))[0])
  proxy.fault = () => undefined
  const job = await app.waitForJob(job_id)
  expect(job).toMatchObject({ status: 'completed', attempt: 1, result: { successful: 3, failed: 0 } })
  const { body } = await app.get(`/api/jobs/${job_id}/tasks/1/orchestrator`)
  expect(body.claims).toBeGreaterThanOrEqual(2)
})

test('while storage is down, tasks wait unclaimed; one probe finds it back, and no task used up its claims', async () => {
  const names = Array.from({ length: 120 }, (_, i) => `many/${i}`)
  const client = await app.container()
  await fill(client, names, 'x')
  const { job_id } = await app.submit('list_container', {
    container: client.containerName,
    metadata_level: 'full',
    prefix: 'many/',
  })
  const stage2 = `SELECT 1 FROM app.stages WHERE job_id = $1 AND stage_no = 2 AND status = 'open'`
  await until('the second stage has begun', async () => (await app.database.pool.query(stage2, [job_id]))[0])
  proxy.fault = (line) => (line.includes('/many/') ? DOWN : undefined)
  const open = `SELECT 1 FROM app.circuit_breakers WHERE name = 'storage' AND state = 'open'`
  await until('the breaker is open', async () => (await app.database.pool.query(open))[0])
  expect((await app.get('/api/health/ready')).body.breakers).toEqual([
    expect.objectContaining({ name: 'storage', state: 'open' }),
  ])
  const processing = `SELECT 1 FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1 AND t.status = 'processing'`
  await until(
    'no task is processing',
    async () => (await app.database.pool.query(processing, [job_id])).length === 0 || undefined,
  )
  proxy.fault = () => undefined
  expect(await app.waitForJob(job_id)).toMatchObject({ status: 'completed', result: { successful: 120, failed: 0 } })
  expect(await app.database.pool.query(open)).toEqual([])
  const [row] = await app.database.pool.query<{ most: number }>(
    `SELECT max(t.claims)::int AS most FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1 AND s.stage_no = 2`,
    [job_id],
  )
  expect(row?.most).toBeLessThanOrEqual(3)
}, 90_000)
