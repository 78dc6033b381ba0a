// Properties and literals as SQL: columns from the map of queryables, everything else bound.
import { AppError } from '../../rules/errors.ts'
import { didYouMean } from '../../rules/nearest.ts'
import { bareName, type Property } from './ast.ts'
import type { SpatialLiteral } from './geometry.ts'
import { isoOf } from './instant.ts'
import { quoted, refuseJson } from './refuse.ts'

/** What a literal can be compared with; `any` is decided for each item by the JSON value that stands there. */
export type ScalarType = 'string' | 'number' | 'boolean' | 'timestamp'

export interface Queryable {
  readonly type: ScalarType | 'geometry' | 'any'
  /**
   * Trusted SQL of that type: text, float8, boolean, timestamptz; jsonb for `any`. It never raises: NULL where the item has no such value.
   * `geometry`: anything that is NULL where the item has none.
   */
  readonly sql: string
  /** Where the value lies in a jsonb column with a `jsonb_path_ops` index; equality is then asked with `@>`. */
  readonly json?: { readonly column: string; readonly path: readonly string[] }
  /** A time that can last: columns of its two ends, for T_ operators. `sql` is what <, = and > compare. */
  readonly interval?: { readonly start: string; readonly end: string }
}

/** What the driver sends; arrays as arrays of Postgres. */
export type Bound = string | number | boolean | readonly string[] | readonly number[] | readonly boolean[]

export interface SqlOptions {
  readonly queryables: ReadonlyMap<string, Queryable>
  /** Takes a value and gives its place in the statement, such as `$3`. */
  readonly bind: (value: Bound) => string
  /** SQL that is true for every item whose shape may meet the geometry; the exact test is `evaluate`'s. */
  readonly intersects: (literal: SpatialLiteral) => string
}

/** Where in the tree SQL is made. Within an odd number of NOTs (`positive` false) a predicate counts where it is false, else where it is true. */
export interface SqlPlace {
  readonly at: string
  readonly positive: boolean
  readonly options: SqlOptions
}

export const CASTS = { string: 'text', number: 'float8', boolean: 'boolean', timestamp: 'timestamptz' } as const

/** @throws AppError `CQL2_UNKNOWN_PROPERTY` listing what there is */
export function queryableOf({ name }: Property, { at, options }: SqlPlace): Queryable {
  const found = options.queryables.get(name) ?? options.queryables.get(bareName(name))
  if (found) return found
  const names = [...options.queryables.keys()]
  const listed =
    names.length > 50 ? `${names.slice(0, 50).join(', ')} and ${names.length - 50} more, see /queryables` : names.join(', ')
  const what = `${quoted(name)} is not queryable.${didYouMean(bareName(name), names)} There are: ${listed}.`
  throw new AppError('CQL2_UNKNOWN_PROPERTY', what, { issues: [{ path: at, message: what }] })
}

/** A property as SQL of one type. Of `any`, values of other types are NULL. */
export function valueSql(property: Property, type: ScalarType, place: SqlPlace): string {
  const { type: own, sql } = queryableOf(property, place)
  if (own === type) return type === 'string' ? `(${sql}) COLLATE "C"` : `(${sql})`
  if (own !== 'any' || type === 'timestamp') throw refuseJson(place.at, mismatch(property, own, type))
  return jsonSql(sql, type)
}

function jsonSql(sql: string, type: 'string' | 'number' | 'boolean'): string {
  const value = type === 'string' ? `((${sql}) #>> '{}') COLLATE "C"` : `(${sql})::${CASTS[type]}`
  // CASE, because a cast is only safe behind the question: AND would be evaluated in any order.
  return `(CASE WHEN jsonb_typeof(${sql}) = '${type}' THEN ${value} END)`
}

const EXAMPLES = { string: "'x'", number: '5', boolean: 'TRUE', timestamp: "TIMESTAMP('2024-05-31T10:00:00Z')" } as const

/** What is said where a property cannot be compared with a type. */
export function mismatch({ name }: Property, own: Queryable['type'], type: ScalarType): string {
  if (own === 'geometry') return `${quoted(name)} is a geometry; ask for it with S_INTERSECTS or IS NULL.`
  if (own === 'any') return `${quoted(name)} is not known to hold times; compare its text, such as ${name} > '2024-05-31'.`
  return `${quoted(name)} is of type ${own} and is compared with a ${type}; write a value such as ${EXAMPLES[own]}.`
}

export const bindAs = (value: Bound, type: ScalarType, { options }: SqlPlace): string => `${options.bind(value)}::${CASTS[type]}`

export const instantSql = (micros: bigint, place: SqlPlace): string => bindAs(isoOf(micros), 'timestamp', place)
