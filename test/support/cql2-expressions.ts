// Random CQL2 filters: every shape of the tree, over names, texts and numbers that tests choose.
import fc from 'fast-check'
import {
  COMPARISONS,
  type Expression,
  type Instant,
  type Interval,
  type Literal,
  type Property,
  TEMPORAL_OPERATORS,
} from '../../src/stac/cql2/ast.ts'
import type { Geometry, Position, SpatialLiteral } from '../../src/stac/cql2/geometry.ts'
import { spanOf } from '../../src/stac/cql2/instant.ts'
import { anyText } from './any-text.ts'

export interface Vocabulary {
  readonly name: fc.Arbitrary<string>
  readonly text: fc.Arbitrary<string>
  readonly pattern: fc.Arbitrary<string>
  readonly number: fc.Arbitrary<number>
}

const two = (n: number): string => String(n).padStart(2, '0')

const day: fc.Arbitrary<Instant> = fc
  .tuple(fc.integer({ min: 1, max: 9998 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 28 }))
  .map(([y, m, d]) => ({ kind: 'date', value: `${String(y).padStart(4, '0')}-${two(m)}-${two(d)}` }))

const time = fc
  .tuple(
    fc.nat(23),
    fc.nat(59),
    fc.nat(60),
    fc.constantFrom('', '.5', '.123456789'),
    fc.constantFrom('Z', 'z', '+05:30', '-00:00'),
  )
  .map(([h, m, s, fraction, offset]) => `T${two(h)}:${two(m)}:${two(s)}${fraction}${offset}`)

const timestamp: fc.Arbitrary<Instant & { kind: 'timestamp' }> = fc
  .tuple(day, time)
  .filter(([d]) => !d.value.startsWith('0001'))
  .map(([d, t]) => ({ kind: 'timestamp', value: d.value + t }))

const coordinate = (most: number): fc.Arbitrary<number> => fc.integer({ min: -most * 8, max: most * 8 }).map((n) => n / 8)
const position: fc.Arbitrary<Position> = fc.oneof(
  fc.tuple(coordinate(180), coordinate(90)),
  fc.tuple(coordinate(180), coordinate(90), coordinate(9000)),
)
const positions = (least: number): fc.Arbitrary<Position[]> => fc.array(position, { minLength: least, maxLength: 5 })
const ring = positions(3).map((line) => [...line, line[0] as Position])
const several = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(one, { minLength: 1, maxLength: 3 })

const simple: fc.Arbitrary<Geometry> = fc.oneof(
  position.map((coordinates) => ({ type: 'Point' as const, coordinates })),
  positions(1).map((coordinates) => ({ type: 'MultiPoint' as const, coordinates })),
  positions(2).map((coordinates) => ({ type: 'LineString' as const, coordinates })),
  several(positions(2)).map((coordinates) => ({ type: 'MultiLineString' as const, coordinates })),
  several(ring).map((coordinates) => ({ type: 'Polygon' as const, coordinates })),
  several(several(ring)).map((coordinates) => ({ type: 'MultiPolygon' as const, coordinates })),
)
const geometry: fc.Arbitrary<Geometry> = fc.oneof(
  { weight: 4, arbitrary: simple },
  { weight: 1, arbitrary: several(simple).map((geometries) => ({ type: 'GeometryCollection' as const, geometries })) },
)
const box = fc
  .tuple(coordinate(180), coordinate(180), coordinate(90), coordinate(90))
  .map(([west, east, a, b]) => [west, Math.min(a, b), east, Math.max(a, b)])

export const spatialLiteral: fc.Arbitrary<SpatialLiteral> = fc.oneof(
  geometry.map((geometry) => ({ kind: 'geometry' as const, geometry })),
  box.map((box) => ({ kind: 'bbox' as const, box })),
)

const isFixed = (end: Interval['start']): end is Instant => end.kind === 'date' || end.kind === 'timestamp'

function interval(property: fc.Arbitrary<Property>): fc.Arbitrary<Interval> {
  const end = fc.oneof(day, timestamp, property, fc.constant({ kind: 'open' as const }))
  return fc
    .tuple(end, end)
    .filter(([a, b]) => !isFixed(a) || !isFixed(b) || spanOf(a).first <= spanOf(b).last)
    .map(([start, end]) => ({ kind: 'interval', start, end }))
}

/** Any predicate; its types need not fit. */
function predicate({ name, text, pattern, number }: Vocabulary): fc.Arbitrary<Expression> {
  const property: fc.Arbitrary<Property> = name.map((name) => ({ kind: 'property', name }))
  const texts = text.map((value) => ({ kind: 'string' as const, value }))
  const numbers = number.map((value) => ({ kind: 'number' as const, value: value + 0 }))
  const truths = fc.boolean().map((value) => ({ kind: 'boolean' as const, value }))
  const instant: fc.Arbitrary<Instant> = fc.oneof(day, timestamp)
  const literal: fc.Arbitrary<Literal> = fc.oneof(texts, numbers, truths, instant)
  const list = fc.oneof(several(texts), several(numbers), several(truths), several(timestamp))
  const pair = fc.oneof<fc.Arbitrary<[Literal, Literal]>[]>(
    fc.tuple(texts, texts),
    fc.tuple(numbers, numbers),
    fc.tuple(instant, instant),
  )
  const temporal = fc.oneof(property, instant, interval(property))
  return fc.oneof<fc.Arbitrary<Expression>[]>(
    truths,
    fc.record({
      kind: fc.constant('compare' as const),
      op: fc.constantFrom(...COMPARISONS),
      left: property,
      right: fc.oneof({ weight: 4, arbitrary: literal }, { weight: 1, arbitrary: property }),
    }),
    property.map((arg) => ({ kind: 'isNull', arg })),
    fc.tuple(property, list).map(([value, list]) => ({ kind: 'in', value, list })),
    fc.tuple(property, pair).map(([value, [low, high]]) => ({ kind: 'between', value, low, high })),
    fc.tuple(property, pattern).map(([value, pattern]) => ({ kind: 'like', value, pattern })),
    fc
      .tuple(property, spatialLiteral)
      .map(([property, geometry]) => ({ kind: 'spatial', op: 's_intersects', property, geometry })),
    fc
      .tuple(fc.constantFrom(...TEMPORAL_OPERATORS), property, temporal, fc.boolean())
      .map(([op, a, b, swap]) => ({ kind: 'temporal', op, left: swap ? b : a, right: swap ? a : b })),
  )
}

/** Filters of a few levels. */
export function expressions(vocabulary: Vocabulary, leaf = predicate(vocabulary)): fc.Arbitrary<Expression> {
  return fc.letrec<{ tree: Expression }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaf,
      fc
        .tuple(fc.constantFrom('and' as const, 'or' as const), fc.array(tie('tree'), { minLength: 2, maxLength: 4 }))
        .map(([kind, args]) => ({ kind, args })),
      tie('tree').map((arg) => ({ kind: 'not' as const, arg })),
    ),
  })).tree
}

const storable = anyText(12).filter((s) => !s.includes('\u0000') && s.isWellFormed())

/** Any names and texts whatever that a filter may hold. */
export const ANYTHING: Vocabulary = {
  name: fc.oneof(
    fc.constantFrom(
      'gsd',
      'eo:cloud_cover',
      'properties.gsd',
      'and',
      'NULL',
      'point',
      'bbox',
      '__proto__',
      'a b',
      `x"y'`,
      '1',
      'ž',
      'date',
    ),
    storable.filter((s) => s !== ''),
  ),
  text: fc.oneof(fc.constantFrom("'", "''", "it's", "' OR 1=1 --", '', '\\', '%'), storable),
  pattern: fc.oneof(
    fc.constantFrom('LC%', '\\%', "_'_", '\\\\'),
    storable.map((s) => s.replaceAll('\\', '')),
  ),
  number: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer()),
}
