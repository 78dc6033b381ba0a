// Items as records, for tests of the catalogue's SQL and search.
import { createHash } from 'node:crypto'

export interface RecordOptions {
  readonly collection?: string
  readonly name?: string
  readonly kind?: 'bronze' | 'silver' | 'foreign'
  readonly box?: readonly [number, number, number, number] | null
  readonly at?: string
  readonly end?: string
  readonly etag?: string
  readonly properties?: Readonly<Record<string, unknown>>
}

const idOf = (name: string): string => `i-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`

/** A record as upsert_item takes it; a box alone is its geometry. */
export function itemRecord(options: RecordOptions = {}) {
  const { collection = 'bronze-a', name = 'a.tif', kind = 'bronze', at = '2024-01-01T00:00:00Z', end = at, etag = 'e1' } = options
  const box = options.box === undefined ? ([10, 45, 11, 46] as const) : options.box
  const [west, south, east, north] = box ?? [null, null, null, null]
  const crosses = west !== null && east !== null && west > east
  const range = (low: number, high: number): string => `[${low - 1e-9},${high + 1e-9}]`
  return {
    collection_id: collection,
    item_id: idOf(name),
    kind,
    container: kind === 'foreign' ? null : 'bronze',
    name,
    blob: kind === 'foreign' ? null : name,
    etag,
    mode: 'header',
    xr: west === null || east === null ? null : crosses ? '[-180,180]' : range(west, east),
    yr: south === null || north === null ? null : range(south, north),
    west,
    south,
    east,
    north,
    crosses,
    is_box: !crosses && box !== null,
    start_at: at,
    end_at: end,
    sort_at: at,
    source_collection: null,
    source_item: null,
    source_etag: null,
    job_id: null,
    plan: null,
    content: { properties: { ...options.properties }, geometry: box, assets: {} },
  }
}
