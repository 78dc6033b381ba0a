// Jobs over STAC documents in a container, on the real database and storage: judged, taken in, written out; hostile files among them.
import { createHash, randomUUID } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import type { ContainerClient } from '@azure/storage-blob'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findJob } from '../../src/db/reading.ts'
import type { ListRef } from '../../src/models/blob.ts'
import { createDatabase, type TestDatabase } from '../support/db.ts'
import { machine, type Machine, runToEnd, submitTo } from '../support/machine.ts'
import { example, type Loose } from '../support/stac.ts'

const POOL = Array.from({ length: 8 }, () => `stac-${createHash('sha256').update(randomUUID()).digest('hex').slice(0, 12)}`)
let database: TestDatabase
let r: Machine
beforeAll(async () => {
  database = await createDatabase()
  r = machine(database.pool, { allowed: [...POOL, 'silver'] })
  await Promise.all(['silver', 'lamplighter'].map((name) => r.service.getContainerClient(name).createIfNotExists()))
})
afterAll(() => database?.drop())

/** A new container with these files; what is no text or bytes is written as JSON. */
async function containerWith(files: Readonly<Record<string, unknown>>): Promise<ContainerClient> {
  const client = r.service.getContainerClient(POOL.pop() as string)
  await client.createIfNotExists()
  for (const [name, body] of Object.entries(files)) await put(client, name, body)
  return client
}

async function put(client: ContainerClient, name: string, body: unknown): Promise<void> {
  const bytes = body instanceof Uint8Array ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  await client.getBlockBlobClient(name).uploadData(bytes)
}

async function run(type: string, parameters: object): Promise<{ status: string; result: Loose }> {
  const id = await submitTo(r, type, parameters)
  const { status } = await runToEnd(r, id)
  return { status, result: (await findJob(database.pool, id))?.result_data }
}

async function linesOf({ container, blob }: ListRef): Promise<Loose[]> {
  const bytes = await r.service.getContainerClient(container).getBlobClient(blob).downloadToBuffer()
  return gunzipSync(bytes)
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Loose)
}

/** The example with other members; `undefined` takes one away. */
const item = (id: string, change: (document: Loose) => void = () => undefined): Loose => {
  const document = example('item')
  document.id = id
  change(document)
  return document
}

const DEEP = `${'['.repeat(10_000)}${']'.repeat(10_000)}`
const HOSTILE: Readonly<Record<string, unknown>> = {
  'broken.json': '{"type": "Feature"',
  'bytes.json': Buffer.from([0xff, 0xfe, 0x00]),
  'deep.json': DEEP,
  'deep-item.json': JSON.stringify(item('deep')).replace('"geometry":', `"deep":${DEEP},"geometry":`),
  'empty.json': '',
  'huge.json': Buffer.alloc(11 * 1024 * 1024, 0x20),
  'key.json': item('key', (d) => (d['a\u0000b'] = 1)),
  'proto.json': `{"__proto__":{"valid":true},${JSON.stringify(item('proto')).slice(1)}`,
  'secret.json': item('secret', (d) => (d.assets.data.href = 'https://a.example/x.tif?sv=1&sig=abcdef')),
  'tiles.geojson': { tilejson: '3.0.0' },
}

describe('validate_stac', () => {
  test('every kind of document and every hostile file: a finding each, no failure', async () => {
    const open = item('open', (d) => d.geometry.coordinates[0].pop())
    const client = await containerWith({
      'a/catalog.json': example('catalog'),
      'a/collection.json': example('collection'),
      'a/good.json': example('item'),
      'a/many.geojson': { type: 'FeatureCollection', features: [item('one'), open, {}] },
      'a/old.json': example('item-1-0'),
      'a/open.json': open,
      'a/notes.txt': 'no document',
      ...HOSTILE,
    })
    const { status, result } = await run('validate_stac', { container: client.containerName })
    expect(status).toBe('completed')
    expect(result).toMatchObject({
      files: 16,
      gone: 0,
      document_types: { Catalog: 1, Collection: 1, FeatureCollection: 1, Item: 7, unknown: 2, unreadable: 4 },
      items: { total: 10 },
      failures: {},
    })
    expect(result.valid + result.invalid).toBe(16)
    expect(result.issues).toMatchObject({ INVALID_JSON: 3, BLOB_TOO_LARGE: 1, TOO_DEEP: 2, ASSET_HREF_SECRET: 1 })
    const byFile = new Map((await linesOf(result.report)).map((line) => [line.file as string, line]))
    expect(byFile.size).toBe(16)
    expect(byFile.get('a/many.geojson').issues.map((i: Loose) => [i.code, i.path])).toEqual([
      ['RING_NOT_CLOSED', '/features/1/geometry/coordinates/0'],
      ['UNKNOWN_DOCUMENT_TYPE', '/features/2'],
    ])
    expect(result.invalid_files.map((f: Loose) => f.file)).toContain('secret.json')
    expect(JSON.stringify([result, ...byFile.values()])).not.toContain('abcdef')
  })

  test('prefix and filter narrow; nothing that matches completes with a warning', async () => {
    const client = await containerWith({ 'a/x.json': example('item'), 'b/x.json': example('item'), 'b/y.json': '{' })
    const at = { container: client.containerName }
    expect((await run('validate_stac', { ...at, prefix: 'b/' })).result).toMatchObject({ files: 2, valid: 1, invalid: 1 })
    expect((await run('validate_stac', { ...at, filter: 'Y.JSON' })).result).toMatchObject({ files: 1, valid: 0 })
    const none = await run('validate_stac', { ...at, prefix: 'c/' })
    expect([none.status, none.result.warning]).toEqual(['completed', 'no documents matched'])
  })
})
