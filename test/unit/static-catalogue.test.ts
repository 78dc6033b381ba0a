import fc from 'fast-check'
import { expect, test } from 'vitest'
import { storedHref } from '../../src/stac/foreign-href.ts'
import { fileStemOf, relativeHref } from '../../src/stac/static-catalogue.ts'

test.each([
  ['stac/c/i/i.json', 'dem/a b.tif', '../../../dem/a%20b.tif'],
  ['stac/c/i/i.json', 'stac/c/i/x.tif', './x.tif'],
  ['stac/c/i/i.json', 'stac/c/i', '../i'],
  ['i.json', 'a:b.tif', './a%3Ab.tif'],
  ['i.json', 'a/b.tif', './a/b.tif'],
])('from %s to %s', (from, to, href) => expect(relativeHref(from, to)).toBe(href))

test('what is written relative is read as the same blob, whatever the names', () => {
  const segment = fc
    .string({ minLength: 1, maxLength: 8, unit: 'grapheme' })
    .filter((s) => !/[/\\\p{Cc}]|^\.\.?$/u.test(s) && s.isWellFormed())
  const path = fc.array(fc.oneof(segment, fc.constantFrom('a', 'b')), { minLength: 1, maxLength: 5 }).map((p) => p.join('/'))
  fc.assert(
    fc.property(path, path, (from, to) => {
      fc.pre(!/sig|code|@|=|%/i.test(to))
      expect(storedHref(relativeHref(from, to), { container: 'c', name: from })).toEqual({ href: `blob:c/${to}` })
    }),
    { numRuns: 500 },
  )
})

test('ids that are plain names stay, others get a part of their hash and stay apart', () => {
  for (const id of ['a', 'Scene-1_2.x', 'a~']) expect(fileStemOf(id)).toBe(id)
  const odd = ['..', '.', 'a.', 'a/b', 'a-b?', 'é', '', 'x'.repeat(256), '-a', 'a\\b']
  const stems = odd.map(fileStemOf)
  expect(new Set(stems).size).toBe(odd.length)
  for (const stem of stems) expect(stem).toMatch(/^[A-Za-z0-9_-]{0,80}-[0-9a-f]{32}$/)
})
