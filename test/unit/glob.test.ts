// Globs against a naive matcher, and hostile ones against a count of steps.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileGlob } from '../../src/inventory/glob.ts'

/** Braces are expanded and stars tried at every length: slow, and so plain that it is the rule. */
function expand(pattern: string): string[] {
  const open = pattern.indexOf('{')
  if (open < 0) return [pattern]
  let depth = 0
  let from = open + 1
  const options: string[] = []
  for (let i = open; i < pattern.length; i++) {
    if (pattern[i] === '{') depth++
    if (pattern[i] === '}') depth--
    if ((pattern[i] === ',' && depth === 1) || depth === 0) {
      options.push(pattern.slice(from, i))
      from = i + 1
    }
    if (depth === 0) return options.flatMap((o) => expand(pattern.slice(0, open) + o + pattern.slice(i + 1)))
  }
  throw new Error('not closed')
}
function naive(pattern: string, name: string, before = '/'): boolean {
  if (pattern === '') return name === ''
  if (pattern.startsWith('**')) {
    const rest = pattern.replace(/^\*+/, '')
    if (rest.startsWith('/') && before === '/' && naive(rest.slice(1), name, before)) return true
    return Array.from({ length: name.length + 1 }, (_, i) => i).some((i) =>
      naive(rest, name.slice(i), i === 0 ? before : name[i - 1]),
    )
  }
  if (pattern.startsWith('*')) {
    const most = name.includes('/') ? name.indexOf('/') : name.length
    return Array.from({ length: most + 1 }, (_, i) => i).some((i) =>
      naive(pattern.slice(1), name.slice(i), i === 0 ? before : name[i - 1]),
    )
  }
  const c = name[0]
  if (c === undefined) return false
  if (pattern.startsWith('?')) return c !== '/' && naive(pattern.slice(1), name.slice(1), c)
  return pattern[0] === c && naive(pattern.slice(1), name.slice(1), c)
}

const { pattern: pieces } = fc.letrec<{ pattern: string; piece: string }>((tie) => ({
  pattern: fc.array(tie('piece'), { maxLength: 4 }).map((p) => p.join('')),
  piece: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('a', 'b', '/', '*', '**', '**/', '?', 'a/', '/**/'),
    fc.array(tie('pattern'), { minLength: 1, maxLength: 3 }).map((o) => `{${o.join(',')}}`),
  ),
}))
const names = fc.array(fc.constantFrom('a', 'b', '/'), { maxLength: 6 }).map((c) => c.join(''))

describe('globs', () => {
  test('agree with a naive matcher', () => {
    fc.assert(
      fc.property(pieces, names, (pattern, name) => {
        // A star at the edge of an alternative: the expansion would make one token of it and what follows, the automaton keeps two.
        fc.pre(!/\*[{},]/.test(pattern))
        expect(compileGlob(pattern)(name), `${pattern} on ${name}`).toBe(expand(pattern).some((p) => naive(p, name)))
      }),
      { numRuns: 5000 },
    )
  })

  test.each([
    ['{,}'.repeat(6) + '**'.repeat(118) + 'b'],
    ['{,a}'.repeat(64)],
    ['*a'.repeat(128)],
    ['**/*'.repeat(64)],
    ['{*,**,a*,?*}'.repeat(20)],
    ['[a-z]*'.repeat(42)],
    ['{a,b}'.repeat(50)],
  ])(
    '%s: the work of 25,000 names is bounded by name × pattern',
    (pattern) => {
      // The time-out of the test is the bound: a pattern that multiplies needs minutes (20.8 s for 1,500 names before).
      const matches = compileGlob(pattern)
      let found = 0
      for (let i = 0; i < 25_000; i++) if (matches(`folder_${i % 97}/aaaaaaaaaaaaaaaaaaaaaaaa_${i}.tif`)) found++
      expect(found).toBeLessThanOrEqual(25_000)
    },
    5000,
  )

  test('letters of two units are one character', () => {
    expect(compileGlob('?')('😀')).toBe(true)
    expect(compileGlob('😀*')('😀x')).toBe(true)
    expect(compileGlob('[😀]')('😀')).toBe(true)
  })
})
