// A filter as SQL. Literals are bound and columns come from the map of queryables, so no text of a caller can become SQL.
import { type Comparison, type Expression, hasSpatial, type Instant, type Literal, type Property } from './ast.ts'
import { typeOfLiteral } from './build.ts'
import { isoOf, spanOf } from './instant.ts'
import { printCql2Text } from './print.ts'
import { quoted, refuseJson } from './refuse.ts'
import { temporalSql } from './sql-temporal.ts'
import {
  bindAs,
  CASTS,
  instantSql,
  mismatch,
  queryableOf,
  type ScalarType,
  type SqlOptions,
  type SqlPlace,
  valueSql,
} from './sql-values.ts'

export type { Bound, Queryable, SqlOptions } from './sql-values.ts'

export interface FilterSql {
  /** A boolean expression in brackets; true for every item that matches. */
  readonly sql: string
  /** False where it may be true for others too, which `evaluate` then leaves out. */
  readonly exact: boolean
}

/**
 * Makes a condition for WHERE with SQL's three-valued logic; texts compare by code point.
 * @throws AppError `CQL2_UNKNOWN_PROPERTY` for a name that is not in the map, `CQL2_INVALID` where types do not fit; both with the pointer into
 * the filter's JSON form
 * @example toSql(parseCql2Text(`id = 'x'`), { queryables: new Map([['id', { type: 'string', sql: 'i.item_id' }]]), bind, intersects })
 */
export function toSql(expression: Expression, options: SqlOptions): FilterSql {
  return { sql: `(${sqlOf(expression, { at: '', positive: true, options })})`, exact: !hasSpatial(expression) }
}

function sqlOf(expression: Expression, place: SqlPlace): string {
  switch (expression.kind) {
    case 'and':
    case 'or': {
      const parts = expression.args.map((arg, i) => `(${sqlOf(arg, { ...place, at: `${place.at}/args/${i}` })})`)
      return parts.join(expression.kind === 'and' ? ' AND ' : ' OR ')
    }
    case 'not':
      return `NOT (${sqlOf(expression.arg, { ...place, at: `${place.at}/args/0`, positive: !place.positive })})`
    case 'boolean':
      return expression.value ? 'TRUE' : 'FALSE'
    case 'compare':
      return compareSql(expression, place)
    case 'isNull':
      return isNullSql(expression.arg, place)
    case 'in':
      return inSql(expression, place)
    case 'between':
      return betweenSql(expression, place)
    case 'like':
      return `${valueSql(expression.value, 'string', place)} LIKE ${place.options.bind(expression.pattern)}::text`
    case 'spatial':
      return spatialSql(expression, place)
    default:
      return temporalSql(expression, place)
  }
}

function compareSql({ left, op, right }: Expression & { kind: 'compare' }, place: SqlPlace): string {
  if (right.kind === 'property') return comparePropertiesSql(left, op, right, place)
  const type = typeOfLiteral(right)
  const value = valueSql(left, type, place)
  if (right.kind === 'date' || right.kind === 'timestamp') return compareInstantSql(value, op, right, place)
  if (op === '=' && place.positive) return containsSql(left, [right], place) ?? `${value} = ${bindAs(right.value, type, place)}`
  return `${value} ${op} ${bindAs(right.value, type, place)}`
}

/** A date is its whole day: later than it is behind its end, equal to it is within. */
function compareInstantSql(value: string, op: Comparison, instant: Instant, place: SqlPlace): string {
  const { first, last } = spanOf(instant)
  if (first === last) return `${value} ${op} ${instantSql(first, place)}`
  if (op === '=') return `${value} BETWEEN ${instantSql(first, place)} AND ${instantSql(last, place)}`
  if (op === '<>') return `${value} NOT BETWEEN ${instantSql(first, place)} AND ${instantSql(last, place)}`
  return `${value} ${op} ${instantSql(op === '<' || op === '>=' ? first : last, place)}`
}

/** Equality through the index of the document, where a missing value may count as unequal; undefined where there is none. */
function containsSql(property: Property, list: readonly Literal[], place: SqlPlace): string | undefined {
  const { json } = queryableOf(property, place)
  if (!json || list.some((l) => l.kind === 'date' || l.kind === 'timestamp')) return undefined
  const documents = list.map(({ value }) =>
    JSON.stringify(json.path.reduceRight<unknown>((inner, key) => nest(key, inner), value)),
  )
  const [only] = documents
  if (documents.length === 1) return `${json.column} @> ${place.options.bind(only as string)}::jsonb`
  return `${json.column} @> ANY (${place.options.bind(documents)}::jsonb[])`
}

// Object.fromEntries defines the member, also when it is called __proto__.
const nest = (key: string, inner: unknown): unknown => Object.fromEntries([[key, inner]])

function comparePropertiesSql(left: Property, op: Comparison, right: Property, place: SqlPlace): string {
  const [a, b] = [queryableOf(left, place), queryableOf(right, place)]
  const compared = (type: ScalarType): string => `${valueSql(left, type, place)} ${op} ${valueSql(right, type, place)}`
  if (a.type === 'geometry' || b.type === 'geometry')
    throw refuseJson(place.at, mismatch(a.type === 'geometry' ? left : right, 'geometry', 'string'))
  if (a.type !== 'any') return compared(a.type)
  if (b.type !== 'any') return compared(b.type)
  // At most one is not NULL: a JSON value has one type.
  return `COALESCE(${(['number', 'string', 'boolean'] as const).map(compared).join(', ')})`
}

function isNullSql(property: Property, place: SqlPlace): string {
  const { type, sql } = queryableOf(property, place)
  return type === 'any' ? `COALESCE(jsonb_typeof(${sql}), 'null') = 'null'` : `(${sql}) IS NULL`
}

function inSql({ value, list }: Expression & { kind: 'in' }, place: SqlPlace): string {
  const type = typeOfLiteral(list[0] as Literal)
  const sql = valueSql(value, type, place)
  const contained = place.positive ? containsSql(value, list, place) : undefined
  if (contained) return contained
  const values = list.map((l) => (l.kind === 'timestamp' ? isoOf(spanOf(l).first) : l.value))
  return `${sql} = ANY (${place.options.bind(values as readonly string[])}::${CASTS[type]}[])`
}

function betweenSql({ value, low, high }: Expression & { kind: 'between' }, place: SqlPlace): string {
  const type = typeOfLiteral(low)
  const sql = valueSql(value, type, place)
  const end = (literal: Literal, which: 'first' | 'last'): string =>
    literal.kind === 'date' || literal.kind === 'timestamp'
      ? instantSql(spanOf(literal)[which], place)
      : bindAs(literal.value, type, place)
  return `${sql} BETWEEN ${end(low, 'first')} AND ${end(high, 'last')}`
}

function spatialSql(expression: Expression & { kind: 'spatial' }, place: SqlPlace): string {
  const { property, geometry } = expression
  const { type } = queryableOf(property, place)
  if (type !== 'geometry')
    throw refuseJson(place.at, `${quoted(property.name)} is no geometry in ${quoted(printCql2Text(expression))}; use geometry.`)
  // Under NOT the candidates would be those that are left out: nothing is, until the exact test.
  return place.positive ? place.options.intersects(geometry) : 'FALSE'
}
