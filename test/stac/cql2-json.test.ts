// CQL2 JSON: the same trees as text, and the pointer of what cannot be read.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseCql2Json } from '../../src/stac/cql2/json.ts'
import { toCql2Json } from '../../src/stac/cql2/print.ts'
import { parseCql2Text } from '../../src/stac/cql2/text.ts'
import { ANYTHING, expressions } from '../support/cql2-expressions.ts'

const a = { property: 'a' }
const g = { property: 'geometry' }

test.each<[unknown, string]>([
  [{ op: '>', args: [a, 5] }, 'a > 5'],
  [{ op: '>', args: [5, a] }, 'a < 5'],
  [{ op: '=', args: [a, "it's"] }, "a = 'it''s'"],
  [{ op: '=', args: [a, false] }, 'a = FALSE'],
  [true, 'TRUE'],
  [{ op: 'isNull', args: [a] }, 'a IS NULL'],
  [{ op: 'not', args: [{ op: 'like', args: [a, 'x%'] }] }, "a NOT LIKE 'x%'"],
  [{ op: 'in', args: [a, ['x', 'y']] }, "a IN ('x', 'y')"],
  [{ op: 'between', args: [a, 1, 2] }, 'a BETWEEN 1 AND 2'],
  [{ op: '<', args: [a, { date: '2024-01-01' }] }, "a < DATE('2024-01-01')"],
  [
    {
      op: 'and',
      args: [
        { op: '=', args: [a, 1] },
        { op: 'or', args: [true, false] },
      ],
    },
    'a = 1 AND (TRUE OR FALSE)',
  ],
  [{ op: 's_intersects', args: [g, { type: 'Point', coordinates: [1, 2] }] }, 'S_INTERSECTS(geometry, POINT(1 2))'],
  [{ op: 's_intersects', args: [{ bbox: [1, 2, 3, 4] }, g] }, 'S_INTERSECTS(geometry, BBOX(1, 2, 3, 4))'],
  [
    { op: 't_intersects', args: [a, { interval: ['2024-01-01T00:00:00Z', '..'] }] },
    "T_INTERSECTS(a, INTERVAL('2024-01-01T00:00:00Z', '..'))",
  ],
  [
    { op: 't_during', args: [{ interval: [a, { property: 'b' }] }, { interval: ['2024-01-01', '2024-01-31'] }] },
    "T_DURING(INTERVAL(a, b), INTERVAL('2024-01-01', '2024-01-31'))",
  ],
])('%j reads as %s', (json, text) => expect(parseCql2Json(json)).toEqual(parseCql2Text(text)))

const ring = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
]

test.each<[unknown, string, string]>([
  [null, '', 'expected an object with op and args'],
  ['a = 1', '', 'expected an object'],
  [[], '', 'expected an object'],
  [{}, '', 'member op is missing'],
  [{ op: '=' }, '', 'member args is missing'],
  [{ op: '=', args: [a, 1], x: 1 }, '', 'member "x" is not known here'],
  [{ op: 5, args: [] }, '', 'op must be the name'],
  [{ op: '=', args: {} }, '', 'args must be a list'],
  [{ op: '==', args: [a, 1] }, '/op', '"==" is no operator'],
  [{ op: 'constructor', args: [a, 1] }, '/op', 'no operator'],
  [{ op: 's_within', args: [g, { bbox: [0, 0, 1, 1] }] }, '/op', 's_intersects'],
  [{ op: 'and', args: [true] }, '/args', 'and takes 2 or more arguments, not 1'],
  [{ op: '=', args: [a] }, '/args', '= takes 2 arguments, not 1'],
  [{ op: 'and', args: [true, { op: '=', args: [a, null] }] }, '/args/1/args/1', 'null cannot be compared'],
  [{ op: '=', args: [{ op: 'casei', args: [a] }, 'x'] }, '/args/0', 'Functions, arithmetic, casei'],
  [{ op: '=', args: [{ property: 5 }, 'x'] }, '/args/0/property', 'a property name is a text'],
  [{ op: '=', args: [{ property: '' }, 'x'] }, '/args/0', 'a property name is empty'],
  [{ op: '=', args: [1, 1] }, '', 'names no property'],
  [{ op: '=', args: [a, Infinity] }, '/args/1', 'too large'],
  [{ op: '=', args: [a, { date: 'x' }] }, '/args/1', '"x" is not a date'],
  [{ op: '=', args: [a, { timestamp: 5 }] }, '/args/1/timestamp', 'must be a text'],
  [{ op: 'in', args: [a, 'x'] }, '/args/1', 'a list of values'],
  [{ op: 'in', args: [a, []] }, '', 'at least one value'],
  [{ op: 'in', args: [a, ['x', { op: 'f', args: [] }]] }, '/args/1/1', 'Functions'],
  [{ op: 't_after', args: [a, 'x'] }, '/args/1', 'expected {"property"'],
  [{ op: 't_after', args: [a, { interval: ['..'] }] }, '/args/1/interval', 'its start and its end'],
  [{ op: 't_after', args: [a, { interval: ['..', '2024-13-01'] }] }, '/args/1/interval/1', 'not a date'],
  [{ op: 's_intersects', args: [g, { type: 'Circle', coordinates: [] }] }, '/args/1', 'a geometry is of type Point'],
  [{ op: 's_intersects', args: [g, { type: 'Polygon', coordinates: [ring] }] }, '/args/1/coordinates/0', 'a ring is open'],
  [{ op: 's_intersects', args: [g, { type: 'Point', coordinates: [200, 0] }] }, '/args/1/coordinates', 'longitude 200'],
  [
    {
      op: 's_intersects',
      args: [
        g,
        {
          type: 'MultiPoint',
          coordinates: [
            [1, 2],
            [1, 'x'],
          ],
        },
      ],
    },
    '/args/1/coordinates/1',
    'no number',
  ],
  [{ op: 's_intersects', args: [g, { type: 'Polygon', coordinates: [] }] }, '/args/1/coordinates', 'an empty list'],
  [{ op: 's_intersects', args: [g, { bbox: [0, 0, 1] }] }, '/args/1', 'a box has 3 numbers'],
  [{ op: 's_intersects', args: [g, { bbox: 5 }] }, '/args/1/bbox', 'a list of numbers'],
])('%j at %s: %s', (json, pointer, message) => {
  const call = (): unknown => parseCql2Json(json)
  expect(call).toThrow(expect.objectContaining({ code: 'CQL2_INVALID', issues: [expect.objectContaining({ path: pointer })] }))
  expect(call).toThrow(message)
})

test('the JSON of any filter, sent and read, is the same filter', () => {
  fc.assert(
    fc.property(expressions(ANYTHING), (tree) => {
      expect(parseCql2Json(JSON.parse(JSON.stringify(toCql2Json(tree))))).toEqual(tree)
    }),
    { numRuns: 1000 },
  )
})
