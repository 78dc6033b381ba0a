import { describe, expect, test } from 'vitest'
import { compareVersions, isVersionTaken } from '../../src/durable/versions.ts'

describe('which of two versions is older', () => {
  test.each([
    ['1.0', '1.1', -1],
    ['1.9', '1.10', -1],
    ['2.0', '1.10', 1],
    ['1.0', '1.0.0', -1],
    ['1.0', '1.0', 0],
    ['a', 'B', -1],
    ['Beta', 'beta', 0],
    ['10', '9', -1],
    [null, '1.0', -1],
    ['', null, 0],
    ['1.0', null, 1],
  ])('%s and %s: %i', (a, b, order) => {
    expect(compareVersions(a, b)).toBe(order)
    expect(compareVersions(b, a)).toBe(0 - order)
  })
})

test.each([
  ['CurrentOrOlder', '1.0', true],
  ['CurrentOrOlder', '1.1', true],
  ['CurrentOrOlder', '1.2', false],
  ['CurrentOrOlder', null, true],
  ['Strict', '1.1', true],
  ['Strict', '1.0', false],
  ['Strict', null, false],
  ['None', '9.9', true],
] as const)('a host of 1.1 with %s and an instance of %s: %s', (match, version, taken) => {
  expect(isVersionTaken({ own: '1.1', match, failure: 'Reject' }, version)).toBe(taken)
  expect(isVersionTaken({ own: null, match, failure: 'Reject' }, version)).toBe(true)
})
