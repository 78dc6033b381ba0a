import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeGeoTiff } from '../../local/demo/geotiff.ts'
import { fill, startApp, type TestApp } from '../support/app.ts'

let app: TestApp
beforeAll(async () => void (app = await startApp()))
afterAll(() => app.stop())

const names = (n: number, prefix = ''): string[] =>
  Array.from({ length: n }, (_, i) => `${prefix}d${i % 40}/file_${String(i).padStart(5, '0')}.${['tif', 'csv', 'json'][i % 3]}`)

async function list(container: string, more: object = {}) {
  const { job_id } = await app.submit('list_container', { container_name: container, ...more })
  return app.waitForJob(job_id)
}
const keysOf = async (jobId: string): Promise<string[]> =>
  (
    await app.database.pool.query<{ k: string }>(
      `SELECT task_key AS k FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1 AND s.stage_no = 2 AND t.status = 'completed'`,
      [jobId],
    )
  ).map((r) => r.k)

describe('list_container', () => {
  test('1,756 blobs: every file once, metadata queryable by SQL', async () => {
    const container = await app.container()
    await fill(container, names(1756), 'x,y\n1,2\n')
    const job = await list(container.containerName)
    expect(job).toMatchObject({
      status: 'completed',
      result: {
        stage: 'extract_metadata',
        total_files: 1756,
        files_to_process: 1756,
        successful: 1756,
        failed: 0,
        overflow_detected: false,
      },
    })
    expect((await keysOf(job.job_id)).sort()).toEqual(names(1756).sort())
    const [row] = await app.database.pool.query<{ n: number; bytes: number }>(
      `SELECT count(*)::int AS n, sum((result_data ->> 'size')::int)::int AS bytes FROM app.tasks t JOIN app.stages s USING (stage_id)
       WHERE s.job_id = $1 AND s.name = 'extract_metadata' AND result_data ->> 'extension' = 'tif' AND result_data ->> 'size_category' = 'tiny'`,
      [job.job_id],
    )
    expect(row).toEqual({ n: 586, bytes: 586 * 8 })
  })

  test('the expected duration comes from the recent rate, and is half a second a file before there is one', async () => {
    const fresh = await startApp()
    const container = await fresh.container()
    await fill(container, names(40))
    const estimate = async (max_files: number): Promise<number> => {
      const { job_id } = await fresh.submit('list_container', { container_name: container.containerName, max_files })
      await fresh.waitForJob(job_id)
      const { body } = await fresh.get(`/api/jobs/${job_id}/tasks/1/orchestrator`)
      return body.result_data.orchestration.estimated_duration_seconds as number
    }
    expect(await estimate(100)).toBe(20)
    expect(await estimate(101)).toBeLessThan(10)
    await fresh.stop()
  })

  test('an empty container completes with a warning; stages close with zero tasks', async () => {
    const container = await app.container()
    const job = await list(container.containerName, { create_index: true })
    expect(job).toMatchObject({ status: 'completed', result: { total_files: 0, successful: 0, warning: 'no files matched' } })
    expect(job.stages.map((s) => [s.expected, s.outcome])).toEqual([
      [1, 'completed'],
      [0, 'skipped'],
      [0, 'skipped'],
    ])
  })

  test('names with spaces, unicode, %2F, quotes and 1,024 characters survive byte for byte, with lineage', async () => {
    const container = await app.container()
    const odd = [
      'a b/ü.tif',
      '100%.tif',
      'x%2Fy.tif',
      'a?b#c.tif',
      `q'u"<&>.tif`,
      '🏮.tif',
      'é.tif',
      'e\u0301.tif',
      `${'n'.repeat(1020)}.tif`,
      'semi;colon:eq=.tif',
    ]
    await fill(container, odd, 'data')
    const job = await list(container.containerName, { metadata_level: 'full' })
    expect(job.status).toBe('completed')
    expect((await keysOf(job.job_id)).sort()).toEqual([...odd].sort())
    for (const key of odd) {
      const path = key.split('/').map(encodeURIComponent).join('/')
      const { status, body } = await app.get(`/api/jobs/${job.job_id}/tasks/2/${path}`)
      expect([status, body.task_key, body.lineage?.[0]?.task_key]).toEqual([200, key, 'orchestrator'])
    }
  })

  test('full: properties, tags and what the first bytes of a TIFF say', async () => {
    const container = await app.container()
    const tiff = encodeGeoTiff({
      width: 64,
      height: 32,
      samples: new Int16Array(2048),
      epsg: 3035,
      projected: true,
      origin: [0, 0],
      pixel: [1, 1],
    })
    await container.getBlockBlobClient('real.tif').uploadData(tiff, { metadata: { sensor: 'L8' } })
    await fill(container, ['empty.tif'])
    const job = await list(container.containerName, { metadata_level: 'full' })
    const resultOf = async (key: string) => (await app.get(`/api/jobs/${job.job_id}/tasks/2/${key}`)).body.result_data
    expect(await resultOf('real.tif')).toMatchObject({
      extraction_level: 'full',
      size: tiff.length,
      metadata: { sensor: 'L8' },
      detected_format: { format: 'TIFF', width: 64, height: 32, bands: 1, dtype: 'int16', epsg: 3035, is_cog: false },
      success: true,
    })
    expect(await resultOf('empty.tif')).toMatchObject({ size: 0, detected_format: null })
  })

  test('max_files: exactly the limit completes; one more fails with the message, or is cut with truncate; filter comes first', async () => {
    const container = await app.container()
    await fill(container, [...names(21, 'a/'), 'z/last.special'])
    const at = (max_files: number, more = {}) => list(container.containerName, { prefix: 'a/', max_files, ...more })
    expect(await at(21)).toMatchObject({ status: 'completed', result: { total_files: 21, overflow_detected: false } })
    const failed = await at(20)
    expect(failed).toMatchObject({ status: 'failed', error: { code: 'CONTAINER_TOO_LARGE' } })
    expect(failed.error?.details).toContain(
      `Container '${container.containerName}' has more than 20 matching files (max_files: 20). Narrow it with prefix or filter, raise max_files (up to 1000000), allow overflow=truncate, or run inventory_container.`,
    )
    expect(failed.stages).toHaveLength(1)
    const cut = await at(20, { overflow: 'truncate' })
    expect(cut).toMatchObject({
      status: 'completed',
      result: {
        total_files: 21,
        files_to_process: 20,
        overflow_detected: true,
        overflow_message: 'Showing first 20 of 21 files',
      },
    })
    expect(await list(container.containerName, { max_files: 1, file_filter: { extension: 'special' } })).toMatchObject({
      status: 'completed',
      result: { total_files: 1 },
    })
  })

  test('5,001 files at the default limit: refused without a second stage, then listed with a raised limit and an index', async () => {
    const container = await app.container()
    await fill(container, names(5001))
    const failed = await list(container.containerName)
    expect(failed).toMatchObject({ status: 'failed', error: { code: 'CONTAINER_TOO_LARGE' } })
    const job = await list(container.containerName, { max_files: 6000, create_index: true })
    expect(job).toMatchObject({
      status: 'completed',
      result: { total_files: 5001, successful: 5001, file_index_ref: { count: 5001, format: 'ndjson.gz' } },
    })
    expect(new Set(await keysOf(job.job_id)).size).toBe(5001)
    const [row] = await app.database.pool.query<{ bytes: number }>(
      `SELECT max(pg_column_size(result_data))::int AS bytes FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1`,
      [job.job_id],
    )
    expect(row?.bytes).toBeLessThanOrEqual(65_536)
  })
})

describe('summarize_container', () => {
  test('every number equals an independent recount', async () => {
    const container = await app.container()
    const files = [...names(120), 'a.b/c', 'db.gdb/x', 'db.gdb/y', '.gitignore']
    await fill(container, files, '12345')
    const { job_id } = await app.submit('summarize_container', { container: container.containerName })
    const job = await app.waitForJob(job_id)
    expect(job).toMatchObject({
      status: 'completed',
      result: {
        container: container.containerName,
        file_count: 123,
        total_size: 124 * 5,
        largest_file: { name: 'db.gdb', size_mb: 0 },
        size_distribution: { tiny: { count: 123, size: 620 } },
        type_distribution: {
          tif: { count: 40, size: 200 },
          csv: { count: 40, size: 200 },
          json: { count: 40, size: 200 },
          gdb: { count: 1, size: 10 },
          no_extension: { count: 2, size: 10 },
        },
        category_distribution: {
          raster: { count: 40, size: 200 },
          vector: { count: 81, size: 410 },
          other: { count: 2, size: 10 },
        },
        truncated: false,
        success: true,
      },
    })
  })
  test('max_files stops the scan and says so', async () => {
    const container = await app.container()
    await fill(container, names(5))
    const { job_id } = await app.submit('summarize_container', { container_name: container.containerName, max_files: 3 })
    expect((await app.waitForJob(job_id)).result).toMatchObject({ file_count: 3, truncated: true })
  })
})

describe('lists', () => {
  test('pages of jobs and tasks return each row once; a cursor of another query is refused', async () => {
    const { job_id } = await app.submit('hello_world', { n: 25, name: 'Paging' })
    await app.waitForJob(job_id)
    const seen: string[] = []
    for (let next = ''; ;) {
      const { body } = await app.get(`/api/jobs/${job_id}/tasks?stage=1&limit=10${next && `&next=${next}`}`)
      seen.push(...body.tasks.map((t: { task_key: string }) => t.task_key))
      next = body.next ?? ''
      if (!next) break
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_, i) => `greet_${i}`))
    const page = await app.get(`/api/jobs/${job_id}/tasks?limit=10`)
    expect((await app.get(`/api/jobs/${job_id}/tasks?stage=1&limit=10&next=${page.body.next}`)).body.code).toBe('INVALID_CURSOR')
    const jobs = await app.get('/api/jobs?limit=1&type=hello_world')
    expect(jobs.body.jobs).toMatchObject([{ job_id, status: 'completed' }])
    expect(
      (await app.get('/api/jobs?status=failed')).body.jobs.every(
        (j: { error_code: string }) => j.error_code === 'CONTAINER_TOO_LARGE',
      ),
    ).toBe(true)
    expect((await app.get('/api/jobs?text=paging')).body.count).toBe(1)
  })
})

test('the bundle holds no local module and no development dependency', async () => {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { devDependencies: Record<string, string> }
  const { buildApp } = await import('../../local/build-app.ts')
  const { mkdtempSync, rmSync } = await import('node:fs')
  const { tmpdir } = await import('node:os')
  const folder = mkdtempSync(`${tmpdir()}/lamplighter-bundle-`)
  const { inputs } = await buildApp(folder)
  rmSync(folder, { recursive: true, force: true })
  for (const path of Object.keys(inputs)) {
    expect(path).not.toMatch(/^(local|test|bench|scripts)\//)
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]
    if (name) expect(Object.keys(manifest.devDependencies)).not.toContain(name)
  }
})
