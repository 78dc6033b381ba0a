// Jobs over STAC documents in a container, on the real database and storage: judged, taken in, written out; hostile files among them.
import { catalogueFile } from '../../src/stac/catalogue-file.ts'
import { createHash, randomUUID } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import type { ContainerClient } from '@azure/storage-blob'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findJob } from '../../src/db/reading.ts'
import type { ListRef } from '../../src/models/blob.ts'
import { createDatabase, type TestDatabase } from '../support/db.ts'
import { makeTiff, someSamples } from '../support/tiff-maker.ts'
import { machine, type Machine, runToEnd, submitTo } from '../support/machine.ts'
import { example, type Loose } from '../support/stac.ts'

const POOL = Array.from({ length: 12 }, () => `stac-${createHash('sha256').update(randomUUID()).digest('hex').slice(0, 12)}`)
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

test('catalog_container: names that look like secrets are names, in folders, titles and outputs', async () => {
  const names = ['AccountKey=zz.tif', 'a?sig=geheim/x.tif', 'https:/u:p@h/x.tif', 'sig=abc.tif']
  const client = await containerWith(Object.fromEntries(names.map((name) => [name, 'x'])))
  const { status, result } = await run('catalog_container', { container: client.containerName, mode: 'quick' })
  expect([status, result]).toMatchObject(['completed', { created: 4, problems: {}, warnings: {} }])
  expect((await rowsOf(`bronze-${client.containerName}`)).map((row) => row.name).sort()).toEqual(names)
})

test('catalog_container: a file that was replaced after it was listed is described as it is now', async () => {
  const client = await containerWith({ 'a.tif': makeTiff({ width: 5, height: 4, bands: 1, dtype: 'uint8' }) })
  const container = client.containerName
  const collectionId = `bronze-${container}`
  await r.catalogue.putCollection({ collection_id: collectionId, kind: 'bronze', container, prefix: '', content: {} })
  const listed = { container, name: 'a.tif', size: 99, last_modified: '2024-01-01T00:00:00Z', etag: '"0x8D0000000000000"' }
  const ctx = { ...r, jobId: 'a'.repeat(64), attempt: 1 }
  expect(await catalogueFile(ctx, listed, { collectionId, mode: 'header' })).toMatchObject({
    outcome: 'created',
    is_raster: true,
  })
  await client.deleteBlob('a.tif')
  expect(await catalogueFile(ctx, listed, { collectionId, mode: 'header' })).toMatchObject({ outcome: 'gone' })
})

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

/** Files of a folder of silver, by their name below it. */
async function filesBelow(prefix: string): Promise<Map<string, Loose>> {
  const client = r.service.getContainerClient('silver')
  const files = new Map<string, Loose>()
  for await (const { name } of client.listBlobsFlat({ prefix }))
    if (name.endsWith('.json'))
      files.set(name.slice(prefix.length), JSON.parse((await client.getBlobClient(name).downloadToBuffer()).toString()))
  return files
}

describe('export_stac', () => {
  const raster = (seed: number): Buffer =>
    makeTiff({ width: 40, height: 30, bands: 2, dtype: 'uint8', samples: someSamples('uint8', 40, 30, 2, seed), epsg: 32_633 })

  /** Collections of a run: files of silver itself, files elsewhere, documents of others. */
  async function catalogued(): Promise<{ ids: [string, string, string]; folder: string; client: ContainerClient }> {
    const folder = `export-${randomUUID().slice(0, 8)}`
    const silver = r.service.getContainerClient('silver')
    await put(silver, `${folder}/in/a:b é.tif`, raster(1))
    const client = await containerWith({
      'x/1.tif': raster(2),
      'x/2.tif': Buffer.from('broken'),
      'odd.json': item('odd..?id', (d) => {
        d.links.push({ rel: 'license', href: 'https://a.example/license' })
        d.assets.data.href = './x/1.tif'
      }),
    })
    const ids: [string, string, string] = [`${folder}-own`, `${folder}-far`, `${folder}-others`]
    await run('catalog_container', { container: 'silver', prefix: `${folder}/in/`, collection_id: ids[0], title: 'Own' })
    await run('catalog_container', { container: client.containerName, collection_id: ids[1] })
    await ingest(client, { collection_id: ids[2] })
    return { ids, folder, client }
  }

  test('files that pass validation and lead to one another; taken in again they are the same items', async () => {
    const { ids, folder, client } = await catalogued()
    const parameters = { collections: ids, target_prefix: `${folder}/stac` }
    const first = await run('export_stac', { ...parameters, label: '1' })
    expect(first).toMatchObject({
      status: 'completed',
      result: {
        container: 'silver',
        catalog: `${folder}/stac/catalog.json`,
        collections: 3,
        items: 4,
        warnings: {},
        failures: {},
      },
    })
    const files = await filesBelow(`${folder}/stac/`)
    expect(files.size).toBe(8)
    const verdict = await run('validate_stac', { container: 'silver', prefix: `${folder}/stac/` })
    expect(verdict.result).toMatchObject({ files: 8, valid: 8, document_types: { Catalog: 1, Collection: 3, Item: 4 } })
    for (const [name, { links }] of files)
      for (const { rel, href } of links as Loose[]) {
        if (rel === 'license') continue
        expect(files.has(new URL(href as string, `http://x/${name}`).pathname.slice(1)), `${name}: ${rel} ${href}`).toBe(true)
        expect(rel).not.toBe('self')
      }
    const hrefs = [...files.values()].flatMap((d) => Object.values<Loose>(d.assets ?? {}).map((a) => a.href as string))
    expect(hrefs).toContain('../../../in/a%3Ab%20%C3%A9.tif')
    expect(hrefs.filter((href) => href.startsWith('http') && href.endsWith(`/${client.containerName}/x/1.tif`))).toHaveLength(2)
    expect(JSON.stringify([...files])).not.toMatch(/catalogue\.invalid|sig=|blob:/)

    // Everything comes back but lamplighter: members, which only this catalogue says; created and updated are those of the first registration.
    for (const id of ids) {
      const back = await run('ingest_stac', { container: 'silver', prefix: `${folder}/stac/${id}/`, collection_id: `${id}-2` })
      expect(back.result).toMatchObject({ problems: {}, failures: {} })
      const [before, after] = [await rowsOf(id), await rowsOf(`${id}-2`)]
      expect(after.map((row) => row.item_id)).toEqual(before.map((row) => row.item_id))
      for (const [i, row] of after.entries()) {
        const { content } = before[i] as Row
        const { created, updated, ...properties } = row.content.properties
        if (id !== ids[2]) expect([typeof created, typeof updated]).toEqual(['string', 'string'])
        const own = Object.entries(content.properties).filter(([key]) => !/^lamplighter:|^created$|^updated$/.test(key))
        expect(properties).toEqual(Object.fromEntries(own))
        expect([row.content.geometry, row.content.bbox]).toEqual([content.geometry, content.bbox])
        const bare = (assets: Loose) => Object.entries<Loose>(assets).map(([key, asset]) => [key, { ...asset, href: '' }])
        expect(bare(row.content.assets)).toEqual(bare(content.assets))
      }
    }
    const [own] = await rowsOf(`${ids[0]}-2`)
    expect(own?.content.assets.data.href).toBe(`blob:silver/${folder}/in/a:b é.tif`)
    const [title] = await database.pool.query<Loose>('SELECT content FROM app.stac_collections WHERE collection_id = $1', [
      `${ids[0]}-2`,
    ])
    expect(title.content.title).toBe('Own')

    await run('export_stac', { ...parameters, label: '2' })
    expect(await filesBelow(`${folder}/stac/`)).toEqual(files)
  })

  test('ranges over many items: each is written once, one with a link; items that are gone are left out', async () => {
    const collection = `many-${randomUUID().slice(0, 8)}`
    const features = Array.from({ length: 450 }, (_, i) => item(`i${i}`))
    const client = await containerWith({ 'many.json': { type: 'FeatureCollection', features } })
    await ingest(client, { collection_id: collection })
    await database.pool.query(`UPDATE app.stac_items SET missing_since = now() WHERE collection_id = $1 AND item_id = 'i7'`, [
      collection,
    ])
    const { result } = await run('export_stac', { collections: [collection], target_prefix: `${collection}/` })
    expect(result).toMatchObject({ collections: 1, items: 449 })
    const files = await filesBelow(`${collection}/${collection}/`)
    const linked = (files.get('collection.json').links as Loose[])
      .filter((l) => l.rel === 'item')
      .map((l) => (l.href as string).slice(2))
    expect(new Set(linked)).toEqual(new Set([...files.keys()].filter((name) => name !== 'collection.json')))
    expect(linked).toHaveLength(449)
  })

  test('a collection that is not there fails the job; bronze is not written', async () => {
    expect((await run('export_stac', { collections: ['no-such'] })).status).toBe('failed')
    await expect(run('export_stac', { target_container: 'bronze' })).rejects.toMatchObject({ code: 'CONTAINER_READ_ONLY' })
  })
})
