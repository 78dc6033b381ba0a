// A search as one statement: conditions, order, and where the page before ended. Literals are bound, names come from tables of ours.
import type { Expression } from '../cql2/ast.ts'
import { type Bound, toSql } from '../cql2/sql.ts'
import { boxSql, insideSql, literalSql } from './place-sql.ts'
import { queryablesFor } from './queryables.ts'
import type { Search, SortKey } from './search.ts'
import { orderOf, SORTABLES, type Sortable } from './sort.ts'
import type { Position } from './token.ts'

export interface Statement {
  readonly text: string
  readonly values: readonly Bound[]
  /** False: each row is a candidate, which `isMatch` decides. */
  readonly isExact: boolean
}

/** Of an item row `i`: what a document is made of. */
const COLUMNS = `i.collection_id, i.item_id, i.kind, i.container, i.blob, i.content, i.version, i.source_collection, i.source_item, i.created_at,
  i.updated_at, i.missing_since, i.start_at, i.end_at`

/** Whether the item that it was made from is there, and as it was. */
const SOURCE_STATE = `(CASE WHEN i.source_item IS NULL THEN NULL ELSE coalesce((
  SELECT CASE WHEN s.etag IS DISTINCT FROM i.source_etag THEN 'changed' ELSE 'same' END FROM app.stac_items s
  WHERE s.collection_id = i.source_collection AND s.item_id = i.source_item), 'absent') END) AS source_state`

/** One item by its ids, as $1 and $2. */
export const ONE_ITEM = `SELECT ${COLUMNS}, i.etag, ${SOURCE_STATE} FROM app.stac_items i WHERE i.collection_id = $1 AND i.item_id = $2`

/** @param rows to read; one more than a page tells whether there is a next one */
export function statementOf(search: Search, after: Position | undefined, rows: number): Statement {
  const values: Bound[] = []
  const bind = (value: Bound): string => `$${values.push(value)}`
  const order = orderOf(search.sort)
  const filter = search.filter ? filterSql(search.filter, bind) : undefined
  const conditions = [
    ...conditionsOf(search, bind),
    ...(filter ? [filter.sql] : []),
    ...(after ? [behind(order, after, bind)] : []),
  ]
  const where = conditions.length === 0 ? 'true' : conditions.join('\n AND ')
  const sorted = order.map((key) => `${sortable(key).sql} ${key.descending ? 'DESC' : 'ASC'}${nullsOf(key)}`).join(', ')
  const position = order.map((key) => `(${sortable(key).sql})::text`).join(', ')
  const decided = search.bbox ? `, ${insideSql(search.bbox, bind)} AS is_decided` : ', true AS is_decided'
  // First the ids, which an index may hold with all that is asked for; documents are read of the page's items alone.
  const text = `SELECT ${COLUMNS}${decided}, ARRAY[${position}] AS position, ${SOURCE_STATE}
FROM (SELECT i.collection_id, i.item_id FROM app.stac_items i WHERE ${where} ORDER BY ${sorted} LIMIT ${rows}) k
JOIN app.stac_items i ON i.collection_id = k.collection_id AND i.item_id = k.item_id ORDER BY ${sorted}`
  return { text, values, isExact: search.intersects === undefined && (filter?.exact ?? true) }
}

const sortable = ({ field }: SortKey): Sortable => SORTABLES[field] as Sortable
const nullsOf = (key: SortKey): string => (sortable(key).nullable ? ' NULLS LAST' : '')

function filterSql(filter: Expression, bind: (value: Bound) => string): { sql: string; exact: boolean } {
  return toSql(filter, { queryables: queryablesFor(filter), bind, intersects: (literal) => literalSql(literal, bind) })
}

function conditionsOf(search: Search, bind: (value: Bound) => string): string[] {
  const { bbox, intersects, interval, ids, collections, isOffGround } = search
  return [
    ...(isOffGround ? ['false'] : []),
    ...(bbox ? [boxSql(bbox, bind)] : []),
    ...(intersects ? [literalSql({ kind: 'geometry', geometry: intersects }, bind)] : []),
    ...(interval ? [intervalSql(interval, bind)] : []),
    ...(ids ? [`i.item_id = ANY (${bind(ids)}::text[])`] : []),
    ...(collections ? [`i.collection_id = ANY (${bind(collections)}::text[])`] : []),
  ]
}

/** Overlap. Nearly all items are instants, whose one time has an index; those that last are asked by their ends, and have one of their own. */
function intervalSql({ start, end }: NonNullable<Search['interval']>, bind: (value: Bound) => string): string {
  const [from, to] = [start && `${bind(start.iso)}::timestamptz`, end && `${bind(end.iso)}::timestamptz`]
  const all = (...parts: (string | false | undefined)[]): string => parts.filter(Boolean).join(' AND ')
  const instants = all('i.start_at = i.end_at', from && `i.sort_at >= ${from}`, to && `i.sort_at <= ${to}`)
  const lasting = all('i.start_at < i.end_at', from && `i.end_at >= ${from}`, to && `i.start_at <= ${to}`)
  return `((${instants}) OR (${lasting}))`
}

/** Rows behind a position: equal in the first values and later in the next, for each of them. Nulls are last in both directions. */
function behind(order: readonly SortKey[], position: Position, bind: (value: Bound) => string): string {
  const places = position.map((value, i) => {
    const { sql, cast, nullable } = sortable(order[i] as SortKey)
    return { sql, nullable, bound: value === null ? undefined : `${bind(value)}::${cast}` }
  })
  const same = (i: number): string => {
    const { sql, bound } = places[i] as (typeof places)[number]
    return bound === undefined ? `${sql} IS NULL` : `${sql} = ${bound}`
  }
  const later = places.flatMap(({ sql, bound, nullable }, i) => {
    if (bound === undefined) return []
    const strictly = `${sql} ${order[i]?.descending ? '<' : '>'} ${bound}`
    const next = nullable ? `(${strictly} OR ${sql} IS NULL)` : strictly
    return [`(${[...places.slice(0, i).map((_, k) => same(k)), next].join(' AND ')})`]
  })
  return `${bound(order, places)}(${later.join(' OR ')})`
}

/** What an index can begin at: the first value alone, said once more. */
function bound(
  order: readonly SortKey[],
  places: readonly { sql: string; nullable: boolean; bound: string | undefined }[],
): string {
  const [first] = places
  if (!first || first.nullable || first.bound === undefined) return ''
  return `${first.sql} ${order[0]?.descending ? '<=' : '>='} ${first.bound} AND `
}
