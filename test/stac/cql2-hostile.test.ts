// Filters that mean harm: too deep, too many, torn, or full of SQL. Each is refused by name or stays a plain value.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AppError } from '../../src/rules/errors.ts'
import type { Expression } from '../../src/stac/cql2/ast.ts'
import { evaluate } from '../../src/stac/cql2/evaluate.ts'
import { parseCql2Json } from '../../src/stac/cql2/json.ts'
import { printCql2Text } from '../../src/stac/cql2/print.ts'
import { type Bound, type Queryable, toSql } from '../../src/stac/cql2/sql.ts'
import { parseCql2Text } from '../../src/stac/cql2/text.ts'
import { anyText } from '../support/any-text.ts'
import { ANYTHING, expressions } from '../support/cql2-expressions.ts'

function codeOf(call: () => unknown): string {
  try {
    call()
    return 'read'
  } catch (error) {
    return error instanceof AppError ? error.code : String(error)
  }
}

const MILLION = 1_000_000
const nested = (times: number, wrap: (inner: unknown) => unknown, core: unknown): unknown => {
  let value = core
  for (let i = 0; i < times; i++) value = wrap(value)
  return value
}
const point = (coordinates: unknown): unknown => ({
  op: 's_intersects',
  args: [{ property: 'geometry' }, { type: 'Point', coordinates }],
})
const collection = (times: number): unknown => ({
  op: 's_intersects',
  args: [
    { property: 'geometry' },
    nested(times, (g) => ({ type: 'GeometryCollection', geometries: [g] }), { type: 'Point', coordinates: [0, 0] }),
  ],
})
const isOne = { op: '=', args: [{ property: 'a' }, 1] }

test.each<[string, string]>([
  ['a million brackets', '('.repeat(MILLION)],
  ['8,000 brackets', `${'('.repeat(8000)}a = 1${')'.repeat(8000)}`],
  ['4,000 NOT', `${'NOT '.repeat(4000)}a = 1`],
  ['33 NOT', `${'NOT '.repeat(33)}a = 1`.replace('NOT', 'NOT NOT')],
  ['nested collections', `S_INTERSECTS(geometry, ${'GEOMETRYCOLLECTION('.repeat(700)}`],
  ['501 predicates', Array(501).fill('a=1').join(' AND ')],
  ['1,001 values', `a IN (${Array(1001).fill('1').join(',')})`],
  ['16 KiB in 3-byte characters', `a = '${'ž€'.repeat(3300)}'`],
  ['an unterminated text', `a = '${'x'.repeat(9000)}`],
  ['doubled quotes without end', `a = '${"''".repeat(8000)}`],
  ['NUL', 'a = 1\u0000'],
  ['NUL in a text', "a = '\u0000'"],
  ['a lone surrogate in a text', "a = '\ud800'"],
])('text with %s is refused', (_, text) => expect(codeOf(() => parseCql2Text(text))).toBe('CQL2_INVALID'))

test.each<[string, unknown]>([
  ['a million not', nested(MILLION, (arg) => ({ op: 'not', args: [arg] }), isOne)],
  ['a million and', nested(MILLION, (arg) => ({ op: 'and', args: [arg, arg] }), isOne)],
  ['a million arrays as operand', { op: '=', args: [{ property: 'a' }, nested(MILLION, (v) => [v], 1)] }],
  ['a million arrays as coordinates', point(nested(MILLION, (v) => [v], 1))],
  ['a million arrays as name', { op: 'isNull', args: [{ property: nested(MILLION, (v) => [v], 1) }] }],
  ['a million collections', collection(MILLION)],
  ['501 predicates', { op: 'or', args: Array.from({ length: 501 }, () => isOne) }],
  ['1,001 values', { op: 'in', args: [{ property: 'a' }, Array(1001).fill(1)] }],
  [
    '10,001 positions',
    {
      op: 's_intersects',
      args: [{ property: 'geometry' }, { type: 'MultiPoint', coordinates: Array.from({ length: 10_001 }, () => [1, 2]) }],
    },
  ],
  ['a text of 16,385 characters', { op: '=', args: [{ property: 'a' }, 'x'.repeat(16_385)] }],
  ['NUL', { op: '=', args: [{ property: 'a' }, '\u0000'] }],
  ['members of the prototype', Object.create({ op: '=', args: [{ property: 'a' }, 1] })],
  ['an operator of the prototype', { op: '__proto__', args: [] }],
  ['100,000 unknown members', Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, i]))],
])('JSON with %s is refused', (_, value) => expect(codeOf(() => parseCql2Json(value))).toBe('CQL2_INVALID'))

test('what lies just within the limits is read', () => {
  expect(codeOf(() => parseCql2Text(`${'('.repeat(31)}a = 1${')'.repeat(31)}`))).toBe('read')
  expect(codeOf(() => parseCql2Text(Array(499).fill('a=1').join(' OR ')))).toBe('read')
  expect(codeOf(() => parseCql2Text(`a IN (${Array(1000).fill('1').join(',')})`))).toBe('read')
  expect(codeOf(() => parseCql2Json(nested(31, (arg) => ({ op: 'not', args: [arg] }), isOne)))).toBe('read')
  expect(codeOf(() => parseCql2Json(nested(32, (arg) => ({ op: 'not', args: [arg] }), isOne)))).toBe('CQL2_INVALID')
})

test('garbage is refused by name, never by a crash', () => {
  const words = fc.constantFrom('a', '(', ')', 'AND', 'OR', 'NOT', '=', '<', '>', "'x'", '"y"', '1', ',', 'IN', 'IS', 'NULL', 'LIKE', 'BETWEEN',
    'DATE(', 'INTERVAL(', 'T_AFTER(', 'S_INTERSECTS(', 'POINT(', 'BBOX(', "'2024-01-01'", "'", '"', '\\', '--', ';') // prettier-ignore
  const text = fc.oneof(
    anyText(60),
    fc.array(words, { maxLength: 20 }).map((w) => w.join(' ')),
  )
  fc.assert(
    fc.property(text, (garbage) => {
      expect(['read', 'CQL2_INVALID']).toContain(codeOf(() => parseCql2Text(garbage)))
    }),
    { numRuns: 3000 },
  )
  const op = fc.constantFrom('and', 'not', '=', 'in', 'like', 'between', 'isNull', 's_intersects', 't_after')
  const json = fc.oneof(fc.anything(), fc.record({ op, args: fc.array(fc.anything(), { maxLength: 3 }) }))
  fc.assert(
    fc.property(json, (garbage) => {
      expect(['read', 'CQL2_INVALID']).toContain(codeOf(() => parseCql2Json(garbage)))
    }),
    { numRuns: 3000 },
  )
})

const QUERYABLES = new Map<string, Queryable>([
  ['id', { type: 'string', sql: 'i.item_id' }],
  ['gsd', { type: 'number', sql: 'i.gsd' }],
  ['datetime', { type: 'timestamp', sql: 'i.sort_at', interval: { start: 'i.start_at', end: 'i.end_at' } }],
  ['geometry', { type: 'geometry', sql: 'i.geometry' }],
  ['note', { type: 'any', sql: `i.content #> '{properties,note}'`, json: { column: 'i.content', path: ['properties', 'note'] } }],
])

/** SQL and what was bound. */
function compile(expression: Expression): { sql: string; bound: Bound[]; exact: boolean } {
  const bound: Bound[] = []
  const bind = (value: Bound): string => `$${bound.push(value)}`
  return { ...toSql(expression, { queryables: QUERYABLES, bind, intersects: () => 'i.meets' }), bound }
}

test.each([
  [`id = ''' OR 1=1 --'`, '((i.item_id) COLLATE "C" = $1::text)', [`' OR 1=1 --`]],
  [`note = 'a"}'`, '(i.content @> $1::jsonb)', ['{"properties":{"note":"a\\"}"}}']],
  [`note IN (1, 2)`, '(i.content @> ANY ($1::jsonb[]))', [['{"properties":{"note":1}}', '{"properties":{"note":2}}']]],
  [
    `NOT note = 'x'`,
    `(NOT ((CASE WHEN jsonb_typeof(i.content #> '{properties,note}') = 'string' THEN ((i.content #> '{properties,note}') #>> '{}') COLLATE "C" END) = $1::text))`,
    ['x'],
  ],
  [`NOT NOT note = 'x'`, '(NOT (NOT (i.content @> $1::jsonb)))', ['{"properties":{"note":"x"}}']],
  [`gsd IN (1, 2)`, '((i.gsd) = ANY ($1::float8[]))', [[1, 2]]],
  [`S_INTERSECTS(geometry, POINT(1 2))`, '(i.meets)', []],
  [`NOT S_INTERSECTS(geometry, POINT(1 2))`, '(NOT (FALSE))', []],
  [`datetime <= DATE('2024-01-31')`, '((i.sort_at) <= $1::timestamptz)', ['2024-01-31T23:59:59.999999Z']],
  [
    `T_INTERSECTS(datetime, INTERVAL('2024-01-01T00:00:00+01:00', '..'))`,
    `(i.start_at <= 'infinity'::timestamptz AND i.end_at >= $1::timestamptz)`,
    ['2023-12-31T23:00:00.000000Z'],
  ],
])('%s becomes %s', (text, sql, bound) => {
  const found = compile(parseCql2Text(text))
  expect(found).toEqual({ sql, bound, exact: !text.includes('S_INTERSECTS') })
})

test.each([
  [`gsd > '5'`, 'CQL2_INVALID', '"gsd" is of type number and is compared with a string; write a value such as 5.', ''],
  [`gsd = 1 AND NOT id = 5`, 'CQL2_INVALID', '"id" is of type string and is compared with a number', '/args/1/args/0'],
  [`gsd LIKE '5%'`, 'CQL2_INVALID', '"gsd" is of type number', ''],
  [`datetime = '2024-01-01'`, 'CQL2_INVALID', `write a value such as TIMESTAMP('2024-05-31T10:00:00Z')`, ''],
  [`note > DATE('2024-01-01')`, 'CQL2_INVALID', '"note" is not known to hold times', ''],
  [`geometry = 'x'`, 'CQL2_INVALID', 'ask for it with S_INTERSECTS', ''],
  [`id = geometry`, 'CQL2_INVALID', '"geometry" is a geometry', ''],
  [`gsd = id`, 'CQL2_INVALID', '"id" is of type string and is compared with a number', ''],
  [`S_INTERSECTS(id, POINT(1 2))`, 'CQL2_INVALID', '"id" is no geometry', ''],
  [`T_AFTER(gsd, datetime)`, 'CQL2_INVALID', '"gsd" is of type number', '/args/0'],
  [
    `gds > 5`,
    'CQL2_UNKNOWN_PROPERTY',
    '"gds" is not queryable. Did you mean gsd? There are: id, gsd, datetime, geometry, note.',
    '',
  ],
  [`TRUE OR "__proto__" = 1`, 'CQL2_UNKNOWN_PROPERTY', '"__proto__" is not queryable.', '/args/1'],
  [`constructor IS NULL`, 'CQL2_UNKNOWN_PROPERTY', '"constructor" is not queryable.', ''],
  [`properties.id = 'x'`, 'CQL2_UNKNOWN_PROPERTY', '"properties.id" is not queryable.', ''],
])('%s is refused: %s, %s', (text, code, message, path) => {
  const call = (): unknown => compile(parseCql2Text(text))
  expect(call).toThrow(expect.objectContaining({ code, status: 400, issues: [expect.objectContaining({ path })] }))
  expect(call).toThrow(message)
})

test('no name or literal of a filter is in its SQL: filters of one shape have one text, whatever they hold', () => {
  const everything = new Map<string, Queryable>()
  everything.get = () => ({ type: 'any', sql: 'col' })
  const sqlOf = (expression: Expression): string => {
    const options = {
      queryables: everything,
      bind: () => '$',
      intersects: () => 'meets',
    }
    return toSql(expression, options).sql
  }
  const plain = (key: string, value: unknown): unknown =>
    (key === 'value' || key === 'pattern' || key === 'name') && typeof value === 'string'
      ? 'x'
      : typeof value === 'number'
        ? 0
        : value
  const isScalar = (e: Expression): boolean => !/"(date|timestamp|temporal|spatial)"/.test(JSON.stringify(e))
  fc.assert(
    fc.property(expressions(ANYTHING).filter(isScalar), (tree) => {
      expect(sqlOf(tree)).toBe(sqlOf(JSON.parse(JSON.stringify(tree, plain)) as Expression))
    }),
    { numRuns: 500 },
  )
})

test('__proto__ is a name like any other', () => {
  const filter = parseCql2Json(JSON.parse('{"op":"=","args":[{"property":"__proto__"},1]}'))
  expect(printCql2Text(filter)).toBe('__proto__ = 1')
  expect(evaluate(filter, { properties: {} })).toBeNull()
  expect(evaluate(filter, { properties: JSON.parse('{"__proto__":1}') as Record<string, unknown> })).toBe(true)
})

test('%a%a%a… over a long text of a takes linear steps for each letter, not 2^n', () => {
  const filter = parseCql2Text(`note LIKE '${'%a'.repeat(3000)}b'`)
  expect(evaluate(filter, { properties: { note: 'a'.repeat(5000) } })).toBe(false)
})
