// A search as it is asked for: every parameter read and checked, the same for GET and POST (STAC API 1.0.0, item-search).
import type { Expression } from '../cql2/ast.ts'
import type { Geometry } from '../cql2/geometry.ts'
import type { Interval } from '../../rules/rfc3339.ts'

/** west, south, east, north; west > east crosses the antimeridian. */
export type Box = readonly [number, number, number, number]

export interface SortKey {
  readonly field: string
  readonly descending: boolean
}

export interface Fields {
  readonly include: readonly string[]
  readonly exclude: readonly string[]
}

export interface Search {
  readonly limit: number
  readonly bbox?: Box
  /** Heights of a box of 6 numbers do not include 0, where all items lie. */
  readonly isOffGround?: boolean
  readonly intersects?: Geometry
  readonly interval?: Interval
  readonly ids?: readonly string[]
  readonly collections?: readonly string[]
  readonly filter?: Expression
  readonly sort: readonly SortKey[]
  readonly fields?: Fields
  readonly token?: string
}

export const DEFAULT_LIMIT = 10
export const MOST_ITEMS = 1000
