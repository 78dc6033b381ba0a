// The tree back to both encodings; what is printed reads as the same tree.
import type { Expression, Interval, Literal, Property, Temporal } from './ast.ts'
import type { Geometry, SpatialLiteral } from './geometry.ts'
import { RESERVED } from './text.ts'
import { isGeometryWord } from './wkt.ts'

const PLAIN = /^[A-Za-z_:][A-Za-z0-9_:.]*$/

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`

function printName({ name }: Property): string {
  const word = name.toUpperCase()
  return PLAIN.test(name) && !RESERVED.has(word) && !isGeometryWord(word) ? name : `"${name.replaceAll('"', '""')}"`
}

function printOperand(operand: Property | Literal): string {
  switch (operand.kind) {
    case 'property':
      return printName(operand)
    case 'string':
      return quote(operand.value)
    case 'number':
      return String(operand.value)
    case 'boolean':
      return operand.value ? 'TRUE' : 'FALSE'
    default:
      return `${operand.kind.toUpperCase()}(${quote(operand.value)})`
  }
}

/** CQL2 text, with brackets only where they are needed. @example `a = 1 AND NOT (b = 2 OR c IS NULL)` */
export function printCql2Text(expression: Expression): string {
  switch (expression.kind) {
    case 'and':
    case 'or':
      return expression.args.map(printInner).join(` ${expression.kind.toUpperCase()} `)
    case 'not':
      return `NOT ${printInner(expression.arg)}`
    case 'boolean':
      return printOperand(expression)
    case 'compare':
      return `${printName(expression.left)} ${expression.op} ${printOperand(expression.right)}`
    case 'isNull':
      return `${printName(expression.arg)} IS NULL`
    case 'in':
      return `${printName(expression.value)} IN (${expression.list.map(printOperand).join(', ')})`
    case 'between':
      return `${printName(expression.value)} BETWEEN ${printOperand(expression.low)} AND ${printOperand(expression.high)}`
    case 'like':
      return `${printName(expression.value)} LIKE ${quote(expression.pattern)}`
    case 'spatial':
      return `S_INTERSECTS(${printName(expression.property)}, ${printSpatial(expression.geometry)})`
    default:
      return `${expression.op.toUpperCase()}(${printTemporal(expression.left)}, ${printTemporal(expression.right)})`
  }
}

function printInner(expression: Expression): string {
  const text = printCql2Text(expression)
  return expression.kind === 'and' || expression.kind === 'or' ? `(${text})` : text
}

function printTemporal(temporal: Temporal): string {
  if (temporal.kind !== 'interval') return printOperand(temporal)
  return `INTERVAL(${printEnd(temporal.start)}, ${printEnd(temporal.end)})`
}

function printEnd(end: Interval['start']): string {
  if (end.kind === 'property') return printName(end)
  return end.kind === 'open' ? "'..'" : quote(end.value)
}

function printSpatial(literal: SpatialLiteral): string {
  return literal.kind === 'bbox' ? `BBOX(${literal.box.join(', ')})` : printWkt(literal.geometry)
}

/** WKT; the points of a MULTIPOINT stand in brackets. */
export function printWkt(geometry: Geometry): string {
  const word = geometry.type.toUpperCase()
  if (geometry.type === 'GeometryCollection') return `${word}(${geometry.geometries.map(printWkt).join(', ')})`
  if (geometry.type === 'MultiPoint') return `${word}(${geometry.coordinates.map((p) => `(${p.join(' ')})`).join(', ')})`
  const nested = (part: unknown): string => {
    const list = part as readonly unknown[]
    return typeof list[0] === 'number' ? list.join(' ') : list.map((p) => bracketed(p)).join(', ')
  }
  const bracketed = (part: unknown): string => (isPosition(part) ? nested(part) : `(${nested(part)})`)
  return `${word}(${nested(geometry.coordinates)})`
}

const isPosition = (part: unknown): boolean => Array.isArray(part) && typeof part[0] === 'number'

/** CQL2 JSON, ready for `JSON.stringify`. */
export function toCql2Json(expression: Expression): unknown {
  const op = (name: string, ...args: readonly unknown[]): unknown => ({ op: name, args })
  switch (expression.kind) {
    case 'and':
    case 'or':
      return op(expression.kind, ...expression.args.map(toCql2Json))
    case 'not':
      return op('not', toCql2Json(expression.arg))
    case 'boolean':
      return expression.value
    case 'compare':
      return op(expression.op, jsonOperand(expression.left), jsonOperand(expression.right))
    case 'isNull':
      return op('isNull', jsonOperand(expression.arg))
    case 'in':
      return op('in', jsonOperand(expression.value), expression.list.map(jsonOperand))
    case 'between':
      return op('between', jsonOperand(expression.value), jsonOperand(expression.low), jsonOperand(expression.high))
    case 'like':
      return op('like', jsonOperand(expression.value), expression.pattern)
    case 'spatial':
      return op(expression.op, jsonOperand(expression.property), jsonSpatial(expression.geometry))
    default:
      return op(expression.op, jsonTemporal(expression.left), jsonTemporal(expression.right))
  }
}

function jsonOperand(operand: Property | Literal): unknown {
  if (operand.kind === 'property') return { property: operand.name }
  return operand.kind === 'date' || operand.kind === 'timestamp' ? { [operand.kind]: operand.value } : operand.value
}

function jsonTemporal(temporal: Temporal): unknown {
  if (temporal.kind !== 'interval') return jsonOperand(temporal)
  return { interval: [jsonEnd(temporal.start), jsonEnd(temporal.end)] }
}

const jsonEnd = (end: Interval['start']): unknown =>
  end.kind === 'open' ? '..' : end.kind === 'property' ? jsonOperand(end) : end.value

const jsonSpatial = (literal: SpatialLiteral): unknown => (literal.kind === 'bbox' ? { bbox: literal.box } : literal.geometry)
