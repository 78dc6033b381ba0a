// The judge in memory by itself: three-valued logic, times that last, LIKE, and instants to the microsecond.
import { expect, test } from 'vitest'
import { evaluate, type FilterItem } from '../../src/stac/cql2/evaluate.ts'
import { isoOf, microsOfDate, microsOfTimestamp } from '../../src/stac/cql2/instant.ts'
import { isLike } from '../../src/stac/cql2/like.ts'
import { parseCql2Text } from '../../src/stac/cql2/text.ts'

const ITEM: FilterItem = {
  id: 'a1',
  collection: 'bronze-a',
  geometry: { type: 'Point', coordinates: [7, 50] },
  properties: {
    datetime: null,
    start_datetime: '2024-01-01T12:00:00Z',
    end_datetime: '2024-01-03T00:00:00+02:00',
    created: '2024-02-01T00:00:00Z',
    gsd: 10,
    'proj:code': 'EPSG:32632',
    flag: true,
    list: [1],
    nothing: null,
  },
}

test.each<[string, boolean | null]>([
  [`gsd = 10`, true],
  [`properties.gsd < 10`, false],
  [`gsd = '10'`, null],
  [`gsd LIKE '1%'`, null],
  [`missing = 1`, null],
  [`NOT missing = 1`, null],
  [`missing = 1 AND FALSE`, false],
  [`missing = 1 AND TRUE`, null],
  [`missing = 1 OR TRUE`, true],
  [`missing = 1 OR FALSE`, null],
  [`missing IN (1, 2)`, null],
  [`gsd IN (1, 10)`, true],
  [`missing BETWEEN 1 AND 2`, null],
  [`nothing IS NULL`, true],
  [`list IS NULL`, false],
  [`list = 1`, null],
  [`flag = TRUE`, true],
  [`flag > FALSE`, true],
  [`proj:code LIKE 'EPSG:%'`, true],
  [`id = 'a1' AND collection = 'bronze-a'`, true],
  [`properties.id = 'a1'`, null],
  [`datetime = TIMESTAMP('2024-01-01T12:00:00Z')`, true],
  [`datetime > DATE('2024-01-01')`, false],
  [`datetime >= DATE('2024-01-01')`, true],
  [`datetime = DATE('2024-01-01')`, true],
  [`datetime <> DATE('2024-01-01')`, false],
  [`datetime < created`, true],
  [`created = '2024-02-01T00:00:00Z'`, true],
  [`gsd > DATE('2024-01-01')`, null],
  [`T_INTERSECTS(datetime, DATE('2024-01-02'))`, true],
  [`T_INTERSECTS(datetime, DATE('2024-01-03'))`, false],
  [`T_AFTER(datetime, DATE('2023-12-31'))`, true],
  [`T_BEFORE(datetime, INTERVAL('2024-01-02T22:00:00.000001Z', '..'))`, true],
  [`T_BEFORE(datetime, INTERVAL('2024-01-02T22:00:00Z', '..'))`, false],
  [`T_DURING(datetime, INTERVAL('2024-01-01', '2024-01-02'))`, true],
  [`T_DURING(datetime, INTERVAL('..', '2024-01-02T22:00:00Z'))`, false],
  [`T_EQUALS(datetime, INTERVAL(start_datetime, end_datetime))`, true],
  [`T_AFTER(missing, DATE('2024-01-02'))`, null],
  [`S_INTERSECTS(geometry, POINT(7 50))`, true],
  [`S_INTERSECTS(footprint, POINT(7 50))`, null],
])('%s is %s', (text, wanted) => {
  expect(evaluate(parseCql2Text(text), ITEM, { intersects: () => true })).toBe(wanted)
})

test('an item without geometry meets nothing, and does not meet the negation either', () => {
  const filter = parseCql2Text('NOT S_INTERSECTS(geometry, POINT(7 50))')
  expect(evaluate(filter, { geometry: null, properties: {} }, { intersects: () => false })).toBeNull()
})

test('a spatial filter is never judged without a test of shapes', () => {
  expect(() => evaluate(parseCql2Text('S_INTERSECTS(geometry, POINT(7 50))'), ITEM)).toThrow('pass intersects')
})

test.each([
  ['', '', true],
  ['', '%', true],
  ['', '_', false],
  ['ab', 'a', false],
  ['ab', 'a%', true],
  ['ab', 'A%', false],
  ['ab', '_b', true],
  ['ab', '%b%', true],
  ['a%b', 'a\\%b', true],
  ['axb', 'a\\%b', false],
  ['a\\b', 'a\\\\b', true],
  ['\u{1F600}', '_', true],
  ['a\nb', 'a%b', true],
  ['mississippi', '%iss%ip_i', true],
  ['.*', '.*', true],
  ['xx', '.*', false],
])('%j LIKE %j is %s', (text, pattern, wanted) => expect(isLike(text, pattern)).toBe(wanted))

test.each([
  ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000000Z'],
  ['1969-12-31t23:59:59.999999999z', '1969-12-31T23:59:59.999999Z'],
  ['2024-01-01T00:30:00+01:00', '2023-12-31T23:30:00.000000Z'],
  ['2024-01-01T00:30:00-00:30', '2024-01-01T01:00:00.000000Z'],
  ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000000Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000000Z'],
  ['9999-12-31T23:59:59.9999999Z', '9999-12-31T23:59:59.999999Z'],
])('%s is %s', (text, iso) => expect(isoOf(microsOfTimestamp(text) ?? 1n)).toBe(iso))

test.each([
  '2024-01-01T00:00:00',
  '2024-01-01T00:00:00+0100',
  '2024-01-01T24:00:00Z',
  '2024-01-01T00:60:00Z',
  '2024-01-01T00:00:61Z',
  '2024-01-01T00:00:00,5Z',
  '2024-01-01T00:00:00.Z',
  '2024-02-30T00:00:00Z',
  '2023-02-29T00:00:00Z',
  '0000-01-01T00:00:00Z',
  '0001-01-01T00:00:00+01:00',
  '9999-12-31T23:59:59-01:00',
  '2024-01-01 00:00:00Z',
  '2024-01-01',
  'now',
  '',
])('%j is no timestamp', (text) => expect(microsOfTimestamp(text)).toBeUndefined())

test.each(['2024-13-01', '2024-00-01', '2024-02-30', '0000-01-01', '24-01-01', '2024-1-1', 'today', ''])(
  '%j is no date',
  (text) => expect(microsOfDate(text)).toBeUndefined(),
)
