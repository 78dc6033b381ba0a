// Runs a search: pages of candidates from the database, the exact test where boxes do not decide, a token where it goes on.
import type { ItemRecord } from '../documents.ts'
import { evaluate } from '../cql2/evaluate.ts'
import type { Geometry, SpatialLiteral } from '../cql2/geometry.ts'
import type { Bound } from '../cql2/sql.ts'
import { meets } from './place-sql.ts'
import type { Search } from './search.ts'
import { type Statement, statementOf } from './statement.ts'
import { makeToken, type Position, readToken } from './token.ts'

export interface FoundRow extends ItemRecord {
  /** Whether its box alone tells that it meets the searched one. */
  readonly is_decided: boolean
  readonly start_at: Date
  readonly end_at: Date
  readonly position: Position
}

export interface Found {
  readonly items: readonly FoundRow[]
  /** Of the next page; undefined: these are the last. */
  readonly next?: string
  /** All that match, where it is known without counting: everything is on this page. */
  readonly matched?: number
}

export type Query = (text: string, values: readonly Bound[]) => Promise<FoundRow[]>

/** Candidates of a request: then a shorter page with a token. */
const MOST_PAGES = 10
const LONGEST_MS = 2000

/**
 * @param now milliseconds, of a clock that never goes back
 * @throws AppError `INVALID_TOKEN`, and what the query throws
 */
export async function runSearch(query: Query, search: Search, now: () => number): Promise<Found> {
  const first = readToken(search)
  let after = first
  const items: FoundRow[] = []
  const end = now() + LONGEST_MS
  for (let page = 0; page < MOST_PAGES && (page === 0 || now() < end); page++) {
    const statement = statementOf(search, after, sizeOf(search, page))
    const rows = await query(statement.text, statement.values)
    for (const row of rows.slice(0, sizeOf(search, page) - 1)) {
      after = row.position
      if (isMatch(row, search, statement)) items.push(row)
      if (items.length === search.limit && row !== rows.at(-1)) return { items, next: makeToken(search, after) }
    }
    if (rows.length < sizeOf(search, page)) return { items, ...(first === undefined ? { matched: items.length } : {}) }
  }
  return { items, ...(after ? { next: makeToken(search, after) } : {}) }
}

/** One row more than is used, which tells that there is more. Where candidates drop out, later pages are larger. */
const sizeOf = ({ limit }: Search, page: number): number => (page === 0 ? limit : Math.max(limit, 200)) + 1

function isMatch(row: FoundRow, search: Search, { isExact }: Statement): boolean {
  const { geometry } = row.content as { geometry: Geometry | null }
  const meetsAll = (literal: SpatialLiteral): boolean => geometry !== null && meets(geometry, literal)
  if (search.bbox && !row.is_decided && !meetsAll({ kind: 'bbox', box: search.bbox })) return false
  if (isExact) return true
  if (search.intersects && !meetsAll({ kind: 'geometry', geometry: search.intersects })) return false
  return search.filter === undefined || evaluate(search.filter, filterItem(row), { intersects: meets }) === true
}

/** What a filter looks at: times of registration are no part of the stored document. */
function filterItem(row: FoundRow): Parameters<typeof evaluate>[1] {
  const { geometry, properties } = row.content as { geometry: unknown; properties: Readonly<Record<string, unknown>> }
  const iso = (time: Date | string): string => new Date(time).toISOString()
  return {
    id: row.item_id,
    collection: row.collection_id,
    geometry,
    properties: {
      start_datetime: iso(row.start_at),
      end_datetime: iso(row.end_at),
      ...properties,
      created: iso(row.created_at),
      updated: iso(row.updated_at),
    },
  }
}
