// CQL2 JSON (OGC 21-065r2, annex C) to the tree. The value comes from a client: own members only, bounded in depth before it is followed.
import type { AppError } from '../../rules/errors.ts'
import {
  COMPARISONS,
  type Comparison,
  type Expression,
  type Interval,
  type Property,
  type Temporal,
  TEMPORAL_OPERATORS,
  type TemporalOperator,
} from './ast.ts'
import * as build from './build.ts'
import { checkBox, readGeoJson, type SpatialLiteral } from './geometry.ts'
import { Budget, quoted, type Refuse, refuseJson } from './refuse.ts'

/**
 * Reads a filter in CQL2 JSON, already parsed.
 * @param value anything; at most 500 predicates and connectives, 32 levels, 1,000 values per IN, 10,000 positions
 * @throws AppError `CQL2_INVALID` with a JSON pointer
 * @example parseCql2Json({ op: '<', args: [{ property: 'eo:cloud_cover' }, 10] })
 */
export function parseCql2Json(value: unknown): Expression {
  return readExpression({ value, at: '', depth: 1, budget: new Budget() })
}

/** A value, where it stands, and what may still be read. */
interface Place {
  readonly value: unknown
  readonly at: string
  readonly depth: number
  readonly budget: Budget
}

const refuseAt =
  ({ at }: Place): Refuse =>
  (what) =>
    refuseJson(at, what)

const argument = (place: Place, value: unknown, i: number): Place => ({
  value,
  at: `${place.at}/args/${i}`,
  depth: place.depth + 1,
  budget: place.budget,
})

type Read = (op: string, args: readonly Place[], place: Place) => Expression

function readExpression(place: Place): Expression {
  place.budget.level(place.depth, refuseAt(place))
  place.budget.node(refuseAt(place))
  if (typeof place.value === 'boolean') return { kind: 'boolean', value: place.value }
  const { op, args } = membersOf(place, ['op', 'args'])
  if (typeof op !== 'string') throw refuseJson(place.at, 'op must be the name of an operator.')
  if (!Array.isArray(args)) throw refuseJson(place.at, 'args must be a list.')
  const operator = OPERATORS.get(op)
  if (!operator)
    throw refuseJson(
      `${place.at}/op`,
      `${quoted(op)} is no operator that is supported; there are ${[...OPERATORS.keys()].join(', ')}.`,
    )
  const { least, most, read } = operator
  if (args.length < least || args.length > most)
    throw refuseJson(
      `${place.at}/args`,
      `${op} takes ${least === most ? least : `${least} or more`} arguments, not ${args.length}.`,
    )
  const places = args.map((value: unknown, i) => argument(place, value, i))
  return read(op, places, place)
}

/** The members of an object, none beside those that are known. */
function membersOf(place: Place, known: readonly string[]): Readonly<Record<string, unknown>> {
  const { value } = place
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refuseJson(place.at, `expected an object with ${known.join(' and ')}.`)
  const unknown = Object.keys(value).find((key) => !known.includes(key))
  if (unknown !== undefined)
    throw refuseJson(place.at, `member ${quoted(unknown)} is not known here; expected ${known.join(' and ')}.`)
  const missing = known.find((key) => !Object.hasOwn(value, key))
  if (missing !== undefined) throw refuseJson(place.at, `member ${missing} is missing.`)
  return value as Record<string, unknown>
}

/** The first of these members that the object has as its own. */
function wordOf<const W extends string>({ value }: Place, words: readonly W[]): W | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  return words.find((word) => Object.hasOwn(value, word))
}

function readProperty(place: Place): Property {
  const { property } = membersOf(place, ['property'])
  if (typeof property !== 'string') throw refuseJson(`${place.at}/property`, 'a property name is a text.')
  return build.property(property, refuseAt(place))
}

function readOperand(place: Place): build.Operand {
  const { value } = place
  if (typeof value === 'string') return build.text(value, refuseAt(place))
  if (typeof value === 'number') return build.number(value, refuseAt(place))
  if (typeof value === 'boolean') return { kind: 'boolean', value }
  const word = wordOf(place, ['property', 'date', 'timestamp'])
  if (word === 'property') return readProperty(place)
  if (word !== undefined) return readInstant(place, word)
  throw unsupportedOperand(place)
}

function unsupportedOperand(place: Place): AppError {
  const found = place.value === null ? 'null cannot be compared; use isNull. ' : ''
  const call = wordOf(place, ['op']) === 'op' ? 'Functions, arithmetic, casei and accenti are not supported. ' : ''
  return refuseJson(
    place.at,
    `${found}${call}expected {"property": …}, a text, a number, a boolean, {"date": …} or {"timestamp": …}.`,
  )
}

function readInstant(place: Place, word: 'date' | 'timestamp'): ReturnType<typeof build.instant> {
  const text = membersOf(place, [word])[word]
  if (typeof text !== 'string') throw refuseJson(`${place.at}/${word}`, 'this must be a text.')
  return build.instant(word, text, refuseAt(place))
}

function readTemporal(place: Place): Temporal {
  const word = wordOf(place, ['property', 'date', 'timestamp', 'interval'])
  if (word === undefined)
    throw refuseJson(place.at, 'expected {"property": …}, {"date": …}, {"timestamp": …} or {"interval": [start, end]}.')
  if (word === 'property') return readProperty(place)
  if (word !== 'interval') return readInstant(place, word)
  const { interval } = membersOf(place, ['interval'])
  if (!Array.isArray(interval) || interval.length !== 2)
    throw refuseJson(`${place.at}/interval`, 'an interval is a list of its start and its end.')
  const [start, end] = interval.map((value: unknown, i) => readEnd({ ...place, value, at: `${place.at}/interval/${i}` }))
  return build.interval(start as Interval['start'], end as Interval['end'], refuseAt(place))
}

function readEnd(place: Place): Interval['start'] {
  if (typeof place.value === 'string') return build.intervalEnd(place.value, refuseAt(place))
  return readProperty(place)
}

function readSpatial(place: Place): Property | SpatialLiteral {
  const word = wordOf(place, ['property', 'type', 'bbox'])
  if (word === undefined) throw refuseJson(place.at, 'expected {"property": …}, a GeoJSON geometry or {"bbox": […]}.')
  if (word === 'property') return readProperty(place)
  if (word === 'type') {
    const geometry = readGeoJson(place.value as object, { at: place.at, depth: place.depth, budget: place.budget })
    return { kind: 'geometry', geometry }
  }
  const { bbox } = membersOf(place, ['bbox'])
  if (!Array.isArray(bbox)) throw refuseJson(`${place.at}/bbox`, 'a box is a list of numbers.')
  return checkBox(bbox, refuseAt(place))
}

function readIn(args: readonly Place[], place: Place): Expression {
  const [value, list] = args as [Place, Place]
  if (!Array.isArray(list.value)) throw refuseJson(list.at, 'the second argument of in is a list of values.')
  build.checkCount(list.value.length, refuseAt(list))
  const values = list.value.map((v: unknown, i) => readOperand({ ...list, value: v, at: `${list.at}/${i}` }))
  return build.isIn(readOperand(value), values, refuseAt(place))
}

interface Operator {
  readonly least: number
  readonly most: number
  readonly read: Read
}

const of = (least: number, most: number, read: Read): Operator => ({ least, most, read })

const two = <T>(args: readonly Place[], read: (place: Place) => T): [T, T] => [read(args[0] as Place), read(args[1] as Place)]

const comparison: Read = (op, args, place) => {
  const [left, right] = two(args, readOperand)
  return build.compare(left, op as Comparison, right, refuseAt(place))
}

const chain: Read = (op, args) => ({ kind: op as 'and' | 'or', args: args.map(readExpression) })

const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ['and', of(2, Infinity, chain)],
  ['or', of(2, Infinity, chain)],
  ['not', of(1, 1, (_, args) => ({ kind: 'not', arg: readExpression(args[0] as Place) }))],
  ...COMPARISONS.map((op) => [op, of(2, 2, comparison)] as const),
  ['isNull', of(1, 1, (_, args, place) => build.isNull(readOperand(args[0] as Place), refuseAt(place)))],
  ['like', of(2, 2, (_, args, place) => build.like(...two(args, readOperand), refuseAt(place)))],
  [
    'between',
    of(3, 3, (_, args, place) => {
      const [value, low, high] = args.map(readOperand) as [build.Operand, build.Operand, build.Operand]
      return build.between(value, low, high, refuseAt(place))
    }),
  ],
  ['in', of(2, 2, (_, args, place) => readIn(args, place))],
  ['s_intersects', of(2, 2, (_, args, place) => build.spatial(...two(args, readSpatial), refuseAt(place)))],
  ...TEMPORAL_OPERATORS.map(
    (name) =>
      [
        name,
        of(2, 2, (op, args, place) => build.temporal(op as TemporalOperator, ...two(args, readTemporal), refuseAt(place))),
      ] as const,
  ),
])
