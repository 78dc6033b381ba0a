// A catalogue by chance, the same for a seed: boxes and shapes, over the antimeridian, without place, instants and intervals.
import type { Geometry } from '../../src/stac/cql2/geometry.ts'
import { placeColumns } from '../../src/stac/place-columns.ts'
import { itemRecord } from './catalogue.ts'

/** Numbers from 0 to 1 by mulberry32. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

export interface Chance {
  next(): number
  between(low: number, high: number): number
  pick<T>(list: readonly T[]): T
}

export function chance(seed: number): Chance {
  const next = randomNumbers(seed)
  return {
    next,
    between: (low, high) => low + next() * (high - low),
    pick: (list) => list[Math.floor(next() * list.length)] as never,
  }
}

const degrees = (n: number): number => Math.round(n * 100) / 100
const ring = (w: number, s: number, e: number, n: number): number[][] => [
  [w, s],
  [e, s],
  [e, n],
  [w, n],
  [w, s],
]

export interface MadeItem {
  readonly record: ReturnType<typeof itemRecord>
  readonly geometry: Geometry | null
  readonly bbox: readonly [number, number, number, number] | null
}

function placeOf(c: Chance): { geometry: Geometry | null; bbox: [number, number, number, number] | null } {
  const kind = c.next()
  if (kind < 0.05) return { geometry: null, bbox: null }
  const [south, height, width] = [degrees(c.between(-89, 80)), degrees(c.between(0.01, 9)), degrees(c.between(0.01, 12))]
  const north = degrees(south + height)
  if (kind < 0.15) {
    const [west, east] = [degrees(180 - width / 2 - 0.01), degrees(-180 + width / 2 + 0.01)]
    return {
      geometry: { type: 'MultiPolygon', coordinates: [[ring(west, south, 180, north)], [ring(-180, south, east, north)]] },
      bbox: [west, south, east, north],
    }
  }
  const west = degrees(c.between(-180, 180 - width))
  const east = degrees(west + width)
  const bbox: [number, number, number, number] = [west, south, east, north]
  if (kind < 0.25) return { geometry: { type: 'Point', coordinates: [west, south] }, bbox: [west, south, west, south] }
  if (kind < 0.6) return { geometry: { type: 'Polygon', coordinates: [ring(...bbox)] }, bbox }
  // A rhombus touches its box in four points.
  const [x, y] = [(west + east) / 2, (south + north) / 2]
  const rhombus = [
    [x, south],
    [east, y],
    [x, north],
    [west, y],
    [x, south],
  ]
  return { geometry: { type: 'Polygon', coordinates: [rhombus] }, bbox }
}

const CODES = ['EPSG:4326', 'EPSG:32633', "it's", 'x%_y'] as const

/** Times repeat, so that orders have ties. */
const timeOf = (c: Chance): string =>
  new Date(Date.UTC(2015, 0, 1 + Math.floor(c.between(0, 2000)), Math.floor(c.between(0, 4)) * 6)).toISOString()

export function makeItems(count: number, seed = 1): MadeItem[] {
  const c = chance(seed)
  return Array.from({ length: count }, (_, i) => {
    const place = placeOf(c)
    const start = timeOf(c)
    const lasts = c.next() < 0.05
    const end = lasts ? new Date(Date.parse(start) + c.between(1, 400) * 86_400_000).toISOString() : start
    const properties = {
      datetime: lasts ? null : start,
      ...(lasts ? { start_datetime: start, end_datetime: end } : {}),
      ...(c.next() < 0.8 ? { gsd: c.pick([0.5, 10, 30, 30, 1000]) } : {}),
      ...(c.next() < 0.9 ? { 'proj:code': c.pick(CODES) } : {}),
    }
    const record = itemRecord({
      collection: c.pick(['bronze-a', 'bronze-b', 'silver-a']),
      name: `item ${i}`,
      box: null,
      at: start,
      end,
    })
    const content = { ...record.content, geometry: place.geometry, properties }
    return {
      record: { ...record, ...placeColumns(place.geometry, place.bbox ?? undefined), content } as MadeItem['record'],
      ...place,
    }
  })
}

/** Inserts records by thousands. */
export async function insertItems(
  db: { query(text: string, values: readonly unknown[]): Promise<unknown> },
  items: readonly MadeItem[],
): Promise<void> {
  for (let i = 0; i < items.length; i += 1000) {
    const part = JSON.stringify(items.slice(i, i + 1000).map((m) => m.record))
    await db.query(
      `INSERT INTO app.stac_items SELECT (jsonb_populate_record(NULL::app.stac_items, e || '{"version": 1, "created_at": "2024-01-01T00:00:00Z",
        "updated_at": "2024-01-01T00:00:00Z"}')).* FROM jsonb_array_elements($1::jsonb) e`,
      [part],
    )
  }
}
