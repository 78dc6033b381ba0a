import fc from 'fast-check'
import { expect, test } from 'vitest'
import { didYouMean, nearestOf } from '../../src/rules/nearest.ts'

const JOBS = ['hello_world', 'list_container', 'summarize_container', 'inventory_container', 'compare_inventories']

test.each([
  ['hello_wrold', 'hello_world'],
  ['list_containers', 'list_container'],
  ['listcontainer', 'list_container'],
  ['SUMMARIZE_CONTAINER', 'summarize_container'],
  ['xyz', undefined],
  ['', undefined],
])('%s: %s', (word, wanted) => expect(nearestOf(word, JOBS)).toBe(wanted))

test('one wrong letter anywhere in a known word finds that word; a known word finds itself', () => {
  fc.assert(
    fc.property(fc.constantFrom(...JOBS), fc.nat(), fc.constantFrom('a', 'z', '_', ''), (name, at, letter) => {
      const i = at % name.length
      expect(nearestOf(name.slice(0, i) + letter + name.slice(i + 1), JOBS)).toBe(name)
      expect(nearestOf(name, JOBS)).toBe(name)
    }),
  )
})

test('a very long word costs a bounded time and is near to nothing', () => expect(didYouMean('x'.repeat(1e6), JOBS)).toBe(''))
