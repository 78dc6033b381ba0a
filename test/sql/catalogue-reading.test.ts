// The catalogue as job types read it: kinds are kept apart, ranges cover each item once, sources are known by their state.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { upsertCollection, upsertItem } from '../../src/db/catalogue-functions.ts'
import { catalogueRecords } from '../../src/db/catalogue-records.ts'
import type { CatalogueRecords } from '../../src/models/stac-record.ts'
import { readSearch, type RawSearch } from '../../src/stac/search/read-search.ts'
import { type FoundRow, runSearch } from '../../src/stac/search/run-search.ts'
import { itemRecord, type RecordOptions } from '../support/catalogue.ts'
import { createDatabase, type TestDatabase } from '../support/db.ts'

let database: TestDatabase
let catalogue: CatalogueRecords
beforeAll(async () => {
  database = await createDatabase()
  catalogue = catalogueRecords(database.pool)
})
afterAll(() => database?.drop())
beforeEach(async () => {
  await database.pool.query('TRUNCATE app.stac_items, app.stac_collections')
  for (const id of ['b', 'a', 'c'])
    await upsertCollection(database.pool, { collection_id: id, kind: 'bronze', container: 'bronze', prefix: '', content: {} })
})

const put = (options: RecordOptions, more: object = {}) =>
  upsertItem(database.pool, { item: { ...itemRecord({ collection: 'a', ...options }), ...more }, only_new: false })
async function all<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const found: T[] = []
  for await (const page of pages) found.push(...page)
  return found
}

test('a sweep of our files never sees documents of others, and the reverse', async () => {
  await put({ name: 'x/a.tif' })
  const filed = { container: 'bronze', content: { properties: {}, file: { features: 3 } } }
  await put({ name: 'x/a.json', kind: 'foreign' }, { ...filed, item_id: 'theirs' })
  await put({ name: 'y/a.json', kind: 'foreign' }, { ...filed, item_id: 'elsewhere' })
  expect(await all(catalogue.itemsOf('a', 'bronze', 'x/'))).toMatchObject([{ item_id: itemRecord({ name: 'x/a.tif' }).item_id }])
  expect(await all(catalogue.filesOf('a', 'bronze', 'x/'))).toEqual([
    { item_id: 'theirs', name: 'x/a.json', etag: 'e1', isMissing: false, features: 3 },
  ])
})

test.each([1, 4, 5, 9, 10, 100])('ranges of %i over 9 items cover each once, without those that are gone', async (size) => {
  for (let i = 0; i < 10; i++) await put({ name: `${i}.tif` }, { item_id: `i${i}` })
  await put({ collection: 'b', name: 'other.tif' })
  await database.pool.query(`UPDATE app.stac_items SET missing_since = now() WHERE item_id = 'i4'`)
  const found: string[] = []
  for await (const { count, ...range } of catalogue.ranges('a', size)) {
    const items = await catalogue.items('a', range)
    expect(items).toHaveLength(count)
    found.push(...items.map((i) => i.item_id))
  }
  expect(found).toEqual(['i0', 'i1', 'i2', 'i3', 'i5', 'i6', 'i7', 'i8', 'i9'])
})

test('the state of a source: the same, changed, absent, none', async () => {
  await put({ name: 's.tif' }, { item_id: 'source' })
  const from = (etag: string, source_item = 'source') => ({ source_collection: 'a', source_item, source_etag: etag })
  await put({ collection: 'b', name: '1.tif' }, { item_id: '1', ...from('e1') })
  await put({ collection: 'b', name: '2.tif' }, { item_id: '2', ...from('e0') })
  await put({ collection: 'b', name: '3.tif' }, { item_id: '3', ...from('e1', 'gone') })
  await put({ collection: 'b', name: '4.tif' }, { item_id: '4' })
  const items = await catalogue.items('b', { after: '', until: '9' })
  expect(items.map((i) => i.source_state)).toEqual(['same', 'changed', 'absent', null])
})

test('collections by id: all, some, none', async () => {
  const ids = async (wanted?: string[]) => (await catalogue.collections(wanted)).map((c) => c.collection_id)
  expect([await ids(), await ids(['c', 'no', 'a']), await ids([])]).toEqual([['a', 'b', 'c'], ['a', 'c'], []])
})

test('created of others is searched and sorted by as it is shown: the time that they came with', async () => {
  const theirs = (id: string, created?: string) =>
    put(
      { name: id, kind: 'foreign' },
      { item_id: id, content: { properties: created ? { created } : {}, geometry: null, assets: {} } },
    )
  await theirs('new', '2021-01-01T00:00:00Z')
  await theirs('old', '2001-01-01T00:00:00Z')
  await theirs('without')
  const ids = async (raw: RawSearch): Promise<string[]> => {
    const search = readSearch(raw, 'query')
    const { items } = await runSearch(
      (text, values) => database.pool.query<FoundRow>(text, values),
      search,
      () => 0,
    )
    return items.map((item) => item.item_id)
  }
  expect(await ids({ sortby: 'created' })).toEqual(['old', 'new', 'without'])
  expect(await ids({ sortby: '-created' })).toEqual(['new', 'old', 'without'])
  expect(await ids({ filter: "created > TIMESTAMP('2010-01-01T00:00:00Z')" })).toEqual(['new'])
  expect(await ids({ filter: 'created IS NULL' })).toEqual(['without'])
  await database.pool.query(`UPDATE app.stac_items SET missing_since = now() WHERE item_id = 'old'`)
  expect(await ids({ filter: '"lamplighter:missing_since" IS NOT NULL' })).toEqual(['old'])
})
