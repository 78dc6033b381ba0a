// Runs a search: pages of candidates from the database, the exact test where boxes do not decide, a token where it goes on.
import { setImmediate } from 'node:timers/promises'
import type { ItemRecord } from '../documents.ts'
import { AppError } from '../../rules/errors.ts'
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
/** While nothing was found: an empty page is the end to some clients. */
const LONGEST_EMPTY_MS = 10_000
/** Rows after which others get their turn; one with a shape of thousands of positions may take milliseconds. */
const TURN = 20

/**
 * @param now milliseconds, of a clock that never goes back
 * @throws AppError `INVALID_TOKEN`, `QUERY_TOO_SLOW` when the time is over with nothing found and more to look at; what the query throws
 */
export async function runSearch(query: Query, search: Search, now: () => number): Promise<Found> {
  const first = readToken(search)
  const items: FoundRow[] = []
  const started = now()
  const isOver = (): boolean => now() - started > (items.length > 0 ? LONGEST_MS : LONGEST_EMPTY_MS)
  let after = first
  for (let page = 0; page < MOST_PAGES || items.length === 0; page++) {
    const size = sizeOf(search, page)
    const statement = statementOf(search, after, size)
    const rows = await query(statement.text, statement.values)
    for (const [i, row] of rows.slice(0, size - 1).entries()) {
      after = row.position
      if (isMatch(row, search, statement)) items.push(row)
      const isLast = row === rows.at(-1)
      if (items.length === search.limit && !isLast) return { items, next: makeToken(search, after) }
      if (i % TURN === TURN - 1) await setImmediate()
      if (!isLast && isOver()) return cutShort(search, items, after)
    }
    if (rows.length < size) return { items, ...(first === undefined ? { matched: items.length } : {}) }
    if (isOver()) break
  }
  return cutShort(search, items, after)
}

function cutShort(search: Search, items: FoundRow[], after: Position | undefined): Found {
  if (items.length === 0 || !after)
    throw new AppError(
      'QUERY_TOO_SLOW',
      'Nothing was found in the time of a request, and there is more to look at. Narrow it by bbox, datetime or collections.',
    )
  return { items, next: makeToken(search, after) }
}

/** One row more than is used, which tells that there is more. Where candidates drop out, later pages are larger: each is sorted anew. */
const sizeOf = ({ limit }: Search, page: number): number => (page === 0 ? limit : 1000) + 1

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
  // As they are served: those of others keep the times that they came with.
  const registered = row.kind === 'foreign' ? {} : { created: iso(row.created_at), updated: iso(row.updated_at) }
  const missing = row.missing_since === null ? {} : { 'lamplighter:missing_since': iso(row.missing_since) }
  return {
    id: row.item_id,
    collection: row.collection_id,
    geometry,
    properties: {
      start_datetime: iso(row.start_at),
      end_datetime: iso(row.end_at),
      ...properties,
      ...registered,
      ...missing,
    },
  }
}
