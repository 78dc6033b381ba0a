// The catalogue's functions: one row per file whoever writes it, extents that cover, marks that are told from earlier marks.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { catalogueRecords } from '../../src/db/catalogue-records.ts'
import { itemIdOf } from '../../src/stac/ids.ts'
import { sweepMissing } from '../../src/stac/sweep.ts'
import * as catalogue from '../../src/db/catalogue-functions.ts'
import { outputRecords } from '../../src/db/output-functions.ts'
import type { Pool } from '../../src/db/pool.ts'
import { only } from '../../src/db/sql-function.ts'
import { itemRecord, type RecordOptions } from '../support/catalogue.ts'
import { session, waits } from '../support/sessions.ts'
import { codeOf, createDatabase, newJobId, type TestDatabase } from '../support/db.ts'

let database: TestDatabase
let db: Pool
beforeAll(async () => {
  database = await createDatabase({ max: 20 })
  db = database.pool
})
afterAll(() => database.drop())
beforeEach(async () => {
  await db.query('TRUNCATE app.stac_items, app.stac_collections')
  await collection()
})

const collection = (id = 'bronze-a', content: unknown = { title: 'A' }) =>
  catalogue.upsertCollection(db, { collection_id: id, kind: 'bronze', container: 'bronze', prefix: '', content })
const put = async (options: RecordOptions = {}) =>
  only(await catalogue.upsertItem(db, { item: itemRecord(options), only_new: false }))
const rows = <T>(columns: string): Promise<T[]> => db.query(`SELECT ${columns} FROM app.stac_items ORDER BY name`) as Promise<T[]>
const extent = async (): Promise<unknown> =>
  (
    await db.query(`SELECT west, south, east, north, start_at, end_at FROM app.stac_collections WHERE collection_id = 'bronze-a'`)
  )[0]

describe('items', () => {
  test('20 registrations of one file at once: one row, version 1', async () => {
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => put()))
    expect(outcomes.map((o) => o.outcome).sort()).toEqual(['created', ...Array.from({ length: 19 }, () => 'unchanged')])
    expect(await rows('version')).toEqual([{ version: 1 }])
  })

  test('20 changes of one file at once: one version each, none lost', async () => {
    await put()
    const outcomes = await Promise.all(Array.from({ length: 20 }, (_, i) => put({ etag: `e${i + 2}` })))
    expect(outcomes.map((o) => o.version).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 2))
  })

  test('another ETag, or other facts, are a new version; the same ones are none', async () => {
    expect(await put()).toEqual({ outcome: 'created', version: 1 })
    expect(await put()).toEqual({ outcome: 'unchanged', version: 1 })
    expect(await put({ etag: 'e2' })).toEqual({ outcome: 'updated', version: 2 })
    expect(await put({ etag: 'e2', properties: { gsd: 3 } })).toEqual({ outcome: 'updated', version: 3 })
    expect(await put({ etag: 'e2', properties: { gsd: 3 } })).toEqual({ outcome: 'unchanged', version: 3 })
  })

  test('of the same files never less than was known; another ETag or a side-car more is new', async () => {
    const of = async (mode: string, etag: string, assets: object) =>
      only(
        await catalogue.upsertItem(db, { item: { ...itemRecord({ etag }), mode, content: { assets, mode } }, only_new: false }),
      )
    const data = { data: { href: 'blob:bronze/a.tif' } }
    expect(await of('full', 'e1', data)).toEqual({ outcome: 'created', version: 1 })
    expect(await of('header', 'e1', data)).toEqual({ outcome: 'unchanged', version: 1 })
    expect(await rows('mode')).toEqual([{ mode: 'full' }])
    expect(await of('header', 'e1', { ...data, aux: { href: 'blob:bronze/a.xml' } })).toEqual({ outcome: 'updated', version: 2 })
    expect(await of('full', 'e1', data)).toEqual({ outcome: 'updated', version: 3 })
    expect(await of('quick', 'e2', data)).toEqual({ outcome: 'updated', version: 4 })
  })

  test('an id that belongs to another file is a collision, without a collection nothing is registered', async () => {
    await put()
    const other = { ...itemRecord(), name: 'b.tif' }
    expect(await catalogue.upsertItem(db, { item: other, only_new: false })).toEqual([{ outcome: 'collision', version: 1 }])
    expect(await put({ collection: 'nothing' })).toEqual({ outcome: 'no_collection', version: 0 })
    expect(await rows('name')).toEqual([{ name: 'a.tif' }])
  })

  test('a foreign document that moved takes its row over once the old one is missing, not before', async () => {
    const foreign = (name: string) => ({ ...itemRecord({ kind: 'foreign', name: 'id' }), container: 'others', name })
    const putForeign = async (name: string) => only(await catalogue.upsertItem(db, { item: foreign(name), only_new: false }))
    expect((await putForeign('old.json')).outcome).toBe('created')
    expect((await putForeign('new.json')).outcome).toBe('collision')
    await db.query('UPDATE app.stac_items SET missing_since = now()')
    expect(await putForeign('new.json')).toEqual({ outcome: 'updated', version: 2 })
    expect(await rows('name, missing_since')).toEqual([{ name: 'new.json', missing_since: null }])
  })

  test('longest name, any character', async () => {
    const name = '漢'.repeat(1000)
    expect(await put({ name })).toEqual({ outcome: 'created', version: 1 })
    expect(await put({ name: `it's; DROP TABLE "x" -- 100%` })).toEqual({ outcome: 'created', version: 1 })
  })
})

describe('collections', () => {
  test('20 first writers at once make one; a title that is not given stays', async () => {
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => collection('new')))
    expect(outcomes.flat().filter((o) => o.outcome === 'created')).toHaveLength(1)
    expect(await collection('new', { license: 'CC0-1.0' })).toEqual([{ outcome: 'updated' }])
    expect(await collection('new', { license: 'CC0-1.0' })).toEqual([{ outcome: 'unchanged' }])
    const found = await db.query(`SELECT content FROM app.stac_collections WHERE collection_id = 'new'`)
    expect(found).toEqual([{ content: { title: 'A', license: 'CC0-1.0' } }])
  })

  test('the extent covers items one by one, all longitudes where one crosses the antimeridian, and shrinks when it is made anew', async () => {
    await put({ name: 'a', box: [10, 45, 11, 46], at: '2024-01-01T00:00:00Z' })
    await put({ name: 'b', box: [-5, 40, 10.5, 45.5], at: '2020-01-01T00:00:00Z', end: '2021-01-01T00:00:00Z' })
    await put({ name: 'nowhere', box: null, at: '2022-01-01T00:00:00Z' })
    for (const name of ['a', 'b', 'nowhere'])
      await catalogue.widenExtent(db, { collection_id: 'bronze-a', item_id: itemRecord({ name }).item_id })
    const expected = {
      west: -5,
      south: 40,
      east: 11,
      north: 46,
      start_at: new Date('2020-01-01'),
      end_at: new Date('2024-01-01'),
    }
    expect(await extent()).toEqual(expected)
    await put({ name: 'c', box: [179, -20, -179, -19] })
    await catalogue.widenExtent(db, { collection_id: 'bronze-a', item_id: itemRecord({ name: 'c' }).item_id })
    expect(await extent()).toMatchObject({ west: -180, south: -20, east: 180, north: 46 })
    await db.query(`DELETE FROM app.stac_items WHERE name = 'c'`)
    expect(await catalogue.refreshExtent(db, { collection_id: 'bronze-a', summaries: { 'proj:code': ['EPSG:4326'] } })).toEqual([
      { items: 3 },
    ])
    expect(await extent()).toEqual(expected)
  })

  test('an item that is published while the extent is made anew is covered at the end', async () => {
    await put({ name: 'a', box: [0, 0, 1, 1] })
    const [publisher, refresher] = [await session(database.url), await session(database.url)]
    try {
      await catalogue.upsertItem(publisher.pool, { item: itemRecord({ name: 'b', box: [50, 50, 60, 60] }), only_new: false })
      await catalogue.widenExtent(publisher.pool, { collection_id: 'bronze-a', item_id: itemRecord({ name: 'b' }).item_id })
      const refreshed = catalogue.refreshExtent(refresher.pool, { collection_id: 'bronze-a', summaries: {} })
      expect(await waits(db, refresher.client, refreshed)).toBe(true)
      await publisher.client.query('COMMIT')
      expect(await refreshed).toEqual([{ items: 2 }])
      await refresher.client.query('COMMIT')
    } finally {
      await Promise.all([publisher, refresher].map((s) => s.client.end()))
    }
    expect(await extent()).toMatchObject({ west: 0, south: 0, east: 60, north: 60 })
  })

  test('a list of keywords that got shorter is the new one', async () => {
    await collection('words', { keywords: ['a', 'b', 'c'] })
    expect(await collection('words', { keywords: ['a'] })).toEqual([{ outcome: 'updated' }])
    expect(await db.query(`SELECT content FROM app.stac_collections WHERE collection_id = 'words'`)).toEqual([
      { content: { keywords: ['a'] } },
    ])
  })

  test('one with items stays, an empty one goes, an unknown one is told', async () => {
    await put()
    expect(await catalogue.deleteCollection(db, { collection_id: 'bronze-a' })).toEqual([{ items: 1 }])
    await db.query('DELETE FROM app.stac_items')
    expect(await catalogue.deleteCollection(db, { collection_id: 'bronze-a' })).toEqual([{ items: 0 }])
    expect(await catalogue.deleteCollection(db, { collection_id: 'bronze-a' })).toEqual([{ items: -1 }])
  })
})

describe('sweep', () => {
  const ids = (...names: string[]): string[] => names.map((name) => itemRecord({ name }).item_id)
  const sweep = async (gone: string[], at: string, missing: 'mark' | 'delete' = 'mark', back: string[] = []) =>
    only(await catalogue.sweepItems(db, { collection_id: 'bronze-a', gone, back, at, missing }))

  test('marked by the first listing, removed by the second; a repetition of the first removes nothing', async () => {
    for (const name of ['a', 'b', 'c']) await put({ name })
    expect(await sweep(ids('a', 'b'), '2124-01-01')).toEqual({ marked: 2, deleted: 0 })
    expect(await sweep(ids('a', 'b'), '2124-01-01')).toEqual({ marked: 0, deleted: 0 })
    // b is there again.
    expect(await sweep(ids('a'), '2124-01-02', 'mark', ids('b'))).toEqual({ marked: 0, deleted: 1 })
    expect(await rows('name, missing_since')).toEqual([
      { name: 'b', missing_since: null },
      { name: 'c', missing_since: null },
    ])
    expect(await sweep(ids('c'), '2124-01-03', 'delete')).toEqual({ marked: 0, deleted: 1 })
  })

  test('what was registered since the listing began is left alone: its name may have been passed before its file was there', async () => {
    await put({ name: 'a' })
    expect(await sweep(ids('a'), '2020-01-01', 'delete')).toEqual({ marked: 0, deleted: 0 })
    expect(await rows('name')).toEqual([{ name: 'a' }])
  })

  test('a missing file that is registered again is not missing, at the same version', async () => {
    await put({ name: 'a' })
    await sweep(ids('a'), '2124-01-01')
    expect(await put({ name: 'a' })).toEqual({ outcome: 'unchanged', version: 1 })
    expect(await rows('missing_since')).toEqual([{ missing_since: null }])
  })
})

test('a listing that broke off empties nothing: of more than a hundred missing, and more than half, none is swept', async () => {
  const names = Array.from({ length: 250 }, (_, i) => `f${i}.tif`)
  for (const name of names)
    await catalogue.upsertItem(db, { item: { ...itemRecord({ name }), item_id: itemIdOf('bronze', name) }, only_new: false })
  const listed = async function* (count: number) {
    yield* names.slice(0, count)
  }
  const sweep = (count: number, missing: 'mark' | 'delete', at: string) =>
    sweepMissing(catalogueRecords(db), listed(count), { collectionId: 'bronze-a', container: 'bronze', prefix: '', missing, at })
  expect(await sweep(100, 'delete', '2124-01-01')).toEqual({ missing: 150, deleted: 0, warning: 'SWEEP_REFUSED' })
  expect(await db.query('SELECT count(*)::int AS n FROM app.stac_items WHERE missing_since IS NULL')).toEqual([{ n: 250 }])
  expect(await sweep(130, 'mark', '2124-01-02')).toEqual({ missing: 120, deleted: 0 })
  // Those that are there again are no longer missing, whatever is refused.
  expect(await sweep(200, 'mark', '2124-01-03')).toEqual({ missing: 0, deleted: 50 })
  expect(await db.query('SELECT count(*)::int AS n FROM app.stac_items WHERE missing_since IS NULL')).toEqual([{ n: 200 }])
})

describe('publication', () => {
  const collections = [
    { collection_id: 'bronze-a', kind: 'bronze', container: 'bronze', content: { title: 'B' } },
    { collection_id: 'silver-a', kind: 'silver', container: 'silver', content: { title: 'S' } },
  ]
  const itemsOf = (blob: string, jobId: string) => [
    itemRecord({ name: 'source.tif', properties: { from: jobId } }),
    {
      ...itemRecord({ collection: 'silver-a', kind: 'silver', name: 'target', etag: blob }),
      container: 'silver',
      blob,
      job_id: jobId,
      plan: 1,
    },
  ]
  async function publish(blob: string, overwrite: boolean, jobId = newJobId()) {
    const records = outputRecords(db)
    await records.stage({ container: 'silver', blob, jobId, plan: 1, targetName: 'target', provenance: {} })
    await records.commit('silver', blob, { bytes: 1, etag: 'e', facts: {} })
    return only(
      await catalogue.publishRaster(db, { container: 'silver', blob, overwrite, collections, items: itemsOf(blob, jobId) }),
    )
  }
  const published = (): Promise<unknown[]> =>
    db.query(
      `SELECT i.blob, i.version FROM app.stac_items i JOIN app.raster_outputs o ON o.blob = i.blob AND o.state = 'published'`,
    )

  test('name and items change together; the source is registered once; a late repetition turns nothing back', async () => {
    expect(await publish('target/1.tif', false)).toMatchObject({ outcome: 'published' })
    expect(await published()).toEqual([{ blob: 'target/1.tif', version: 1 }])
    expect(await publish('target/2.tif', false)).toMatchObject({ outcome: 'taken' })
    expect(await published()).toEqual([{ blob: 'target/1.tif', version: 1 }])
    expect(await publish('target/3.tif', true)).toMatchObject({ outcome: 'published' })
    expect(await published()).toEqual([{ blob: 'target/3.tif', version: 2 }])
    const again = {
      container: 'silver',
      blob: 'target/1.tif',
      overwrite: true,
      collections,
      items: itemsOf('target/1.tif', newJobId()),
    }
    expect(await catalogue.publishRaster(db, again)).toMatchObject([{ outcome: 'superseded' }])
    expect(await published()).toEqual([{ blob: 'target/3.tif', version: 2 }])
    expect(await rows('name, version')).toEqual([
      { name: 'source.tif', version: 1 },
      { name: 'target', version: 2 },
    ])
  })

  test('what is registered of a source meanwhile is not replaced by what a conversion knows of it', async () => {
    const [cataloguer, publisher] = [await session(database.url), await session(database.url)]
    const jobId = newJobId()
    await outputRecords(db).stage({ container: 'silver', blob: 't/7.tif', jobId, plan: 1, targetName: 'seven', provenance: {} })
    await outputRecords(db).commit('silver', 't/7.tif', { bytes: 1, etag: 'e', facts: {} })
    try {
      const rich = itemRecord({ name: 'source.tif', properties: { rich: true } })
      await catalogue.upsertItem(cataloguer.pool, { item: rich, only_new: false })
      const order = { container: 'silver', blob: 't/7.tif', overwrite: true, collections, items: itemsOf('t/7.tif', jobId) }
      const publication = catalogue.publishRaster(publisher.pool, order)
      expect(await waits(db, publisher.client, publication)).toBe(true)
      await cataloguer.client.query('COMMIT')
      expect(await publication).toMatchObject([{ outcome: 'published' }])
      await publisher.client.query('COMMIT')
    } finally {
      await Promise.all([cataloguer, publisher].map((s) => s.client.end()))
    }
    const [found] = await db.query<{ content: { properties: unknown } }>(
      `SELECT content FROM app.stac_items WHERE name = 'source.tif'`,
    )
    expect(found?.content.properties).toEqual({ rich: true })
  })

  test('a collision publishes nothing', async () => {
    const jobId = newJobId()
    await collection('silver-a')
    await catalogue.upsertItem(db, {
      item: { ...itemRecord({ collection: 'silver-a', kind: 'silver', name: 'target' }), name: 'another' },
      only_new: false,
    })
    await outputRecords(db).stage({ container: 'silver', blob: 't/9.tif', jobId, plan: 1, targetName: 'nine', provenance: {} })
    await outputRecords(db).commit('silver', 't/9.tif', { bytes: 1, etag: 'e', facts: {} })
    const order = { container: 'silver', blob: 't/9.tif', overwrite: true, collections, items: itemsOf('t/9.tif', jobId) }
    expect(await codeOf(catalogue.publishRaster(db, order))).toBe('STAC_ID_COLLISION')
    expect(await db.query(`SELECT state FROM app.raster_outputs WHERE blob = 't/9.tif'`)).toEqual([{ state: 'committed' }])
  })

  test('a deletion that waits for its item, and a publication of the same name behind it: one after the other, no deadlock', async () => {
    await db.query('TRUNCATE app.raster_outputs')
    await publish('target/1.tif', true)
    const { item_id } = itemRecord({ name: 'target' })
    const jobId = newJobId()
    await outputRecords(db).stage({
      container: 'silver',
      blob: 'target/2.tif',
      jobId,
      plan: 1,
      targetName: 'target',
      provenance: {},
    })
    await outputRecords(db).commit('silver', 'target/2.tif', { bytes: 1, etag: 'e', facts: {} })
    const [holder, deleter, publisher] = [await session(database.url), await session(database.url), await session(database.url)]
    try {
      await holder.client.query('SELECT FROM app.stac_items WHERE item_id = $1 FOR UPDATE', [item_id])
      const deletion = catalogue.deleteItem(deleter.pool, { collection_id: 'silver-a', item_id, version: 1, with_blob: true })
      expect(await waits(db, deleter.client, deletion)).toBe(true)
      const order = {
        container: 'silver',
        blob: 'target/2.tif',
        overwrite: true,
        collections,
        items: itemsOf('target/2.tif', jobId),
      }
      const publication = catalogue.publishRaster(publisher.pool, order)
      expect(await waits(db, publisher.client, publication)).toBe(true)
      await holder.client.query('ROLLBACK')
      expect(await deletion).toEqual([{ outcome: 'deleted' }])
      await deleter.client.query('COMMIT')
      expect(await publication).toMatchObject([{ outcome: 'published' }])
      await publisher.client.query('COMMIT')
    } finally {
      await Promise.all([holder, deleter, publisher].map((s) => s.client.end()))
    }
    expect(await published()).toEqual([{ blob: 'target/2.tif', version: 1 }])
  })

  test('a deletion of another version loses; with its blob the file is handed to the clean-up', async () => {
    await db.query('TRUNCATE app.raster_outputs')
    await publish('target/1.tif', true)
    const { item_id } = itemRecord({ name: 'target' })
    const order = { collection_id: 'silver-a', item_id, with_blob: true }
    expect(await catalogue.deleteItem(db, { ...order, version: 7 })).toEqual([{ outcome: 'changed' }])
    expect(await catalogue.deleteItem(db, { ...order, version: 1 })).toEqual([{ outcome: 'deleted' }])
    expect(await catalogue.deleteItem(db, { ...order, version: 1 })).toEqual([{ outcome: 'absent' }])
    expect(await db.query('SELECT state FROM app.raster_outputs')).toEqual([{ state: 'superseded' }])
  })
})
