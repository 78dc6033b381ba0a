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
  'key.json': item('key', (d) => (d.properties['a\u0000b'] = 1)),
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
      document_types: { Catalog: 1, Collection: 1, FeatureCollection: 1, Item: 6, unknown: 1, unreadable: 6 },
      items: { total: 9 },
      failures: {},
    })
    expect(result.valid + result.invalid).toBe(16)
    expect(result.issues).toMatchObject({ INVALID_JSON: 5, BLOB_TOO_LARGE: 1, ASSET_HREF_SECRET: 1 })
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

interface Row {
  readonly item_id: string
  readonly name: string
  readonly blob: string | null
  readonly version: number
  readonly missing: boolean
  readonly content: Loose
}
const rowsOf = (collection: string): Promise<Row[]> =>
  database.pool.query<Row>(
    `SELECT item_id, name, blob, version, missing_since IS NOT NULL AS missing, content FROM app.stac_items
     WHERE collection_id = $1 ORDER BY item_id`,
    [collection],
  )
let labels = 0
/** A run of its own. */
const ingest = (client: ContainerClient, more: object = {}): Promise<{ status: string; result: Loose }> =>
  run('ingest_stac', { container: client.containerName, label: `${++labels}`, ...more })

describe('ingest_stac', () => {
  test('items, item collections and what collections say; hostile files are problems, none is written', async () => {
    const relative = (href: string) => (d: Loose) => (d.assets.data.href = href)
    const client = await containerWith({
      'top/catalog.json': example('catalog'),
      'top/c/collection.json': { ...example('collection'), title: 'Of others', license: 'proprietary' },
      'top/c/near.json': item('near', relative('../x/b%20c.tif')),
      'top/c/far.json': item('far', relative('https://a.example/x.tif')),
      'top/c/out.json': item('out', relative('../../../x.tif')),
      'top/c/encoded.json': item('encoded', relative('%2e%2e/..%2f..%2fx.tif')),
      'top/c/root.json': item('root', relative('/silver/x.tif')),
      'top/c/host.json': item('host', relative('//a.example/x.tif')),
      'top/c/many.geojson': { type: 'FeatureCollection', features: [item('f1'), item('f2'), item('f1'), {}] },
      'top/c/twice.json': item('f2'),
      'top/c/old.json': example('item-1-0'),
      'top/c/boxless.json': item('boxless', (d) => delete d.bbox),
      'top/c/placeless.json': item('placeless', (d) => {
        delete d.bbox
        d.geometry = null
      }),
      ...HOSTILE,
    })
    const { status, result } = await ingest(client)
    expect(status).toBe('completed')
    const collection = `ingested-${client.containerName}`
    const rows = await rowsOf(collection)
    expect(rows.map((row) => row.item_id)).toEqual(['boxless', 'f1', 'f2', 'far', 'near', 'placeless', 'proto', 'scene-1'])
    expect(result).toMatchObject({ collection_id: collection, created: 8, items: 8, missing: 0, failures: {} })
    expect(result.problems).toEqual({
      ASSET_HREF_OUTSIDE: 4,
      ASSET_HREF_SECRET: 1,
      BLOB_TOO_LARGE: 1,
      INVALID_JSON: 5,
      STAC_ID_COLLISION: 2,
      TEXT_NOT_STORABLE: 1,
      UNKNOWN_DOCUMENT_TYPE: 2,
    })
    expect(JSON.stringify(result)).not.toContain('abcdef')
    const [found] = await database.pool.query<Loose>('SELECT * FROM app.stac_collections WHERE collection_id = $1', [collection])
    expect(found).toMatchObject({ kind: 'foreign', container: client.containerName, west: 10, north: 47 })
    expect(found.content).toMatchObject({ title: 'Of others', license: 'other' })
    const near = rows.find((row) => row.item_id === 'near') as Row
    expect([near.blob, near.content.assets.data.href]).toEqual(['top/x/b c.tif', `blob:${client.containerName}/top/x/b c.tif`])
    expect(near.content.links).toEqual([])
    expect(Object.keys(near.content.properties).filter((key) => key.startsWith('lamplighter:'))).toEqual([])
    const old = rows.find((row) => row.item_id === 'scene-1') as Row
    expect(old.content.assets.data.bands[0]).toMatchObject({ name: 'B4', 'eo:common_name': 'red', data_type: 'uint16' })
    expect(rows[0]?.content.bbox).toEqual([10, 46.9, 10.2, 47])
  })

  test('again: what has not changed is not read, what changed is updated, what is gone is marked, then removed', async () => {
    const client = await containerWith({
      'a.json': item('a'),
      'b.json': item('b'),
      'many.json': { type: 'FeatureCollection', features: [item('m1'), item('m2')] },
      'bad.json': { type: 'FeatureCollection', features: [item('good'), item('bad', (d) => (d.geometry = 7))] },
    })
    const collection = `ingested-${client.containerName}`
    const states = async () =>
      Object.fromEntries((await rowsOf(collection)).map((row) => [row.item_id, row.missing ? 'missing' : row.version]))
    expect((await ingest(client)).result).toMatchObject({ listed: 4, created: 5, problems: { SCHEMA: 1 } })
    expect((await ingest(client)).result).toMatchObject({
      unchanged_files: 3,
      unchanged: 1,
      created: 0,
      updated: 0,
      problems: { SCHEMA: 1 },
    })
    expect((await ingest(client, { reread: true })).result).toMatchObject({
      unchanged_files: 0,
      unchanged: 5,
      created: 0,
      updated: 0,
    })

    await put(
      client,
      'a.json',
      item('a', (d) => (d.properties.gsd = 3)),
    )
    await client.deleteBlob('b.json')
    await put(client, 'many.json', { type: 'FeatureCollection', features: [item('m2')] })
    await put(client, 'bad.json', { type: 'FeatureCollection', features: [item('good', (d) => (d.geometry = 7))] })
    expect((await ingest(client)).result).toMatchObject({ updated: 2, missing: 2, deleted: 0 })
    expect(await states()).toEqual({ a: 2, b: 'missing', good: 1, m1: 'missing', m2: 2 })
    await put(client, 'b.json', item('b'))
    expect((await ingest(client)).result).toMatchObject({ updated: 1, missing: 0, deleted: 1 })
    expect(await states()).toEqual({ a: 2, b: 2, good: 1, m2: 2 })
    await client.deleteBlob('a.json')
    expect((await ingest(client, { missing: 'keep' })).result).toMatchObject({ missing: 0, deleted: 0 })
    expect((await ingest(client, { missing: 'delete' })).result).toMatchObject({ missing: 0, deleted: 1, items: 3 })
  })

  test('a file that was cut short by a crash is read again, although its first item has its ETag', async () => {
    const client = await containerWith({
      'many.json': { type: 'FeatureCollection', features: [item('m1'), item('m2'), item('m3')] },
    })
    await ingest(client)
    await database.pool.query('DELETE FROM app.stac_items WHERE collection_id = $1 AND item_id <> $2', [
      `ingested-${client.containerName}`,
      'm1',
    ])
    expect((await ingest(client)).result).toMatchObject({ unchanged_files: 0, unchanged: 1, created: 2 })
  })

  test('a collection of our own files is never mixed with documents of others', async () => {
    const client = await containerWith({ 'a.json': item('a') })
    const own = { container: client.containerName, collection_id: 'own-files' }
    expect((await run('catalog_container', own)).status).toBe('completed')
    const { status } = await run('ingest_stac', own)
    expect([status, await rowsOf('own-files')]).toEqual(['failed', []])
  })
})
