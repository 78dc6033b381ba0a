// What failed, since when, why: grouped by job, and across jobs; and where a failed task came from.
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { fill, type JobDocument, startApp, type TestApp } from '../support/app.ts'
import { type StorageProxy, startStorageProxy } from '../support/storage-proxy.ts'

let app: TestApp
let proxy: StorageProxy
let job: JobDocument
const ODD = ['a-s b/ž-s', `q'u"<&>`, '100%', 'x%2Fy', 'e?f#g', 'x'.repeat(1000)]
const GONE = ['gone_1.tif', 'gone_2.tif', 'gone_3.tif', 'gone_4.tif', 'gone_5.tif']
const FORBIDDEN = ['locked_1.tif', 'locked_2.tif', 'locked_3.tif']
const FINE = Array.from({ length: 20 }, (_, i) => `fine_${i}.tif`)

beforeAll(async () => {
  proxy = await startStorageProxy(inject('storage'))
  app = await startApp({ storage: proxy.connectionString })
  const client = await app.container()
  await fill(client, [...ODD, ...GONE, ...FORBIDDEN, ...FINE], 'x')
  // After the listing: a blob that is gone, and one that may not be read.
  proxy.fault = (line) =>
    line.includes('/gone_')
      ? { status: 404, code: 'BlobNotFound' }
      : line.includes('/locked_')
        ? { status: 403, code: 'AuthorizationPermissionMismatch' }
        : undefined
  const { job_id } = await app.submit('list_container', { container: client.containerName, metadata_level: 'full' })
  job = await app.waitForJob(job_id)
})
afterAll(async () => {
  await app.stop()
  await proxy.close()
})

test('files that are gone or locked fail alone: the job ends with errors, none is lost', () => {
  expect(job).toMatchObject({ status: 'completed_with_errors', result: { total_files: 34, successful: 26, failed: 8 } })
})

test('errors of a job are grouped by stage and code, most first, with one of each', async () => {
  const { body } = await app.get(job.links['errors'] ?? '')
  expect(body).toMatchObject({ count: 2, failed: 8 })
  expect(body.errors).toEqual([
    expect.objectContaining({
      stage: 2,
      stage_name: 'extract_metadata',
      error_code: 'BLOB_NOT_FOUND',
      count: 5,
      retryable: false,
      sample_key: 'gone_1.tif',
    }),
    expect.objectContaining({
      error_code: 'STORAGE_FORBIDDEN',
      count: 3,
      sample_details: expect.stringContaining('Storage Blob Data Reader'),
    }),
  ])
  expect((await app.get(`/api/jobs/${'0'.repeat(64)}/errors`)).status).toBe(404)
})

describe('failed tasks across jobs', () => {
  const since = new Date(Date.now() - 86_400_000).toISOString()
  const tasks = (query: string) => app.get(`/api/tasks?since=${encodeURIComponent(since)}${query}`)

  test('newest first, in pages: each once', async () => {
    const keys: string[] = []
    const times: string[] = []
    for (let next = ''; ;) {
      const { body } = await tasks(`&status=failed&limit=3${next}`)
      keys.push(...body.tasks.map((t: { task_key: string }) => t.task_key))
      times.push(...body.tasks.map((t: { finished_at: string }) => t.finished_at))
      if (!body.next) break
      next = `&next=${encodeURIComponent(body.next)}`
    }
    expect(keys.toSorted()).toEqual([...GONE, ...FORBIDDEN].toSorted())
    expect(times).toEqual(times.toSorted().toReversed())
  })

  test('every filter narrows', async () => {
    const count = async (query: string): Promise<number> => (await tasks(query)).body.count
    expect(await count('&error_code=STORAGE_FORBIDDEN')).toBe(3)
    expect(await count('&type=list_container')).toBe(8)
    expect(await count('&type=hello_world')).toBe(0)
    expect(await count('&stage_name=extract_metadata')).toBe(8)
    expect(await count('&stage_name=analyze_and_orchestrate')).toBe(0)
    expect(await count('&text=GONE_2')).toBe(1)
    expect(
      (await app.get(`/api/tasks?since=${encodeURIComponent(new Date(Date.now() + 3_600_000).toISOString())}`)).body.count,
    ).toBe(0)
    const { body } = await tasks('&limit=1')
    expect(body.tasks[0]).toMatchObject({ job_id: job.job_id, job_type: 'list_container', stage: 2, status: 'failed', claims: 1 })
  })

  test.each([
    ['', 'since'],
    ['?since=yesterday', 'since'],
    ['?since=2026-01-01T00:00:00Z&status=completed', 'status'],
    ['?since=2026-01-01T00:00:00Z&limit=1001', 'limit'],
    ['?since=2026-01-01T00:00:00Z&colour=red', 'colour'],
  ])('%s is refused', async (query, path) => {
    expect(await app.get(`/api/tasks${query}`)).toMatchObject({
      status: 400,
      body: { code: 'INVALID_QUERY', issues: [{ path }] },
    })
  })
})

describe('lineage', () => {
  const encoded = (key: string): string => key.split('/').map(encodeURIComponent).join('/')

  test.each([...ODD, ...GONE.slice(0, 1)])('of %s leads over the stages to where it began', async (key) => {
    // The host leaves `%2F` of a path as it is, so a percent sign of a key is written as %25.
    const { status, body } = await app.get(`/api/jobs/${job.job_id}/lineage/2/${encoded(key)}`)
    expect([status, body.complete, body.count]).toEqual([200, true, 2])
    expect(body.lineage.map((t: { stage: number; task_key: string }) => [t.stage, t.task_key])).toEqual([
      [2, key],
      [1, 'orchestrator'],
    ])
  })

  test('a task that is not there', async () => {
    expect(await app.get(`/api/jobs/${job.job_id}/lineage/2/nothing`)).toMatchObject({
      status: 404,
      body: { code: 'TASK_NOT_FOUND' },
    })
    expect(await app.get(`/api/jobs/${'0'.repeat(64)}/lineage/1/x`)).toMatchObject({
      status: 404,
      body: { code: 'JOB_NOT_FOUND' },
    })
  })
})
