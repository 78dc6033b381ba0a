// The blob store's contract on a Blob service: Azurite, or the account that CONTRACT_STORAGE (a connection string) names.
import { BlobServiceClient } from '@azure/storage-blob'
import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, inject, test, vi } from 'vitest'
import type { BlobStore, Downloaded } from '../../src/models/blob-store.ts'
import { openBlobStore } from '../../src/storage/blob-store.ts'

const serviceAddress = process.env['CONTRACT_STORAGE'] || inject('storage')
const container = `contract-${randomUUID().slice(0, 8)}`
let store: BlobStore
const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('utf8')
const put = (name: string, body: string | Uint8Array) => store.write(container, name, Buffer.from(body), { mode: 'overwrite' })

beforeAll(async () => {
  const connectionString = serviceAddress
  store = openBlobStore({ connectionString, accountUrl: undefined, allowed: new Set([container]) })
  await BlobServiceClient.fromConnectionString(connectionString).createContainer(container)
})

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of source) all.push(item)
  return all
}

describe('write', () => {
  test('50 parallel creates of one name: one succeeds, 49 are BLOB_EXISTS', async () => {
    const tries = await Promise.allSettled(
      Array.from({ length: 50 }, (_, i) => store.write(container, 'once', Buffer.from(`${i}`), { mode: 'create' })),
    )
    expect(tries.filter((t) => t.status === 'fulfilled')).toHaveLength(1)
    expect(new Set(tries.flatMap((t) => (t.status === 'rejected' ? [(t.reason as { code: string }).code] : [])))).toEqual(
      new Set(['BLOB_EXISTS']),
    )
  })

  test('replace takes exactly the version that was read', async () => {
    const { etag } = await put('replaced', 'one')
    const second = await store.write(container, 'replaced', Buffer.from('two'), { mode: 'replace', etag })
    await expect(store.write(container, 'replaced', Buffer.from('three'), { mode: 'replace', etag })).rejects.toMatchObject({
      code: 'BLOB_CHANGED',
    })
    expect(text(await store.read({ container, blob: 'replaced', etag: second.etag }))).toBe('two')
  })

  test('content type and metadata are kept', async () => {
    await store.write(container, 'described', Buffer.from('{}'), {
      mode: 'create',
      contentType: 'application/json',
      metadata: { source: 'survey 7' },
    })
    expect(await store.properties({ container, blob: 'described' })).toMatchObject({
      content_type: 'application/json',
      metadata: { source: 'survey 7' },
    })
  })

  test.each([
    [{ 'not-an-identifier': 'x' }, 'metadata.not-an-identifier'],
    [{ place: 'Žilina' }, 'metadata.place'],
    [{ line: 'a\nb' }, 'metadata.line'],
    [{ long: 'x'.repeat(9000) }, 'metadata.long'],
  ])('metadata %j is refused before a request', async (metadata, path) => {
    await expect(store.write(container, 'refused', Buffer.from(''), { mode: 'create', metadata })).rejects.toMatchObject({
      code: 'INVALID_METADATA',
      issues: [expect.objectContaining({ path })],
    })
    expect(await store.exists({ container, blob: 'refused' })).toBe(false)
  })
})

describe('read in pieces', () => {
  const body = Buffer.from(Array.from({ length: 10_000 }, (_, i) => i % 251))
  beforeAll(async () => void (await put('pieces', body)))

  test.each([1000, 3333, 10_000, 4 * 1024 * 1024])('chunks of %i bytes put together are the blob', async (chunkBytes) => {
    const chunks = await collect(store.readChunks({ container, blob: 'pieces' }, { chunkBytes }))
    expect(chunks.map((c) => c.offset)).toEqual(Array.from({ length: Math.ceil(10_000 / chunkBytes) }, (_, i) => i * chunkBytes))
    expect(Buffer.concat(chunks.map((c) => c.bytes)).equals(body)).toBe(true)
  })

  test('an empty blob has no chunk', async () => {
    await put('empty', '')
    expect(await collect(store.readChunks({ container, blob: 'empty' }))).toEqual([])
  })

  test('a blob that is replaced between two chunks is BLOB_CHANGED: no mixed bytes', async () => {
    await put('moving', 'a'.repeat(3000))
    const chunks = store.readChunks({ container, blob: 'moving' }, { chunkBytes: 1000 })[Symbol.asyncIterator]()
    expect(text((await chunks.next()).value?.bytes)).toBe('a'.repeat(1000))
    await put('moving', 'b'.repeat(3000))
    await expect(chunks.next()).rejects.toMatchObject({ code: 'BLOB_CHANGED' })
  })
})

describe('metadata and tags', () => {
  test('are replaced as a whole; an ETag that is old is refused', async () => {
    const { etag } = await put('tagged', 'x')
    const newer = await store.setMetadata({ container, blob: 'tagged', etag }, { source: 'survey 7' })
    expect(await store.properties({ container, blob: 'tagged', etag: newer })).toMatchObject({ metadata: { source: 'survey 7' } })
    await expect(store.setMetadata({ container, blob: 'tagged', etag }, {})).rejects.toMatchObject({ code: 'BLOB_CHANGED' })
    await expect(store.setMetadata({ container, blob: 'tagged' }, { 'a b': 'x' })).rejects.toMatchObject({
      code: 'INVALID_METADATA',
    })
    await store.setTags({ container, blob: 'tagged' }, { survey: '7', year: '2024' })
    expect(await store.tags({ container, blob: 'tagged' })).toEqual({ survey: '7', year: '2024' })
  })

  test('are found by their values', async () => {
    await put('found', 'x')
    await store.setTags({ container, blob: 'found' }, { project: container })
    const search = () => collect(store.findByTags(container, `project='${container}'`))
    await vi.waitFor(async () => expect((await search()).map((b) => b.name)).toEqual(['found']), { timeout: 60_000 })
    await expect(collect(store.findByTags('no-such-container-here', `a='b'`))).rejects.toMatchObject({ name: 'AppError' })
  })
})

describe('blocks', () => {
  test('nothing is there before the commit; then the blocks in the order of the commit', async () => {
    const ref = { container, blob: 'blocks' }
    for (const id of ['0002', '0001', '0003']) await store.stageBlock(ref, id, Buffer.from(`<${id}>`))
    expect(await store.exists(ref)).toBe(false)
    expect((await store.blockList(ref)).uncommitted.map((b) => `${b.id}: ${b.size}`).sort()).toEqual([
      '0001: 6',
      '0002: 6',
      '0003: 6',
    ])
    const { etag } = await store.commitBlocks(ref, ['0001', '0003'], { mode: 'create', contentType: 'image/tiff' })
    expect(text(await store.read(ref))).toBe('<0001><0003>')
    expect(await store.properties({ ...ref, etag })).toMatchObject({ content_type: 'image/tiff', size: 12 })
    expect((await store.blockList(ref)).committed.map((b) => b.id)).toEqual(['0001', '0003'])
    await store.stageBlock(ref, '0009', Buffer.from('late'))
    await expect(store.commitBlocks(ref, ['0009'], { mode: 'create' })).rejects.toMatchObject({ code: 'BLOB_EXISTS' })
    expect(text(await store.read(ref))).toBe('<0001><0003>')
  })
})

describe('exists and delete', () => {
  test('there, not there, and gone', async () => {
    const { etag } = await put('gone', 'x')
    expect(await store.exists({ container, blob: 'gone' })).toBe(true)
    await expect(store.delete({ container, blob: 'gone', etag: '"0x1"' })).rejects.toMatchObject({ code: 'BLOB_CHANGED' })
    expect(await store.delete({ container, blob: 'gone', etag })).toBe(true)
    expect(await store.exists({ container, blob: 'gone' })).toBe(false)
    expect(await store.delete({ container, blob: 'gone' })).toBe(false)
  })

  test('"no" and "could not ask" are never the same answer', async () => {
    const nobody = 'DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=bm90IHRoZSBrZXk=;BlobEndpoint='
    const endpoint = /BlobEndpoint=([^;]+)/.exec(serviceAddress)?.[1] ?? ''
    const stranger = openBlobStore({ connectionString: nobody + endpoint, accountUrl: undefined, allowed: new Set([container]) })
    await expect(stranger.exists({ container, blob: 'x' })).rejects.toMatchObject({ code: 'STORAGE_FORBIDDEN' })
  })
})

describe('many at once', () => {
  const names = Array.from({ length: 60 }, (_, i) => `many/${String(i).padStart(2, '0')}`)
  const asked = [...names, 'many/missing-1', 'many/large', names[3] ?? '', '../escape', 'many/missing-2']
  beforeAll(async () => {
    await Promise.all(names.map((name) => put(name, `body of ${name}`)))
    await put('many/large', 'x'.repeat(5000))
  })

  test.each(['completion', 'input'] as const)(
    'one entry per asked name, in order of %s: what fails ends nothing',
    async (order) => {
      const entries = await collect(store.downloadMany(container, asked, { order, concurrency: 7, maxBytesEach: 1000 }))
      expect(entries.map((e) => e.name).sort()).toEqual([...asked].sort())
      const failed = entries.flatMap((e) => (e.ok ? [] : [[e.name, e.code]]))
      expect(Object.fromEntries(failed)).toEqual({
        'many/missing-1': 'BLOB_NOT_FOUND',
        'many/missing-2': 'BLOB_NOT_FOUND',
        'many/large': 'BLOB_TOO_LARGE',
        '../escape': 'INVALID_NAME',
      })
      const bodies = entries.filter((e): e is Extract<Downloaded, { ok: true }> => e.ok)
      expect(bodies.every((e) => text(e.body) === `body of ${e.name}`)).toBe(true)
      if (order === 'input') expect([...new Set(entries.map((e) => e.name))]).toEqual([...new Set(asked)])
    },
  )

  test('never more at once than asked for; a sink gets the bytes instead', async () => {
    let [running, most] = [0, 0]
    const written = new Map<string, string>()
    const entries = await collect(
      store.downloadMany(container, names, {
        concurrency: 4,
        sink: async (name, chunks) => {
          most = Math.max(most, ++running)
          written.set(name, Buffer.concat((await collect(chunks)).map((c) => c.bytes)).toString('utf8'))
          running--
        },
      }),
    )
    expect(most).toBeLessThanOrEqual(4)
    expect(entries.every((e) => e.ok && e.body === undefined)).toBe(true)
    expect(Object.fromEntries(written)).toEqual(Object.fromEntries(names.map((name) => [name, `body of ${name}`])))
  })

  test('an abort ends it', async () => {
    const stop = new AbortController()
    const download = store.downloadMany(container, names, { concurrency: 2, signal: stop.signal })[Symbol.asyncIterator]()
    expect((await download.next()).done).toBe(false)
    stop.abort()
    await expect(download.next()).rejects.toMatchObject({ code: 'TASK_ABORTED' })
  })
})

test('one level: folders and blobs, page by page', async () => {
  for (const name of ['tree/a', 'tree/b', 'tree/x/1', 'tree/x/2', 'tree/y/1']) await put(name, '')
  const first = await store.listFolders(container, { prefix: 'tree/', pageSize: 3 })
  const second = await store.listFolders(container, { prefix: 'tree/', pageSize: 3, next: first.next })
  expect([...first.blobs, ...second.blobs].map((b) => b.name)).toEqual(['tree/a', 'tree/b'])
  expect([...first.folders, ...second.folders]).toEqual(['tree/x/', 'tree/y/'])
  expect(second.next).toBeUndefined()
})

describe('signatures', () => {
  beforeAll(async () => void (await put('signed/a b%2F?#.txt', 'for you')))
  const ref = { container, blob: 'signed/a b%2F?#.txt' }

  test('read only, for this blob only, and not after a change of the signature', async () => {
    const { url, kind, permissions, expires_at } = await store.createSas(ref, { minutes: 5 })
    expect([kind, permissions]).toEqual(['service', 'r'])
    expect(Date.parse(expires_at)).toBeGreaterThan(Date.now())
    expect(await (await fetch(url)).text()).toBe('for you')
    const put = await fetch(url, { method: 'PUT', body: 'mine', headers: { 'x-ms-blob-type': 'BlockBlob' } })
    expect(put.status).toBe(403)
    expect((await fetch(url.replace('signed/', 'pieces/'))).status).toBe(403)
    expect((await fetch(url.replace(/sig=.../, 'sig=AAA'))).status).toBe(403)
  })

  test('rcw writes', async () => {
    const { url } = await store.createSas({ container, blob: 'signed/new' }, { permissions: 'rcw', minutes: 1 })
    expect((await fetch(url, { method: 'PUT', body: 'mine', headers: { 'x-ms-blob-type': 'BlockBlob' } })).status).toBe(201)
    expect(text(await store.read({ container, blob: 'signed/new' }))).toBe('mine')
  })

  test.each([0, 61, 1.5, Number.NaN])('%d minutes are refused', async (minutes) => {
    await expect(store.createSas(ref, { minutes })).rejects.toMatchObject({
      code: 'INVALID_PARAMETERS',
      issues: [{ path: 'minutes' }],
    })
  })

  test('a name that leaves the container is refused', async () => {
    await expect(store.createSas({ container, blob: '../other/secret' })).rejects.toMatchObject({ code: 'INVALID_NAME' })
  })
})

describe('copy', () => {
  test('on the service, name by name; create refuses a name that is taken', async () => {
    await put('copied/from here', 'the same bytes')
    const to = { container, blob: 'copied/to there' }
    const copied = await store.copy({ container, blob: 'copied/from here' }, to, { mode: 'create' })
    expect(copied).toMatchObject({ copy_status: 'success', size: 14, copy_id: expect.stringMatching(/./) })
    expect(text(await store.read({ ...to, etag: copied.etag }))).toBe('the same bytes')
    await expect(store.copy({ container, blob: 'copied/from here' }, to, { mode: 'create' })).rejects.toMatchObject({
      code: 'BLOB_EXISTS',
    })
    await put('copied/from here', 'other bytes')
    await store.copy({ container, blob: 'copied/from here' }, to, { mode: 'overwrite' })
    expect(text(await store.read(to))).toBe('other bytes')
  })

  test('a source that is not there', async () => {
    const answer = store.copy({ container, blob: 'copied/nowhere' }, { container, blob: 'copied/x' }, { mode: 'create' })
    await expect(answer).rejects.toMatchObject({ code: 'BLOB_NOT_FOUND' })
    await expect(answer).rejects.not.toThrow(/sig=/)
  })
})
