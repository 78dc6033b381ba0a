// A filter judged on an item in memory: what SQL means, without a database; it decides where SQL only finds candidates.
import { AppError } from '../../rules/errors.ts'
import { bareName, type Comparison, type Expression, type Interval, type Literal, type Property, type Temporal } from './ast.ts'
import type { Geometry, SpatialLiteral } from './geometry.ts'
import { microsOfTimestamp, type Span, spanOf } from './instant.ts'
import { isLike } from './like.ts'
import { type End, type Order, TEMPORAL_RULES } from './temporal.ts'

/** A STAC item, or as much of one as filters look at. */
export interface FilterItem {
  readonly id?: unknown
  readonly collection?: unknown
  readonly geometry?: unknown
  readonly properties?: Readonly<Record<string, unknown>>
}

export interface EvaluateOptions {
  /** Whether two shapes have a point in common. Needed for filters that `hasSpatial`. */
  readonly intersects?: (shape: Geometry, literal: SpatialLiteral) => boolean
}

/** Properties that STAC 1.1.0 gives the type of a time; the map of queryables has them as `timestamp`. */
export const TIME_PROPERTIES: ReadonlySet<string> = new Set([
  'datetime',
  'start_datetime',
  'end_datetime',
  'created',
  'updated',
  'published',
  'expires',
  'lamplighter:missing_since',
])

/**
 * Judges an item. Types are those of its JSON: a value of another type than it is compared with gives null, as does one that is missing.
 * `datetime` is the item's datetime or else its start; for T_ operators it lasts from start to end.
 * @returns null where SQL would say NULL: no match, and no match of its negation
 */
export function evaluate(expression: Expression, item: FilterItem, options: EvaluateOptions = {}): boolean | null {
  switch (expression.kind) {
    case 'and':
      return conjunction(expression.args.map((arg) => evaluate(arg, item, options)))
    case 'or':
      return negation(conjunction(expression.args.map((arg) => negation(evaluate(arg, item, options)))))
    case 'not':
      return negation(evaluate(expression.arg, item, options))
    case 'boolean':
      return expression.value
    case 'compare':
      return compare(expression.left, expression.op, expression.right, item)
    case 'isNull':
      return valueOf(expression.arg, item) === null
    case 'in':
      return negation(conjunction(expression.list.map((value) => negation(compare(expression.value, '=', value, item)))))
    case 'between':
      return conjunction([
        compare(expression.value, '>=', expression.low, item),
        compare(expression.value, '<=', expression.high, item),
      ])
    case 'like': {
      const value = valueOf(expression.value, item)
      return typeof value === 'string' ? isLike(value, expression.pattern) : null
    }
    case 'spatial':
      return intersects(expression, item, options)
    default:
      return temporal(expression, item)
  }
}

const negation = (truth: boolean | null): boolean | null => (truth === null ? null : !truth)

const conjunction = (truths: readonly (boolean | null)[]): boolean | null =>
  truths.includes(false) ? false : truths.includes(null) ? null : true

/** The JSON value behind a name, null where there is none. */
function valueOf({ name }: Property, item: FilterItem): unknown {
  const bare = bareName(name)
  if (bare === 'id' || bare === 'collection' || bare === 'geometry') return item[bare] ?? null
  if (bare === 'datetime') return own(item, 'datetime') ?? own(item, 'start_datetime')
  return own(item, name) ?? own(item, bare)
}

const own = ({ properties = {} }: FilterItem, name: string): unknown =>
  Object.hasOwn(properties, name) ? properties[name] : null

function microsOf(property: Property, item: FilterItem): bigint | null {
  const value = valueOf(property, item)
  return (typeof value === 'string' ? microsOfTimestamp(value) : undefined) ?? null
}

function compare(left: Property, op: Comparison, right: Property | Literal, item: FilterItem): boolean | null {
  if (right.kind === 'date' || right.kind === 'timestamp') return compareSpan(microsOf(left, item), op, spanOf(right))
  if (right.kind !== 'property') return compareValues(valueOf(left, item), op, right.value)
  const areTimes = TIME_PROPERTIES.has(bareName(left.name)) && TIME_PROPERTIES.has(bareName(right.name))
  if (!areTimes) return compareValues(valueOf(left, item), op, valueOf(right, item))
  const micros = microsOf(right, item)
  return micros === null ? null : compareSpan(microsOf(left, item), op, { first: micros, last: micros })
}

/** A date is its whole day: later than it is behind its end, equal to it is within. */
function compareSpan(micros: bigint | null, op: Comparison, { first, last }: Span): boolean | null {
  if (micros === null) return null
  return holds(micros < first ? -1 : micros > last ? 1 : 0, op)
}

function compareValues(a: unknown, op: Comparison, b: unknown): boolean | null {
  if (typeof a === 'string' && typeof b === 'string') return holds(compareTexts(a, b), op)
  if ((typeof a === 'number' && typeof b === 'number') || (typeof a === 'boolean' && typeof b === 'boolean'))
    return holds(Number(a) - Number(b), op)
  return null
}

/** By code point, like COLLATE "C" over UTF-8; JavaScript's < goes by UTF-16 units, where U+1F600 comes before U+FF5E. */
function compareTexts(a: string, b: string): number {
  const [left, right] = [Array.from(a), Array.from(b)]
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = ((left[i] as string).codePointAt(0) as number) - ((right[i] as string).codePointAt(0) as number)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

function holds(difference: number, op: Comparison): boolean {
  switch (op) {
    case '=':
      return difference === 0
    case '<>':
      return difference !== 0
    case '<':
      return difference < 0
    case '<=':
      return difference <= 0
    case '>':
      return difference > 0
    default:
      return difference >= 0
  }
}

function intersects(
  { property, geometry }: Expression & { kind: 'spatial' },
  item: FilterItem,
  options: EvaluateOptions,
): boolean | null {
  if (!options.intersects)
    throw new AppError('INTERNAL', 'A filter with S_INTERSECTS was judged without a test of shapes; pass intersects.')
  const shape = bareName(property.name) === 'geometry' ? (item.geometry ?? null) : null
  return shape === null ? null : options.intersects(shape as Geometry, geometry)
}

/** Ends of an operand; an open one lies beyond every instant. */
type Ends = Record<End, bigint | null>

const BEYOND = 10n ** 30n

function temporal({ op, left, right }: Expression & { kind: 'temporal' }, item: FilterItem): boolean | null {
  const [a, b] = [endsOf(left, item), endsOf(right, item)]
  return conjunction(TEMPORAL_RULES[op].map(([mine, order, other]) => compareEnds(a[mine], order, b[other])))
}

function compareEnds(a: bigint | null, order: Order, b: bigint | null): boolean | null {
  return a === null || b === null ? null : holds(a < b ? -1 : a > b ? 1 : 0, order)
}

function endsOf(operand: Temporal, item: FilterItem): Ends {
  if (operand.kind === 'interval') return { start: endOf(operand.start, 'start', item), end: endOf(operand.end, 'end', item) }
  if (operand.kind !== 'property') {
    const { first, last } = spanOf(operand)
    return { start: first, end: last }
  }
  const micros = microsOf(operand, item)
  if (bareName(operand.name) !== 'datetime') return { start: micros, end: micros }
  const named = (name: string): bigint | null => microsOf({ kind: 'property', name }, item)
  return { start: named('start_datetime') ?? micros, end: named('end_datetime') ?? micros }
}

function endOf(end: Interval['start'], which: End, item: FilterItem): bigint | null {
  if (end.kind === 'open') return which === 'start' ? -BEYOND : BEYOND
  if (end.kind === 'property') return microsOf(end, item)
  const { first, last } = spanOf(end)
  return which === 'start' ? first : last
}
