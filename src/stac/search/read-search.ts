// GET's query and POST's body become one Search. Nothing is trusted; each refusal names the parameter.
import { AppError } from '../../rules/errors.ts'
import { parseInterval } from '../../rules/rfc3339.ts'
import type { Expression } from '../cql2/ast.ts'
import type { Geometry } from '../cql2/geometry.ts'
import { parseCql2Json } from '../cql2/json.ts'
import { parseCql2Text } from '../cql2/text.ts'
import { readFields } from './fields.ts'
import { readIntersects } from './read-geometry.ts'
import { refuseSearch } from './refuse.ts'
import { type Box, DEFAULT_LIMIT, type Fields, MOST_ITEMS, type Search, type SortKey } from './search.ts'
import { readSort } from './sort.ts'

/** Parameters by name; text in GET, JSON in POST. */
export interface RawSearch {
  readonly limit?: unknown
  readonly bbox?: unknown
  readonly intersects?: unknown
  readonly datetime?: unknown
  readonly ids?: unknown
  readonly collections?: unknown
  readonly filter?: unknown
  readonly 'filter-lang'?: unknown
  readonly 'filter-crs'?: unknown
  readonly sortby?: unknown
  readonly fields?: unknown
  readonly token?: unknown
}

const CRS84 = 'http://www.opengis.net/def/crs/OGC/1.3/CRS84'
const MOST_NAMES = 1000

/**
 * @param from where the parameters come from; `query` are texts
 * @throws AppError `INVALID_SEARCH`, `CQL2_INVALID`, `INVALID_TOKEN`
 */
export function readSearch(given: RawSearch, from: 'query' | 'body'): Search {
  // Clients send null for what they do not ask.
  const raw: RawSearch = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null))
  if (raw.bbox !== undefined && raw.intersects !== undefined)
    throw refuseSearch('intersects', 'bbox and intersects cannot be asked together; send one of them.')
  const place = raw.bbox === undefined ? {} : readBox(raw.bbox, from)
  const intersects = raw.intersects === undefined ? undefined : geometryOf(raw.intersects, from)
  const filter = readFilter(raw, from)
  const names = (key: 'ids' | 'collections') => (raw[key] === undefined ? {} : { [key]: readNames(key, raw[key], from) })
  return {
    limit: readLimit(raw.limit),
    ...place,
    ...(intersects ? { intersects } : {}),
    ...(raw.datetime === undefined ? {} : { interval: readDatetime(raw.datetime) }),
    ...names('ids'),
    ...names('collections'),
    ...(filter ? { filter } : {}),
    sort: sortOf(raw.sortby, from),
    ...fieldsOf(raw.fields, from),
    ...(raw.token === undefined ? {} : { token: textOf('token', raw.token, 20_000) }),
  }
}

/** Above the most there is, the most. */
function readLimit(value: unknown): number {
  if (value === undefined) return DEFAULT_LIMIT
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 1)
    throw refuseSearch('limit', `must be a whole number from 1 to ${MOST_ITEMS}.`)
  return Math.min(number, MOST_ITEMS)
}

function textOf(path: string, value: unknown, most: number): string {
  if (typeof value !== 'string') throw refuseSearch(path, 'must be a text.')
  if (value.length > most) throw refuseSearch(path, `has more than ${most} characters.`)
  return value
}

function readBox(value: unknown, from: 'query' | 'body'): { bbox: Box; isOffGround?: boolean } {
  const shape = 'must be 4 numbers (west, south, east, north) or 6 with heights'
  const list: unknown =
    from === 'query'
      ? textOf('bbox', value, 400)
          .split(',')
          .map((t) => (t.trim() === '' ? Number.NaN : Number(t)))
      : value
  if (!Array.isArray(list))
    throw refuseSearch('bbox', from === 'query' ? `${shape}, with commas between.` : `${shape}, as an array.`)
  const numbers = list as unknown[]
  if ((numbers.length !== 4 && numbers.length !== 6) || !numbers.every((n) => typeof n === 'number' && Number.isFinite(n)))
    throw refuseSearch('bbox', `${shape}.`)
  const all = numbers as number[]
  const half = all.length / 2
  const [west = 0, south = 0, east = 0, north = 0] = [all[0], all[1], all[half], all[half + 1]]
  if ([west, east].some((x) => Math.abs(x) > 180)) throw refuseSearch('bbox', 'longitudes lie between -180 and 180.')
  if ([south, north].some((y) => Math.abs(y) > 90)) throw refuseSearch('bbox', 'latitudes lie between -90 and 90.')
  if (south > north) throw refuseSearch('bbox', `south ${south} is greater than north ${north}.`)
  if (half === 2) return { bbox: [west, south, east, north] }
  const [low = 0, high = 0] = [all[2], all[5]]
  if (low > high) throw refuseSearch('bbox', `the lower height ${low} is greater than the upper ${high}.`)
  return { bbox: [west, south, east, north], ...(low > 0 || high < 0 ? { isOffGround: true } : {}) }
}

/** POST's body is JSON already; GET's is text of JSON. */
function geometryOf(value: unknown, from: 'query' | 'body'): Geometry {
  return readIntersects(from === 'query' ? jsonOf('intersects', value) : value)
}

function jsonOf(path: string, value: unknown): unknown {
  const text = textOf(path, value, 100_000)
  try {
    return JSON.parse(text)
  } catch {
    throw refuseSearch(path, 'is no JSON.')
  }
}

function readDatetime(value: unknown): NonNullable<Search['interval']> {
  const found = parseInterval(textOf('datetime', value, 100))
  if (found) return found
  throw refuseSearch(
    'datetime',
    'must be an RFC 3339 time such as 2024-05-31T10:00:00Z, or an interval start/end, ../end or start/.. with start before end.',
  )
}

function readNames(path: 'ids' | 'collections', value: unknown, from: 'query' | 'body'): string[] {
  const list: unknown = from === 'query' ? textOf(path, value, 100_000).split(',') : value
  if (!Array.isArray(list) || list.length === 0 || !list.every((n) => typeof n === 'string' && n !== ''))
    throw refuseSearch(path, from === 'query' ? 'must be names with commas between.' : 'must be an array of one name or more.')
  if (list.length > MOST_NAMES) throw refuseSearch(path, `has more than ${MOST_NAMES} names; ask in parts.`)
  return [...new Set(list as string[])]
}

function readFilter(raw: RawSearch, from: 'query' | 'body'): Expression | undefined {
  const crs = raw['filter-crs']
  if (crs !== undefined && crs !== CRS84) throw refuseSearch('filter-crs', `must be ${CRS84}.`)
  const fallback = from === 'query' ? 'cql2-text' : 'cql2-json'
  const lang = raw['filter-lang'] ?? fallback
  if (lang !== 'cql2-text' && lang !== 'cql2-json') throw refuseSearch('filter-lang', 'must be cql2-text or cql2-json.')
  if (raw.filter === undefined) return undefined
  if (lang === 'cql2-text') return parseCql2Text(textOf('filter', raw.filter, 16_384))
  return parseCql2Json(from === 'query' ? jsonOf('filter', raw.filter) : raw.filter)
}

/** GET: `-properties.datetime,+id`; an unescaped `+` arrives as a space. POST: `[{field, direction}]`. */
function sortOf(value: unknown, from: 'query' | 'body'): SortKey[] {
  if (value === undefined) return []
  if (from === 'query')
    return readSort(
      textOf('sortby', value, 2000)
        .split(',')
        .map((text) => ({ text })),
    )
  if (!Array.isArray(value)) throw refuseSearch('sortby', 'must be an array of {"field", "direction"}.')
  return readSort(
    value.map((entry: unknown) => {
      const { field, direction = 'asc' } = (entry ?? {}) as Record<string, unknown>
      if (typeof field !== 'string' || (direction !== 'asc' && direction !== 'desc'))
        throw refuseSearch('sortby', 'each entry has a "field", and "direction" asc or desc.')
      return { text: `${direction === 'desc' ? '-' : '+'}${field}` }
    }),
  )
}

function fieldsOf(value: unknown, from: 'query' | 'body'): { fields?: Fields } {
  if (value === undefined) return {}
  try {
    return { fields: readFields(from === 'query' ? textOf('fields', value, 5000) : value) }
  } catch (error) {
    if (error instanceof AppError) throw error
    throw refuseSearch('fields', 'must be names with commas between, those to leave out with a minus before them.')
  }
}
