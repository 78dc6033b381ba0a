// Times and intervals as the search and the validation take them.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseInterval, parseRfc3339 } from '../../src/rules/rfc3339.ts'

test.each([
  ['2024-01-01T00:00:00Z', '2024-01-01T00:00:00Z'],
  ['2024-01-01t00:00:00z', '2024-01-01T00:00:00Z'],
  ['2024-01-01T00:00:00-00:00', '2024-01-01T00:00:00Z'],
  ['2024-01-01T01:30:00+01:30', '2024-01-01T00:00:00Z'],
  ['2023-12-31T14:00:00-10:00', '2024-01-01T00:00:00Z'],
  ['2024-01-01T00:00:00.5Z', '2024-01-01T00:00:00.5Z'],
  ['2024-01-01T00:00:00.123456789Z', '2024-01-01T00:00:00.123456789Z'],
  ['2024-01-01T00:00:00.000Z', '2024-01-01T00:00:00Z'],
  ['2024-02-29T12:00:00Z', '2024-02-29T12:00:00Z'],
  ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00Z'],
  ['2016-12-31T18:59:60-05:00', '2017-01-01T00:00:00Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
  ['0099-06-01T00:00:00Z', '0099-06-01T00:00:00Z'],
])('%s is %s', (text, iso) => {
  expect(parseRfc3339(text)?.iso).toBe(iso)
})

test.each([
  '',
  '2024-01-01',
  '2024-01',
  '2024-01-01T00:00:00',
  '2024-01-01 00:00:00Z',
  '2024-01-01T00:00Z',
  '2024-01-01T00:00:00+0100',
  '2024-01-01T00:00:00+01',
  '2024-01-01T00:00:00,5Z',
  '2024-01-01T00:00:00.Z',
  '2024-01-01T00:00:00.1234567890Z',
  '2024-01-01T00:00:61Z',
  '2024-01-01T12:30:60Z',
  '2024-01-01T24:00:00Z',
  '2024-01-01T00:60:00Z',
  '2024-01-01T00:00:00+24:00',
  '2024-01-01T00:00:00+01:60',
  '2024-13-01T00:00:00Z',
  '2024-00-01T00:00:00Z',
  '2024-02-30T00:00:00Z',
  '2023-02-29T00:00:00Z',
  '1900-02-29T00:00:00Z',
  '2024-04-31T00:00:00Z',
  '2024-01-00T00:00:00Z',
  '0000-01-01T00:00:00Z',
  '0001-01-01T00:00:00+01:00',
  '9999-12-31T23:59:59-01:00',
  '12024-01-01T00:00:00Z',
  '-2024-01-01T00:00:00Z',
  ' 2024-01-01T00:00:00Z',
  '2024-01-01T00:00:00Z ',
  '2024-01-01T00:00:00Z\n',
  '２０２４-01-01T00:00:00Z',
])('%j is no time', (text) => {
  expect(parseRfc3339(text)).toBeUndefined()
})

test('any instant is read as Date reads it, and what was written is read again as the same', () => {
  const dates = fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
  fc.assert(
    fc.property(dates, (date) => {
      const read = parseRfc3339(date.toISOString())
      expect(read?.ms).toBe(date.getTime())
      expect(parseRfc3339(read?.iso ?? '')).toEqual(read)
    }),
  )
})

const A = '2024-01-01T00:00:00Z'
const B = '2024-06-01T00:00:00Z'
test.each([
  [A, A, A],
  [`${A}/${B}`, A, B],
  [`${A}/${A}`, A, A],
  [`../${B}`, undefined, B],
  [`${A}/..`, A, undefined],
  [`/${B}`, undefined, B],
  [`${A}/`, A, undefined],
  ['2024-01-01T00:00:00z/..', A, undefined],
  // An unescaped plus arrives as a space.
  ['2024-01-01T01:00:00 01:00', A, A],
  ['2024-01-01T01:00:00 01:00/2024-06-01T02:00:00 02:00', A, B],
])('the interval %s', (text, start, end) => {
  const found = parseInterval(text)
  expect(found && [found.start?.iso, found.end?.iso]).toEqual([start, end])
})

test.each([
  '',
  '..',
  '/',
  '../..',
  '../',
  '/..',
  `${B}/${A}`,
  `${A}/${B}/${B}`,
  `${A}/${B}/`,
  '2024-01-01/..',
  `${A}/x`,
  `x/${B}`,
  `${A},${B}`,
])('no interval: %j', (text) => {
  expect(parseInterval(text)).toBeUndefined()
})

test('ends that differ in the ninth digit are told apart as far as a double can', () => {
  expect(parseInterval('2024-01-01T00:00:00.002Z/2024-01-01T00:00:00.001Z')).toBeUndefined()
  expect(parseInterval('2024-01-01T00:00:00.0012Z/2024-01-01T00:00:00.0011Z')).toBeUndefined()
})
