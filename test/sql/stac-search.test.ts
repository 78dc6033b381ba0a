// A search finds what a filter over all items finds, in order, page by page, while items are inserted.
import { setImmediate } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { evaluate } from '../../src/stac/cql2/evaluate.ts'
import { boxOf, meets } from '../../src/stac/search/place-sql.ts'
import { readSearch } from '../../src/stac/search/read-search.ts'
import { type FoundRow, runSearch } from '../../src/stac/search/run-search.ts'
import type { Search, SortKey } from '../../src/stac/search/search.ts'
import { orderOf } from '../../src/stac/search/sort.ts'
import type { Pool } from '../../src/db/pool.ts'
import { createDatabase, type TestDatabase } from '../support/db.ts'
import { chance, type Chance, insertItems, makeItems, type MadeItem } from '../support/random-items.ts'

const ITEMS = 10_000
const SEARCHES = 300

let database: TestDatabase
let db: Pool
const items = makeItems(ITEMS)
/** Parsed once: a thousand searches compare them a hundred million times. */
const times = new Map(
  items.map((m) => [
    m,
    { start: Date.parse(m.record.start_at), end: Date.parse(m.record.end_at), sort: Date.parse(m.record.sort_at) },
  ]),
)
const timeOf = (m: MadeItem) => times.get(m) as { start: number; end: number; sort: number }
const byKey = new Map(items.map((m) => [`${m.record.collection_id} ${m.record.item_id}`, m]))
beforeAll(async () => {
  database = await createDatabase()
  db = database.pool
  await insertItems(db, items)
  await db.query('ANALYZE app.stac_items')
})
afterAll(() => database.drop())

const run = (search: Search, now = () => 0) => runSearch((text, values) => db.query<FoundRow>(text, values), search, now)
const keyOf = (r: { collection_id: string; item_id: string }): string => `${r.collection_id} ${r.item_id}`

const inBox = (m: MadeItem, [w = 0, s = 0, e = 0, n = 0]: readonly number[]): boolean => {
  if (!m.bbox || !m.geometry || m.bbox[3] < s || m.bbox[1] > n) return false
  // Neither goes over the antimeridian: then west and east are plain.
  if (w <= e && m.bbox[0] <= m.bbox[2]) {
    if (m.bbox[2] < w || m.bbox[0] > e) return false
    if (m.bbox[0] >= w && m.bbox[2] <= e && m.bbox[1] >= s && m.bbox[3] <= n) return true
  }
  return meets(m.geometry, { kind: 'bbox', box: [w, s, e, n] })
}

/** Plainly, from the parameters as a caller wrote them. */
function matches(m: MadeItem, raw: Record<string, string>, search: Search): boolean {
  const { record } = m
  if (raw['ids'] && !raw['ids'].split(',').includes(record.item_id)) return false
  if (raw['collections'] && !raw['collections'].split(',').includes(record.collection_id)) return false
  if (raw['datetime']) {
    const [from = '', to = from] = raw['datetime'].split('/')
    if (from !== '..' && timeOf(m).end < Date.parse(from)) return false
    if (to !== '..' && timeOf(m).start > Date.parse(to)) return false
  }
  if (raw['bbox'] && !inBox(m, raw['bbox'].split(',').map(Number))) return false
  if (search.intersects && !inBox(m, boxOf({ kind: 'geometry', geometry: search.intersects }))) return false
  if (search.intersects && !(m.geometry && meets(m.geometry, { kind: 'geometry', geometry: search.intersects }))) return false
  if (!search.filter) return true
  const item = {
    id: record.item_id,
    collection: record.collection_id,
    geometry: m.geometry,
    properties: { start_datetime: record.start_at, end_datetime: record.end_at, ...record.content.properties },
  }
  return evaluate(search.filter, item, { intersects: meets }) === true
}

function valueOf(m: MadeItem, field: string): string | number | null {
  const { record } = m
  const properties = record.content.properties as Record<string, string | number | null>
  if (field === 'datetime') return timeOf(m).sort
  if (field === 'end_datetime') return timeOf(m).end
  if (field === 'id') return record.item_id
  if (field === 'collection') return record.collection_id
  return properties[field] ?? null
}

function compare(a: MadeItem, b: MadeItem, order: readonly SortKey[]): number {
  for (const { field, descending } of order) {
    const [x, y] = [valueOf(a, field), valueOf(b, field)]
    if (x === y) continue
    if (x === null || y === null) return x === null ? 1 : -1
    return x < y === descending ? 1 : -1
  }
  return 0
}

function expected(raw: Record<string, string>, search: Search): string[] {
  const order = orderOf(search.sort)
  const found = items.filter((m) => matches(m, raw, search))
  return found.sort((a, b) => compare(a, b, order)).map((m) => keyOf(m.record))
}

const box = (c: Chance): string => {
  const width = c.pick([0, 0.5, 5, 40, 200])
  const [west, south] = [Math.round(c.between(-180, 180) * 100) / 100, Math.round(c.between(-90, 85) * 100) / 100]
  // Beyond 180 it goes on at -180: a box over the antimeridian.
  const east = west + width > 180 ? west + width - 360 : west + width
  return [west, south, east, Math.min(90, south + c.pick([0, 1, 10, 60]))].join(',')
}
const interval = (c: Chance): string => {
  const time = (): string => new Date(Date.UTC(2014, 6, 1) + c.between(0, 2600) * 86_400_000).toISOString()
  const [a, b] = [time(), time()].sort() as [string, string]
  return c.pick([a, `${a}/${b}`, `../${b}`, `${a}/..`, c.pick(items).record.start_at])
}
const triangle = (c: Chance): string => {
  const [x, y, size] = [c.between(-170, 150), c.between(-80, 60), c.pick([1, 10, 20])]
  return JSON.stringify({
    type: 'Polygon',
    coordinates: [
      [
        [x, y],
        [x + size, y],
        [x, y + size],
        [x, y],
      ],
    ],
  })
}
const FILTERS = (c: Chance): string =>
  c.pick([
    `gsd = 30`,
    `gsd > 5 AND gsd <= 30`,
    `NOT (gsd = 30)`,
    `gsd IS NULL OR "proj:code" = 'it''s'`,
    `"proj:code" LIKE 'EPSG:%'`,
    `"proj:code" LIKE 'x\\%\\_y'`,
    `gsd IN (0.5, 1000) AND collection <> 'bronze-a'`,
    `gsd BETWEEN 10 AND 40`,
    `S_INTERSECTS(geometry, BBOX(${box(c)}))`,
    `NOT S_INTERSECTS(geometry, BBOX(${box(c)})) AND gsd = 1000`,
    `S_INTERSECTS(geometry, POLYGON((10 10, 30 12, 20 40, 10 10))) OR gsd = 0.5`,
    `datetime > TIMESTAMP('2018-01-01T00:00:00Z')`,
    `T_INTERSECTS(datetime, INTERVAL('2016-01-01','2016-12-31'))`,
    `T_BEFORE(datetime, DATE('2016-05-05'))`,
  ])
const SORTS = [
  '',
  '-datetime',
  '+datetime',
  'gsd',
  '-gsd',
  '+proj:code,-datetime',
  '-proj:code',
  'id',
  '-collection,gsd',
  'end_datetime',
]

function randomSearch(c: Chance): Record<string, string> {
  const raw: Record<string, string> = { limit: String(c.pick([1, 7, 10, 100, 1000])) }
  if (c.next() < 0.5) raw['bbox'] = box(c)
  else if (c.next() < 0.3) raw['intersects'] = triangle(c)
  if (c.next() < 0.4) raw['datetime'] = interval(c)
  if (c.next() < 0.3) raw['collections'] = c.pick(['bronze-a', 'bronze-a,silver-a', 'nothing', 'bronze-b'])
  if (c.next() < 0.1) raw['ids'] = Array.from({ length: 40 }, () => c.pick(items).record.item_id).join(',')
  if (c.next() < 0.4) raw['filter'] = FILTERS(c)
  const sortby = c.pick(SORTS)
  if (sortby !== '') raw['sortby'] = sortby
  return raw
}

test(`${SEARCHES} searches over ${ITEMS} items: first page, count where it is told, and second page as a plain filter says`, async () => {
  const c = chance(42)
  let found = 0
  for (let i = 0; i < SEARCHES; i++) {
    const raw = randomSearch(c)
    const search = readSearch(raw, 'query')
    const all = expected(raw, search)
    const first = await run(search)
    const message = JSON.stringify(raw)
    expect(first.items.map(keyOf), message).toEqual(all.slice(0, first.items.length))
    if (first.next === undefined) expect([first.items.length, first.matched], message).toEqual([all.length, all.length])
    else if (first.items.length > 0) {
      const second = await run(readSearch({ ...raw, token: first.next }, 'query'))
      expect(second.items.map(keyOf), message).toEqual(all.slice(first.items.length, first.items.length + second.items.length))
    }
    found += all.length
  }
  // The searches find something.
  expect(found).toBeGreaterThan(SEARCHES * 20)
})

test.each(SORTS)('to the end by %j, while items are inserted: every old item once, in order', async (sortby) => {
  const raw = { limit: '700', datetime: '2016-01-01T00:00:00Z/..', ...(sortby === '' ? {} : { sortby }) }
  const all = expected(raw, readSearch(raw, 'query'))
  const seen: string[] = []
  const fresh = makeItems(400, 7).map((m, i) => ({
    ...m,
    record: { ...m.record, item_id: `new-${sortby.replaceAll(/\W/g, '')}-${i}` },
  }))
  let token: string | undefined
  for (let page = 0; page === 0 || token !== undefined; page++) {
    const { items: rows, next } = await run(readSearch({ ...raw, ...(token ? { token } : {}) }, 'query'))
    seen.push(...rows.map(keyOf))
    token = next
    await insertItems(db, fresh.slice(page * 20, page * 20 + 20))
  }
  await db.query(`DELETE FROM app.stac_items WHERE item_id LIKE 'new-%'`)
  expect(new Set(seen).size).toBe(seen.length)
  expect(seen.filter((key) => byKey.has(key))).toEqual(all)
})

const zigzag = (positions: number): string =>
  JSON.stringify({
    type: 'LineString',
    coordinates: Array.from({ length: positions }, (_, i) => [-170 + (340 * i) / positions, i % 2 === 0 ? -80 : 80]),
  })

test('a shape of thousands of positions: others get their turn, and the page is cut when the time is over', async () => {
  let turns = 0
  let isDone = false
  const others = (async () => {
    for (; !isDone; turns++) await setImmediate()
  })()
  const search = readSearch({ limit: '1000', intersects: zigzag(2000) }, 'query')
  let asked = 0
  const found = await run(search, () => ++asked * 20)
  isDone = true
  await others
  expect(found.items.length).toBeGreaterThan(20)
  expect(found.items.length).toBeLessThan(1000)
  expect(found.next).toBeDefined()
  expect(turns).toBeGreaterThan(found.items.length / 20)
})

test('no page is empty while there is more: some clients stop there; when the time is over with nothing found, that is told', async () => {
  const corners = JSON.stringify({
    type: 'MultiPoint',
    coordinates: [
      [-180, -90],
      [180, 90],
    ],
  })
  const search = readSearch({ limit: '10', intersects: corners }, 'query')
  expect(await run(search)).toEqual({ items: [], matched: 0 })
  let clock = 0
  await expect(run(search, () => (clock += 5000))).rejects.toMatchObject({ code: 'QUERY_TOO_SLOW' })
})
