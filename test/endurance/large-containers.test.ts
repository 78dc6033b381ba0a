// 10,040 blobs in 30 folders: listed, inventoried under kills, compared; every number against an independent recount.
import { BlobServiceClient } from '@azure/storage-blob'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { ListRef } from '../../src/models/blob.ts'
import { openBlobStore } from '../../src/storage/blob-store.ts'
import { readList } from '../../src/inventory/list-file.ts'
import { fill, startApp, type TestApp } from '../support/app.ts'
import { startStorageProxy } from '../support/storage-proxy.ts'
import { until } from 'functions-host/testing'

let app: TestApp
let container: string
const service = () => BlobServiceClient.fromConnectionString(inject('storage'))
/** Five folders d0…, ten d1…, fifteen beyond. */
const folderOf = (i: number): number => (i % 30 < 5 ? i % 30 : (i % 30) + 5)
const NAMES = [
  ...Array.from(
    { length: 10_000 },
    (_, i) => `d${String(folderOf(i)).padStart(2, '0')}/f_${String(i).padStart(5, '0')}.${['tif', 'csv', 'json'][i % 3]}`,
  ),
  ...Array.from({ length: 20 }, (_, i) => `parcels.gdb/a${i}.gdbtable`),
  ...Array.from({ length: 20 }, (_, i) => `beside_${i}.txt`),
]
/** Small groups of equal content: by number modulo 4,000. */
const bodyOf = (i: number): string => `content ${i % 4000}`

beforeAll(async () => {
  app = await startApp()
  const client = await app.container()
  container = client.containerName
  for (let at = 0; at < NAMES.length; at += 200)
    await Promise.all(
      NAMES.slice(at, at + 200).map((name, j) =>
        client.getBlockBlobClient(name).upload(bodyOf(at + j), Buffer.byteLength(bodyOf(at + j))),
      ),
    )
}, 120_000)
afterAll(() => app.stop())

async function linesOf(ref: ListRef): Promise<string[]> {
  const body = await service().getContainerClient(ref.container).getBlobClient(ref.blob).downloadToBuffer()
  return gunzipSync(body).toString('utf8').trimEnd().split('\n')
}
async function run(type: string, parameters: object, query = '') {
  const { job_id } = await app.submit(type, { ...parameters }, query)
  return app.waitForJob(job_id)
}

test('10,040 blobs are three requests of 5,000, counted; taken up again in the middle, nothing is lost or doubled', async () => {
  const proxy = await startStorageProxy(inject('storage'))
  const store = openBlobStore({ connectionString: proxy.connectionString, accountUrl: undefined, allowed: new Set([container]) })
  const sorted = NAMES.toSorted()
  const all = async (startFrom?: string): Promise<string[]> => {
    const names: string[] = []
    for await (const page of store.list(container, startFrom ? { startFrom } : {})) names.push(...page.blobs.map((b) => b.name))
    return names
  }
  expect(await all()).toEqual(sorted)
  expect(proxy.seen).toHaveLength(3)
  expect(await all(sorted[7000])).toEqual(sorted.slice(7000))
  await proxy.close()
})

describe('inventory_container', () => {
  test('the worker is killed twice while ranges are listed: parts, counts and duplicates as if undisturbed', async () => {
    const { job_id } = await app.submit('inventory_container', { container, level: 'full', label: 'first' })
    for (const finished of [1, 12]) {
      await until('tasks of the second stage are completed', async () => {
        const [row] = await app.database.pool.query<{ n: number }>(
          `SELECT count(*)::int AS n FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1 AND s.stage_no = 2 AND t.status = 'completed'`,
          [job_id],
        )
        return (row?.n ?? 0) >= finished || undefined
      })
      process.kill(app.host.workerPid, 'SIGKILL')
    }
    const job = await app.waitForJob(job_id)
    expect(job).toMatchObject({ status: 'completed', error: null })
    const inventory = job.result as unknown as {
      blobs_ref: { parts: ListRef[]; count: number }
      by_prefix: { prefix: string; count: number }[]
      duplicates: { groups: number; without_md5: number }
    }
    // A geodatabase is one entry.
    expect(inventory).toMatchObject({
      container_name: container,
      blob_count: 10_021,
      level: 'full',
      truncated: false,
      success: true,
    })
    const names = (await Promise.all(inventory.blobs_ref.parts.map(linesOf)))
      .flat()
      .map((line) => (JSON.parse(line) as { name: string }).name)
    expect(names).toHaveLength(10_021)
    expect(names.toSorted()).toEqual([...NAMES.filter((n) => !n.startsWith('parcels.gdb/')), 'parcels.gdb'].toSorted())
    expect(inventory.blobs_ref.parts.map((p) => p.count).reduce((a, b) => a + b, 0)).toBe(10_021)
    // 30 folders, the geodatabase, and the blobs beside them.
    expect(inventory.blobs_ref.parts).toHaveLength(32)
    expect(Object.fromEntries(inventory.by_prefix.map((p) => [p.prefix, p.count]))).toMatchObject({
      'd00/': 334,
      'd34/': 333,
      '': 21,
    })
    const bodies = NAMES.flatMap((name, i) => (name.startsWith('parcels.gdb/') ? [] : [bodyOf(i)]))
    const groups = [...Map.groupBy(bodies, (b) => b).values()].filter((g) => g.length > 1).length
    expect(inventory.duplicates).toMatchObject({ groups, without_md5: 1 })
  })

  test('a filter and a prefix narrow it; an empty result says so', async () => {
    const some = await run('inventory_container', { container, prefix: 'd0', file_filter: { extension: 'tif' } })
    const wanted = NAMES.filter((n) => n.startsWith('d0') && n.endsWith('.tif'))
    expect(some.result).toMatchObject({ blob_count: wanted.length, prefix_filter: 'd0', blobs_ref: { count: wanted.length } })
    const none = await run('inventory_container', { container, prefix: 'nothing/' })
    expect(none).toMatchObject({ status: 'completed', result: { blob_count: 0, warning: 'no files matched', oldest: null } })
  })
})

test('compare_inventories: added, changed and removed are exact; attempts of one job are inventories of their own', async () => {
  const parameters = { container, prefix: 'd1' }
  const first = await run('inventory_container', parameters)
  const client = service().getContainerClient(container)
  await fill(client, ['d10/new_1.tif', 'd10/new_2.tif'], 'abc')
  await fill(client, ['d11/f_00006.tif'], 'changed')
  await client.getBlobClient('d12/f_00007.csv').delete()
  const second = await run('inventory_container', parameters, '?force=true')
  expect([first.job_id, second.attempt]).toEqual([second.job_id, 2])
  const compared = await run('compare_inventories', {
    before: { job_id: first.job_id },
    after: { job_id: first.job_id, attempt: 2 },
  })
  const changes = compared.result as unknown as { changes_ref: ListRef }
  expect(compared.result).toMatchObject({
    added: 2,
    changed: 1,
    removed: 1,
    unchanged: (first.result?.['blob_count'] as number) - 2,
  })
  expect(compared.result).not.toHaveProperty('warning')
  expect(
    (await linesOf(changes.changes_ref))
      .map((l) => JSON.parse(l) as { change: string; name: string })
      .map((c) => `${c.change} ${c.name}`),
  ).toEqual(['added d10/new_1.tif', 'added d10/new_2.tif', 'changed d11/f_00006.tif', 'removed d12/f_00007.csv'])
  // Undone, so that the other tests find what they put there.
  await Promise.all(['d10/new_1.tif', 'd10/new_2.tif'].map((n) => client.getBlobClient(n).delete()))
  await fill(client, ['d12/f_00007.csv'], bodyOf(7))
  const missing = await app.send('POST', '/api/jobs/submit/compare_inventories', {
    before: { job_id: first.job_id, attempt: 9 },
    after: { job_id: first.job_id },
  })
  expect(missing).toMatchObject({ status: 404, body: { code: 'INVENTORY_NOT_FOUND' } })
})

test('the host is killed while list_container lists, plans and runs: one task each, no doubles, and an index as CSV that names every file', async () => {
  const { job_id } = await app.submit('list_container', {
    container,
    max_files: 20_000,
    metadata_level: 'basic',
    create_index: true,
    index_format: 'csv',
  })
  const moments = [
    `SELECT 1 FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1 AND s.stage_no = 1 AND t.status = 'processing'`,
    `SELECT 1 FROM app.stages WHERE job_id = $1 AND stage_no = 2 AND plan_cursor > 0`,
    `SELECT 1 FROM app.stages WHERE job_id = $1 AND stage_no = 2 AND claim_cursor > 0`,
  ]
  for (const moment of moments) {
    await until('the job has come to the moment of the kill', async () => (await app.database.pool.query(moment, [job_id]))[0])
    await app.host.kill()
    await app.restart()
  }
  const job = await app.waitForJob(job_id)
  expect(job).toMatchObject({ status: 'completed', attempt: 1, result: { total_files: 10_021, successful: 10_021, failed: 0 } })
  const rows = await app.database.pool.query<{ task_no: number; task_key: string }>(
    `SELECT t.task_no, t.task_key FROM app.tasks t JOIN app.stages s USING (stage_id)
     WHERE s.job_id = $1 AND s.stage_no = 2 AND s.retired_at IS NULL AND t.status = 'completed' ORDER BY t.task_no`,
    [job_id],
  )
  expect(rows.map((r) => r.task_no)).toEqual(Array.from({ length: 10_021 }, (_, i) => i + 1))
  const names = [...NAMES.filter((n) => !n.startsWith('parcels.gdb/')), 'parcels.gdb'].toSorted()
  expect(rows.map((r) => r.task_key)).toEqual(names)
  const { file_index_ref } = job.result as unknown as { file_index_ref: ListRef }
  expect(file_index_ref).toMatchObject({ format: 'csv.gz', count: 10_021 })
  const [head, ...lines] = await linesOf(file_index_ref)
  expect(head).toBe('name,size,type,modified')
  expect(lines.map((line) => line.split(',')[0])).toEqual(names)
})

test('catalog_container over 1,670 of them, the worker killed twice: each file once; again nothing is done; 30 that are gone are marked, then removed', async () => {
  const total = NAMES.filter((name) => name.startsWith('d0')).length
  const catalogue = async (label: string): Promise<unknown> =>
    (await run('catalog_container', { container, prefix: 'd0', include: 'all', mode: 'quick', label })).result
  const { job_id } = await app.submit('catalog_container', {
    container,
    prefix: 'd0',
    include: 'all',
    mode: 'quick',
    label: 'first',
  })
  for (const least of [300, 900]) {
    await until(`${least} files are registered`, async () => {
      const [row] = await app.database.pool.query<{ n: number }>('SELECT count(*)::int AS n FROM app.stac_items')
      return (row?.n ?? 0) >= least || undefined
    })
    process.kill(app.host.workerPid, 'SIGKILL')
  }
  const first = (await app.waitForJob(job_id)).result as { created: number; unchanged: number }
  expect(first).toMatchObject({ listed: total, updated: 0, problems: {}, items: total })
  // Registered, and told again by the worker that came after.
  expect(first.created + first.unchanged).toBe(total)
  expect(await catalogue('second')).toMatchObject({ created: 0, updated: 0, unchanged: total, items: total, missing: 0 })
  const gone = NAMES.filter((name) => name.startsWith('d0')).slice(0, 30)
  const client = service().getContainerClient(container)
  await Promise.all(gone.map((name) => client.getBlobClient(name).delete()))
  expect(await catalogue('third')).toMatchObject({
    listed: total - 30,
    unchanged: total - 30,
    items: total,
    missing: 30,
    deleted: 0,
  })
  expect(await catalogue('fourth')).toMatchObject({ unchanged: total - 30, items: total - 30, missing: 0, deleted: 30 })
  await Promise.all(
    gone.map((name) =>
      client.getBlockBlobClient(name).upload(bodyOf(NAMES.indexOf(name)), Buffer.byteLength(bodyOf(NAMES.indexOf(name)))),
    ),
  )
})

test('a list that was cut or replaced is refused when it is read', async () => {
  const store = openBlobStore({ connectionString: inject('storage'), accountUrl: undefined, allowed: new Set() })
  const [part] = ((await run('inventory_container', { container, prefix: 'd05' })).result as { blobs_ref: { parts: ListRef[] } })
    .blobs_ref.parts
  const read = async (ref: ListRef): Promise<number> => {
    let n = 0
    for await (const _ of readList(store, ref)) n++
    return n
  }
  expect(await read(part as ListRef)).toBe(part?.count)
  for (const wrong of [{ sha256: '0'.repeat(64) }, { count: 7 }])
    await expect(read({ ...(part as ListRef), ...wrong })).rejects.toMatchObject({ code: 'STORAGE_ERROR' })
  const whole = await store.read(part as ListRef)
  await store.write('lamplighter', 'lists/cut.ndjson.gz', whole.subarray(0, whole.length - 20), { mode: 'overwrite' })
  await expect(read({ ...(part as ListRef), blob: 'lists/cut.ndjson.gz' })).rejects.toMatchObject({ code: 'STORAGE_ERROR' })
})
