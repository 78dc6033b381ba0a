// Rules of predicates that hold in both encodings; the readers of text and JSON build through these.
import type {
  Comparison,
  Expression,
  Instant,
  Interval,
  Literal,
  Numeric,
  Property,
  Temporal,
  TemporalOperator,
  Text,
} from './ast.ts'
import type { SpatialLiteral } from './geometry.ts'
import { microsOfDate, microsOfTimestamp, spanOf } from './instant.ts'
import { LIMITS, quoted, type Refuse } from './refuse.ts'

export type Operand = Property | Literal

const FLIPPED = { '=': '=', '<>': '<>', '<': '>', '<=': '>=', '>': '<', '>=': '<=' } as const satisfies Record<
  Comparison,
  Comparison
>

/** A literal's type as far as comparing goes: dates and timestamps compare with each other. */
export const typeOfLiteral = (literal: Literal): 'string' | 'number' | 'boolean' | 'timestamp' =>
  literal.kind === 'date' ? 'timestamp' : literal.kind

export function property(name: string, refuse: Refuse): Property {
  if (name === '') throw refuse('a property name is empty.')
  return { kind: 'property', name }
}

/** Text that can be compared with what is stored: no NUL, no lone surrogates. */
export function text(value: string, refuse: Refuse): Text {
  if (value.includes('\u0000') || !value.isWellFormed())
    throw refuse('a text holds NUL or a lone surrogate, which no stored text has; remove the character.')
  if (value.length > LIMITS.textBytes) throw refuse(`a text has ${value.length} characters, more than ${LIMITS.textBytes}.`)
  return { kind: 'string', value }
}

export function number(value: number, refuse: Refuse): Numeric {
  if (!Number.isFinite(value)) throw refuse('a number is too large for a double.')
  return { kind: 'number', value: value + 0 }
}

export function instant(kind: Instant['kind'], value: string, refuse: Refuse): Instant {
  const isRight = (kind === 'date' ? microsOfDate(value) : microsOfTimestamp(value)) !== undefined
  if (isRight) return { kind, value }
  const wanted = kind === 'date' ? "a date such as '2024-05-31'" : "a time with offset such as '2024-05-31T10:00:00Z'"
  throw refuse(`${quoted(value)} is not ${wanted} that exists, in the years 0001 to 9999.`)
}

/** An end of an interval: a date or a timestamp without a word before it, or `..`. */
export function intervalEnd(value: string, refuse: Refuse): Interval['start'] {
  if (value === '..') return { kind: 'open' }
  return instant(value.length === 10 ? 'date' : 'timestamp', value, refuse)
}

export function interval(start: Interval['start'], end: Interval['end'], refuse: Refuse): Interval {
  const isFixed = (x: Interval['start']): x is Instant => x.kind === 'date' || x.kind === 'timestamp'
  if (isFixed(start) && isFixed(end) && spanOf(start).first > spanOf(end).last)
    throw refuse('the interval ends before it starts.')
  return { kind: 'interval', start, end }
}

export function compare(left: Operand, op: Comparison, right: Operand, refuse: Refuse): Expression {
  if (left.kind === 'property') return { kind: 'compare', op, left, right }
  if (right.kind === 'property') return { kind: 'compare', op: FLIPPED[op], left: right, right: left }
  throw refuse('a comparison names no property, so it is the same for every item; name one.')
}

export function isIn(value: Operand, list: readonly Operand[], refuse: Refuse): Expression {
  if (value.kind !== 'property') throw refuse('IN needs a property on its left.')
  if (list.length === 0) throw refuse('IN needs at least one value.')
  checkCount(list.length, refuse)
  const checked = list.map((v) => {
    if (v.kind === 'property') throw refuse('IN takes literals; compare two properties with =.')
    if (v.kind === 'date') throw refuse('IN takes no dates, for a date is a whole day; use BETWEEN or T_INTERSECTS.')
    if (v.kind !== list[0]?.kind) throw refuse('the values of IN are of several types; join several IN by OR.')
    return v
  })
  return { kind: 'in', value, list: checked }
}

export function checkCount(count: number, refuse: Refuse): void {
  if (count > LIMITS.values) throw refuse(`IN has more than ${LIMITS.values} values; split it into several requests.`)
}

export function between(value: Operand, low: Operand, high: Operand, refuse: Refuse): Expression {
  if (value.kind !== 'property') throw refuse('BETWEEN needs a property on its left.')
  if (low.kind === 'property' || high.kind === 'property')
    throw refuse('BETWEEN takes two literals; compare two properties with <= and >=.')
  if (typeOfLiteral(low) !== typeOfLiteral(high) || low.kind === 'boolean')
    throw refuse('BETWEEN takes two numbers, two texts or two instants.')
  return { kind: 'between', value, low, high }
}

export function like(value: Operand, pattern: Operand, refuse: Refuse): Expression {
  if (value.kind !== 'property') throw refuse('LIKE needs a property on its left.')
  if (pattern.kind !== 'string') throw refuse("LIKE needs a pattern in quotes, such as 'LC08%'.")
  let escapes = 0
  while (pattern.value.at(-1 - escapes) === '\\') escapes++
  if (escapes % 2 === 1) throw refuse('the pattern ends with its escape character; write \\\\ for a backslash.')
  return { kind: 'like', value, pattern: pattern.value }
}

export function isNull(arg: Operand, refuse: Refuse): Expression {
  if (arg.kind !== 'property') throw refuse('IS NULL needs a property: a literal is never null.')
  return { kind: 'isNull', arg }
}

export function spatial(a: Property | SpatialLiteral, b: Property | SpatialLiteral, refuse: Refuse): Expression {
  const [property, geometry] = a.kind === 'property' ? [a, b] : [b, a]
  if (property.kind !== 'property' || geometry.kind === 'property')
    throw refuse('S_INTERSECTS needs one property and one geometry, such as S_INTERSECTS(geometry, POINT(7 50)).')
  return { kind: 'spatial', op: 's_intersects', property, geometry }
}

export function temporal(op: TemporalOperator, left: Temporal, right: Temporal, refuse: Refuse): Expression {
  const names = (t: Temporal): boolean =>
    t.kind === 'property' || (t.kind === 'interval' && (t.start.kind === 'property' || t.end.kind === 'property'))
  if (!names(left) && !names(right)) throw refuse(`${op.toUpperCase()} names no property, so it is the same for every item.`)
  return { kind: 'temporal', op, left, right }
}
