// The blob store when the wire breaks, the service refuses, or a reader stops: a proxy before the real service counts and cuts.
import { BlobServiceClient } from '@azure/storage-blob'
import { createHash, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test, vi } from 'vitest'
import type { BlobStore, Downloaded } from '../../src/models/blob-store.ts'
import { openBlobStore } from '../../src/storage/blob-store.ts'
import { blobNameProblem } from '../../src/storage/names.ts'
import { type StorageProxy, startStorageProxy } from '../support/storage-proxy.ts'

const container = `faults-${randomUUID().slice(0, 8)}`
const MIB = 1024 * 1024
let store: BlobStore
let proxy: StorageProxy
const ref = (blob: string) => ({ container, blob })
const put = (name: string, body: string | Uint8Array) => store.write(container, name, Buffer.from(body), { mode: 'overwrite' })
async function bytes(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const chunk of source) all.push(chunk)
  return Buffer.concat(all)
}

beforeAll(async () => {
  proxy = await startStorageProxy(inject('storage'))
  await BlobServiceClient.fromConnectionString(inject('storage')).createContainer(container)
  store = openBlobStore({ connectionString: proxy.connectionString, accountUrl: undefined, allowed: new Set([container]) })
})
beforeEach(() => {
  proxy.fault = () => undefined
  proxy.seen.length = 0
})
afterAll(() => proxy.close())

describe('streams that are read', () => {
  const body = Buffer.from(Array.from({ length: 3 * MIB }, (_, i) => i % 251))
  beforeAll(async () => void (await put('stream', body)))

  test('a connection cut in mid-body is taken up again: the same bytes', async () => {
    let cuts = 3
    proxy.fault = (line) => (line.startsWith('GET') && cuts-- > 0 ? { cutAfter: 700_000 } : undefined)
    const { body: stream, size, length } = await store.readStream(ref('stream'))
    expect([size, length]).toEqual([body.length, body.length])
    expect((await bytes(stream)).equals(body)).toBe(true)
    expect(proxy.seen.filter((line) => line.startsWith('GET'))).toHaveLength(4)
  })

  test('a range and chunks survive a cut as well', async () => {
    let cuts = 2
    proxy.fault = (line) => (line.startsWith('GET') && cuts-- > 0 ? { cutAfter: 100_000 } : undefined)
    expect((await store.readRange(ref('stream'), 5, MIB)).equals(body.subarray(5, MIB + 5))).toBe(true)
    cuts = 2
    const chunks: Uint8Array[] = []
    for await (const { bytes: chunk } of store.readChunks(ref('stream'), { chunkBytes: MIB })) chunks.push(chunk)
    expect(Buffer.concat(chunks).equals(body)).toBe(true)
  })

  test('replaced while the connection was gone: BLOB_CHANGED, never mixed bytes', async () => {
    await put('moving', 'a'.repeat(2 * MIB))
    let cuts = 1
    proxy.fault = (line) => (line.startsWith('GET') && cuts-- > 0 ? { cutAfter: 700_000 } : undefined)
    const { body: stream } = await store.readStream(ref('moving'))
    await put('moving', 'b'.repeat(2 * MIB))
    await expect(bytes(stream)).rejects.toMatchObject({ code: 'BLOB_CHANGED' })
  })

  test('a part of it; beyond the end is 416', async () => {
    const part = await store.readStream(ref('stream'), { offset: 1000, length: 500 })
    expect([part.length, part.size]).toEqual([500, body.length])
    expect((await bytes(part.body)).equals(body.subarray(1000, 1500))).toBe(true)
    await expect(store.readStream(ref('stream'), { offset: 4 * MIB })).rejects.toMatchObject({ code: 'RANGE_NOT_SATISFIABLE' })
  })

  test('cancelled or aborted, it leaves no open request', async () => {
    const first = await store.readStream(ref('stream'))
    await first.body.cancel()
    const abort = new AbortController()
    const second = await store.readStream(ref('stream'), { signal: abort.signal })
    const reader = second.body.getReader()
    await reader.read()
    abort.abort()
    await expect(reader.read().then(() => reader.read())).rejects.toMatchObject({ code: 'TASK_ABORTED' })
    await vi.waitFor(() => expect(proxy.open).toBe(0))
  })
})

describe('streams that are written', () => {
  const many = async function* (mib: number, failAfter = Infinity) {
    const block = Buffer.alloc(MIB, 7)
    for (let i = 0; i < mib; i++) {
      if (i === failAfter) throw new Error('the source broke')
      yield block
    }
  }

  test('a stream that fails at 60 % leaves the blob that was there, or none', async () => {
    await put('kept', 'before')
    await expect(store.write(container, 'kept', many(30, 18), { mode: 'overwrite' })).rejects.toThrow('the source broke')
    expect((await store.read(ref('kept'))).toString()).toBe('before')
    await expect(store.write(container, 'never', many(30, 18), { mode: 'create' })).rejects.toThrow('the source broke')
    expect(await store.exists(ref('never'))).toBe(false)
  })

  test('150 MB go through in blocks: size and sha256 exact, memory grows by less than 64 MB', async () => {
    globalThis.gc?.()
    const before = process.memoryUsage().rss
    let most = 0
    const watched = async function* () {
      for await (const block of many(150)) {
        most = Math.max(most, process.memoryUsage().rss - before)
        yield block
      }
    }
    const written = await store.write(container, 'large', watched(), { mode: 'create', contentType: 'image/tiff' })
    const expected = createHash('sha256')
    for await (const block of many(150)) expected.update(block)
    expect(written).toMatchObject({ size: 150 * MIB, sha256: expected.digest('hex'), etag: expect.any(String) })
    expect(await store.properties(ref('large'))).toMatchObject({ size: 150 * MIB, content_type: 'image/tiff' })
    expect(most / MIB).toBeLessThan(64)
    await store.delete(ref('large'))
  })

  test('an empty stream is an empty blob; create refuses a taken name at the commit', async () => {
    expect(await store.write(container, 'nothing', many(0), { mode: 'create' })).toMatchObject({ size: 0 })
    await expect(store.write(container, 'nothing', many(1), { mode: 'create' })).rejects.toMatchObject({ code: 'BLOB_EXISTS' })
    expect(await store.properties(ref('nothing'))).toMatchObject({ size: 0 })
  })
})

describe('many at once', () => {
  const names = Array.from({ length: 193 }, (_, i) => `many/${i}`)
  const missing = Array.from({ length: 5 }, (_, i) => `many/missing-${i}`)
  beforeAll(async () => {
    for (const name of names) await put(name, name.repeat(10))
    await put('many/large', Buffer.alloc(2 * MIB))
    await put('many/forbidden', 'x')
  })

  test('200 names, 5 missing, 1 too large, 1 forbidden: 200 entries, 7 with codes, never more than 10 requests open', async () => {
    proxy.fault = (line) =>
      line.includes('many/forbidden') ? { status: 403, code: 'AuthorizationPermissionMismatch' } : undefined
    const asked = [...names, ...missing, 'many/large', 'many/forbidden']
    const entries: Downloaded[] = []
    for await (const entry of store.downloadMany(container, asked, { maxBytesEach: MIB })) entries.push(entry)
    expect(entries.map((e) => e.name).sort()).toEqual([...asked].sort())
    const failed = Object.fromEntries(entries.flatMap((e) => (e.ok ? [] : [[e.name, e.code]])))
    expect(failed).toEqual({
      ...Object.fromEntries(missing.map((name) => [name, 'BLOB_NOT_FOUND'])),
      'many/large': 'BLOB_TOO_LARGE',
      'many/forbidden': 'STORAGE_FORBIDDEN',
    })
    expect(proxy.mostOpen).toBeLessThanOrEqual(10)
    expect(proxy.seen).toHaveLength(200)
  })

  test('who stops taking entries leaves no open request', async () => {
    for await (const entry of store.downloadMany(container, Array.from({ length: 20 }, () => 'stream').concat(names))) {
      expect(entry.ok).toBe(true)
      break
    }
    await vi.waitFor(() => expect(proxy.open).toBe(0))
  })

  test('a sink that stops early, or throws, fails or ends its own entry only', async () => {
    const entries: Downloaded[] = []
    const sink = async (name: string, chunks: AsyncIterable<unknown>): Promise<void> => {
      if (name === 'many/1') throw new Error('disk full')
      if (name === 'many/2') return
      for await (const _ of chunks);
    }
    for await (const entry of store.downloadMany(container, ['many/0', 'many/1', 'many/2'], { sink, order: 'input' }))
      entries.push(entry)
    expect(entries.map((e) => e.ok)).toEqual([true, false, true])
    await vi.waitFor(() => expect(proxy.open).toBe(0))
  })
})

test('throttled: STORAGE_UNAVAILABLE with the Retry-After of the service, after four tries', async () => {
  proxy.fault = () => ({ status: 503, code: 'ServerBusy', headers: { 'retry-after': '0' } })
  await expect(store.properties(ref('stream'))).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
    retryable: true,
    retryAfterMs: 0,
  })
  expect(proxy.seen).toHaveLength(4)
})

test('50 parallel first accesses on a fresh store: one client, no failure', async () => {
  const fresh = openBlobStore({ connectionString: proxy.connectionString, accountUrl: undefined, allowed: new Set([container]) })
  const found = await Promise.all(Array.from({ length: 50 }, () => fresh.exists(ref('stream'))))
  expect(new Set(found)).toEqual(new Set([true]))
})

test('an illegal name costs no request in any operation', async () => {
  for (const blob of ['../x', 'a/../b', '.', 'a\\b', '/a', 'a\u0000b', '\ud800', 'x'.repeat(1025), '']) {
    expect(blobNameProblem(blob)).toBeDefined()
    const calls = [
      store.properties(ref(blob)),
      store.read(ref(blob)),
      store.readStream(ref(blob)),
      store.exists(ref(blob)),
      store.delete(ref(blob)),
      store.write(container, blob, Buffer.from('x'), { mode: 'overwrite' }),
      store.stageBlock(ref(blob), '0', Buffer.from('x')),
      store.commitBlocks(ref(blob), ['0'], { mode: 'overwrite' }),
      store.setMetadata(ref(blob), {}),
      store.setTags(ref(blob), {}),
      store.createSas(ref(blob)),
      store.copy(ref(blob), ref('to'), { mode: 'create' }),
      store.copy(ref('stream'), ref(blob), { mode: 'create' }),
    ]
    for (const call of await Promise.allSettled(calls)) expect(call).toMatchObject({ reason: { code: 'INVALID_NAME' } })
  }
  expect(proxy.seen).toEqual([])
})
