// CQL2 text: the forms of OGC 21-065r2, their tree, and the column of what cannot be read.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hasSpatial } from '../../src/stac/cql2/ast.ts'
import { printCql2Text } from '../../src/stac/cql2/print.ts'
import { parseCql2Text } from '../../src/stac/cql2/text.ts'
import { ANYTHING, expressions } from '../support/cql2-expressions.ts'

const property = (name: string): object => ({ kind: 'property', name })
const number = (value: number): object => ({ kind: 'number', value })
const string = (value: string): object => ({ kind: 'string', value })
const compare = (name: string, op: string, right: object): object => ({ kind: 'compare', op, left: property(name), right })

test.each([
  ['gsd > 5', compare('gsd', '>', number(5))],
  ['5 < gsd', compare('gsd', '>', number(5))],
  ['gsd>=-.5e1', compare('gsd', '>=', number(-5))],
  ['gsd <> +1.', compare('gsd', '<>', number(1))],
  ['gsd = -0', compare('gsd', '=', number(0))],
  [`"a ""b""" = 'it''s'`, compare('a "b"', '=', string("it's"))],
  [`proj:code = 'EPSG:32632'`, compare('proj:code', '=', string('EPSG:32632'))],
  [`properties.gsd = 1`, compare('properties.gsd', '=', number(1))],
  [`flag = true`, compare('flag', '=', { kind: 'boolean', value: true })],
  [`updated >= DATE('2024-02-29')`, compare('updated', '>=', { kind: 'date', value: '2024-02-29' })],
  [`a = ''`, compare('a', '=', string(''))],
  [`a = b`, compare('a', '=', property('b'))],
  [`date = 1`, compare('date', '=', number(1))],
  [`név = 1`, compare('név', '=', number(1))],
  ['TRUE', { kind: 'boolean', value: true }],
  [`a is not null`, { kind: 'not', arg: { kind: 'isNull', arg: property('a') } }],
  [`a in (1, 2)`, { kind: 'in', value: property('a'), list: [number(1), number(2)] }],
  [`a NOT LIKE 'x\\%%'`, { kind: 'not', arg: { kind: 'like', value: property('a'), pattern: 'x\\%%' } }],
  [
    `a BETWEEN 1 AND 2 AND b IS NULL`,
    {
      kind: 'and',
      args: [
        { kind: 'between', value: property('a'), low: number(1), high: number(2) },
        { kind: 'isNull', arg: property('b') },
      ],
    },
  ],
])('%s', (text, tree) => expect(parseCql2Text(text)).toEqual(tree))

// Filters in the manner of the standard's own for basic-cql2, cql2-text, spatial and temporal functions.
test.each([
  `floors>5`,
  `taxes<=500`,
  `owner LIKE '%Jones%'`,
  `owner LIKE 'Mike%'`,
  `owner NOT LIKE '%Mike%'`,
  `swimming_pool=true`,
  `(swimming_pool=true) AND (floors>5 OR material LIKE 'brick%' OR material LIKE '%brick')`,
  `(floors>5 AND material='brick') OR swimming_pool=true`,
  `NOT (floors<5) OR swimming_pool=true`,
  `(owner LIKE 'mike%' OR owner LIKE 'Mike%') AND floors<4`,
  `built BETWEEN 1970 AND 1980 OR name IN ('a','b')`,
  `geophys:SURFACE_TEMP IS NOT NULL`,
  `S_INTERSECTS(geometry,POLYGON((-77.0824 38.7886,-77.0189 38.7886,-77.0189 38.8351,-77.0824 38.8351,-77.0824 38.7886)))`,
  `S_INTERSECTS(BBOX(170, -10, -170, 10), geometry)`,
  `S_INTERSECTS(geometry, GEOMETRYCOLLECTION(POINT(1 2), LINESTRING(1 2, 3 4 5), MULTIPOINT((1 2), (3 4))))`,
  `S_INTERSECTS(geometry, MULTIPOINT(1 2, 3 4)) AND S_INTERSECTS(geometry, POINT Z (1 2 3))`,
  `S_INTERSECTS(geometry, MULTIPOLYGON(((0 0, 1 0, 1 1, 0 0)), ((5 5, 6 5, 6 6, 5 5))))`,
  `T_INTERSECTS(datetime, INTERVAL('1969-07-16', '1969-07-24T16:50:35Z'))`,
  `T_AFTER(datetime, TIMESTAMP('2010-02-10T05:29:20.073225Z'))`,
  `T_BEFORE(updated, DATE('2012-08-10'))`,
  `T_DURING(INTERVAL(start_datetime, end_datetime), INTERVAL('..', '2017-06-10T11:30:00Z'))`,
  `T_EQUALS(updated, TIMESTAMP('2012-08-10T05:30:00Z'))`,
])('%s is read, and its print is read as the same', (text) => {
  const tree = parseCql2Text(text)
  expect(parseCql2Text(printCql2Text(tree))).toEqual(tree)
})

test.each([
  ['', 1, 'expected a property or a literal and found the end of the filter'],
  ['a', 2, 'expected =, <>'],
  ['a =', 4, 'expected a property or a literal and found the end'],
  ['a = 1 b', 7, 'expected AND, OR or the end of the filter and found "b"'],
  ['a = 1)', 6, 'expected AND, OR or the end'],
  ['(a = 1', 7, 'expected ) and found the end'],
  ['a != 1', 3, 'not equal is written <>'],
  ["a = 'x", 5, 'never closed'],
  ['"a = 1', 1, 'never closed'],
  ['"" = 1', 1, 'a property name is empty'],
  ['a = NULL', 5, 'ask for null with IS NULL'],
  ['a = 1e999', 5, 'too large for a double'],
  ['a-b = 1', 2, 'arithmetic is not supported'],
  ['a IN ()', 7, 'expected a property or a literal and found ")"'],
  [`a IN (1, 'x')`, 1, 'of several types'],
  [`a IN (DATE('2024-01-01'))`, 1, 'takes no dates'],
  [`a BETWEEN 1 AND 'x'`, 1, 'two numbers, two texts or two instants'],
  [`a LIKE 5`, 1, 'needs a pattern'],
  [`a LIKE 'x\\'`, 1, 'ends with its escape'],
  [`height > (1)`, 10, 'expected a property or a literal and found "("'],
  [`1 = 1`, 1, 'names no property'],
  [`CASEI(a) = 'x'`, 1, 'no function that is supported'],
  [`S_WITHIN(geometry, POINT(1 2))`, 1, '"S_WITHIN" is no function that is supported; there are S_INTERSECTS'],
  [`T_MEETS(a, b)`, 1, 'there are S_INTERSECTS, T_AFTER'],
  [`A_CONTAINS(a, b)`, 1, 'no function'],
  [`a = DATE('2023-02-29')`, 10, '"2023-02-29" is not a date'],
  [`a = TIMESTAMP('2023-02-01T00:00:00')`, 15, 'is not a time with offset'],
  [`T_AFTER(a, INTERVAL('2024-01-02', '2024-01-01'))`, 12, 'ends before it starts'],
  [`T_AFTER(DATE('2024-01-02'), DATE('2024-01-01'))`, 1, 'names no property'],
  [`S_INTERSECTS(geometry, POINT(181 0))`, 30, 'longitude 181 lies beyond ±180'],
  [`S_INTERSECTS(geometry, POINT(0 91))`, 30, 'latitude 91'],
  [`S_INTERSECTS(geometry, POINT EMPTY)`, 30, 'an empty geometry'],
  [`S_INTERSECTS(geometry, POLYGON((0 0, 1 0, 1 1, 0 1)))`, 24, 'a ring is open'],
  [`S_INTERSECTS(geometry, POLYGON((0 0, 1 0, 0 0)))`, 24, 'a ring has 3 positions'],
  [`S_INTERSECTS(geometry, LINESTRING(0 0))`, 24, 'two positions or more'],
  [`S_INTERSECTS(geometry, BBOX(0, 10, 5, -10))`, 24, 'south above'],
  [`S_INTERSECTS(geometry, BBOX(0, 10, 5))`, 24, 'a box has 3 numbers'],
  [`S_INTERSECTS(geometry, footprint)`, 1, 'needs one property and one geometry'],
])('%s: column %i, %s', (text, column, message) => {
  const error = catchError(() => parseCql2Text(text))
  expect(error).toMatchObject({ code: 'CQL2_INVALID', status: 400, issues: [{ path: `column ${column}` }] })
  expect(error.message).toContain(message)
  expect(error.message).toContain(`column ${column}`)
})

function catchError(call: () => unknown): Error {
  try {
    call()
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}

test('the print of any filter is read as the same filter', () => {
  fc.assert(
    fc.property(expressions(ANYTHING), (tree) => {
      expect(parseCql2Text(printCql2Text(tree))).toEqual(tree)
    }),
    { numRuns: 1000 },
  )
})

test('a spatial predicate is found wherever it stands', () => {
  expect(hasSpatial(parseCql2Text('a = 1 OR NOT (b = 2 AND S_INTERSECTS(geometry, POINT(1 2)))'))).toBe(true)
  expect(hasSpatial(parseCql2Text(`a = 1 OR NOT (b = 'S_INTERSECTS' AND T_AFTER(c, DATE('2024-01-01')))`))).toBe(false)
})
