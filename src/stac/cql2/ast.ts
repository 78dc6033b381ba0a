// The tree of a CQL2 filter (OGC 21-065r2): what both encodings are read into, and what SQL and the judge are made from.
import type { SpatialLiteral } from './geometry.ts'

export const COMPARISONS = ['=', '<>', '<', '<=', '>', '>='] as const
export type Comparison = (typeof COMPARISONS)[number]

export const TEMPORAL_OPERATORS = ['t_after', 't_before', 't_during', 't_equals', 't_intersects'] as const
export type TemporalOperator = (typeof TEMPORAL_OPERATORS)[number]

/** A name as it was written: `gsd`, `proj:code`, `properties.gsd`. What it stands for is decided by `bareName`. */
export interface Property {
  readonly kind: 'property'
  readonly name: string
}

export interface Text {
  readonly kind: 'string'
  /** Without NUL and lone surrogates. */
  readonly value: string
}

export interface Numeric {
  readonly kind: 'number'
  /** Finite, and never -0. */
  readonly value: number
}

export interface Truth {
  readonly kind: 'boolean'
  readonly value: boolean
}

/** `YYYY-MM-DD`: the whole day in UTC. */
export interface Day {
  readonly kind: 'date'
  readonly value: string
}

/** RFC 3339 as written; compared in microseconds, the resolution of Postgres. */
export interface Timestamp {
  readonly kind: 'timestamp'
  readonly value: string
}

export type Instant = Day | Timestamp
export type Literal = Text | Numeric | Truth | Instant

/** `..`, an end that is open. */
export interface Open {
  readonly kind: 'open'
}

export interface Interval {
  readonly kind: 'interval'
  readonly start: Instant | Property | Open
  readonly end: Instant | Property | Open
}

export type Temporal = Instant | Property | Interval

export type Expression =
  | { readonly kind: 'and' | 'or'; readonly args: readonly Expression[] }
  | { readonly kind: 'not'; readonly arg: Expression }
  | Truth
  /** The property stands on the left: `5 < gsd` is read as `gsd > 5`. */
  | { readonly kind: 'compare'; readonly op: Comparison; readonly left: Property; readonly right: Property | Literal }
  | { readonly kind: 'isNull'; readonly arg: Property }
  /** At least one value, all of one kind, never dates. */
  | { readonly kind: 'in'; readonly value: Property; readonly list: readonly (Text | Numeric | Truth | Timestamp)[] }
  /** Both bounds belong to it; both are texts, or numbers, or instants. */
  | { readonly kind: 'between'; readonly value: Property; readonly low: Literal; readonly high: Literal }
  | { readonly kind: 'like'; readonly value: Property; readonly pattern: string }
  /** Symmetric, so the property always stands first. */
  | { readonly kind: 'spatial'; readonly op: 's_intersects'; readonly property: Property; readonly geometry: SpatialLiteral }
  | { readonly kind: 'temporal'; readonly op: TemporalOperator; readonly left: Temporal; readonly right: Temporal }

/** Members of an item that are no properties of it. */
export const TOP_LEVEL: ReadonlySet<string> = new Set(['id', 'collection', 'geometry'])

const PREFIX = 'properties.'

/**
 * The name to look up: `properties.gsd` and `gsd` are one.
 * @example bareName('properties.id') // 'properties.id': the item's own id is no property
 */
export function bareName(name: string): string {
  const rest = name.slice(PREFIX.length)
  return name.startsWith(PREFIX) && rest !== '' && !TOP_LEVEL.has(rest) ? rest : name
}

/** Whether a spatial predicate stands anywhere inside: SQL then only finds candidates, and `evaluate` decides. */
export function hasSpatial(expression: Expression): boolean {
  if (expression.kind === 'spatial') return true
  if (expression.kind === 'not') return hasSpatial(expression.arg)
  return (expression.kind === 'and' || expression.kind === 'or') && expression.args.some(hasSpatial)
}
