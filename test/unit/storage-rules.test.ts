import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BlobMetadata } from '../../src/models/blob.ts'
import { FileFilter } from '../../src/models/file-filter.ts'
import { FolderAggregator } from '../../src/inventory/aggregate-folders.ts'
import { describeBlob, extensionOf, folderOf, sizeCategory } from '../../src/storage/blob-metadata.ts'
import { Tally } from '../../src/inventory/distributions.ts'
import { blobMatcher } from '../../src/inventory/file-filter.ts'
import { compileGlob } from '../../src/inventory/glob.ts'
import { blobNameProblem, ContainerName, writableNameProblem } from '../../src/storage/names.ts'

const MIB = 1_048_576
const blob = (name: string, size = 1, more: Partial<Parameters<typeof describeBlob>[0]> = {}): BlobMetadata =>
  describeBlob({ name, size, lastModified: new Date('2026-01-01T00:00:00Z'), ...more })

describe('names', () => {
  const hostile = [
    '../x',
    'a/../b',
    '..',
    '.',
    './a',
    'a/.',
    'a/./b',
    'a\\b',
    '/a',
    '\u0000',
    'a\nb',
    '\u0085',
    '\u007f',
    '\ud800',
    'x'.repeat(1025),
    'a/'.repeat(254) + 'a',
    '',
    '..\\x',
    '/../x',
    'a/..',
  ]
  for (const name of hostile)
    test(`refused: ${JSON.stringify(name.slice(0, 20))}`, () => expect(blobNameProblem(name)).toBeTypeOf('string'))
  for (const name of ['a//b', 'x.', 'a./b', 'a/'])
    test(`refused for writing: ${name}`, () => expect(writableNameProblem(name)).toBeTypeOf('string'))
  for (const name of [
    'a b',
    '100%',
    'x%2Fy',
    'a?b#c',
    `q'u"<&>`,
    '🏮',
    'é',
    'e\u0301',
    'a+b&c;d:e',
    'x'.repeat(1024),
    '...',
    '..a',
    'a..',
  ]) {
    test(`kept: ${JSON.stringify(name.slice(0, 20))}`, () => expect(blobNameProblem(name)).toBeUndefined())
  }
  for (const name of [
    'ab',
    '-ab',
    'a--b',
    'x'.repeat(64),
    '$logs',
    '$web',
    '..',
    'https://evil',
    'a/b',
    '%2e%2e',
    'ab-',
    '',
    'a_b',
  ]) {
    test(`container refused: ${name.slice(0, 20)}`, () => expect(ContainerName.safeParse(name).success).toBe(false))
  }
  test('a container name is trimmed and lower-cased', () => expect(ContainerName.parse(' Bronze-1 ')).toBe('bronze-1'))
})

describe('what is derived from name and size', () => {
  for (const [bytes, category] of [
    [0, 'tiny'],
    [MIB - 1, 'tiny'],
    [MIB, 'small'],
    [10 * MIB, 'medium'],
    [100 * MIB, 'large'],
    [1024 * MIB, 'huge'],
  ] as const) {
    test(`${bytes} bytes are ${category}`, () => expect(sizeCategory(bytes)).toBe(category))
  }
  for (const [name, extension] of [
    ['a.TIF', 'tif'],
    ['a.b/c', 'no_extension'],
    ['.gitignore', 'no_extension'],
    ['x.', 'no_extension'],
    ['d/e.tar.gz', 'gz'],
    ['a.b c', 'no_extension'],
    [`a.${'x'.repeat(17)}`, 'no_extension'],
  ] as const) {
    test(`${name} → ${extension}`, () => expect(extensionOf(name)).toBe(extension))
  }
  test('folder', () => expect([folderOf('a/b/c.tif'), folderOf('c.tif')]).toEqual(['a/b', '']))
  test('1,000 extensions are kept, the rest is summed up, nothing is lost', () => {
    const tally = new Tally()
    for (let i = 0; i < 2000; i++) tally.add(blob(`f.e${i}`, 2))
    tally.add(blob('f.e0', 2))
    const { type_distribution: types } = tally.result()
    expect(Object.keys(types)).toHaveLength(1001)
    expect(types['other_extensions']).toEqual({ count: 1000, size: 2000 })
    expect(types['e0']).toEqual({ count: 2, size: 4 })
  })
})

describe('globs', () => {
  for (const [pattern, name, hit] of [
    ['*.tif', 'a.tif', true],
    ['*.tif', 'd/a.tif', false],
    ['**/*.tif', 'd/e/a.tif', true],
    ['**/*.tif', 'a.tif', true],
    ['d/**', 'd/e/f', true],
    ['a?c', 'abc', true],
    ['a?c', 'a/c', false],
    ['[a-c]x', 'bx', true],
    ['[!a-c]x', 'bx', false],
    ['*.{tif,tiff}', 'a.tiff', true],
    ['{a,b{c,d}}.x', 'bd.x', true],
    ['a.b', 'aXb', false],
    ['*', '', true],
  ] as const) {
    test(`${pattern} ${hit ? 'takes' : 'leaves'} ${name}`, () => expect(compileGlob(pattern)(name)).toBe(hit))
  }
  test('a literal pattern takes itself alone', () => {
    const literal = fc.string({
      unit: fc.constantFrom('a', 'b', '/', '.', '-', '(', ')', '+', '$', '^', '|'),
      minLength: 1,
      maxLength: 12,
    })
    fc.assert(
      fc.property(literal, literal, (pattern, name) => {
        expect(compileGlob(pattern)(name)).toBe(pattern === name)
        expect(compileGlob(pattern)(pattern)).toBe(true)
      }),
    )
  })
  test('50 nested stars over 10,000 characters take time in proportion, not for ever', () => {
    // A backtracking matcher would need longer than the age of the universe; this one only has to end.
    expect(compileGlob(`${'*a'.repeat(50)}b`)('a'.repeat(10_000))).toBe(false)
  })
  test('what is not closed or nested too deep is refused', () => {
    for (const bad of ['{a,b', '[abc', '{'.repeat(17) + '}'.repeat(17)]) expect(() => compileGlob(bad)).toThrow()
  })
})

describe('FileFilter: every field has an effect, alone and together', () => {
  const file = blob('Data/scene.TIF', 100, { metadata: { Sensor: 'L8' } })
  for (const [hit, miss] of [
    [{ prefix: 'Data/' }, { prefix: 'data/' }],
    [{ extension: '.tif' }, { extension: 'tiff' }],
    [{ pattern: '**/*.TIF' }, { pattern: '*.TIF' }],
    [{ min_size: 100 }, { min_size: 101 }],
    [{ max_size: 100 }, { max_size: 99 }],
    [{ modified_after: '2025-12-31T23:59:59Z' }, { modified_after: '2026-01-01T00:00:00Z' }],
    [{ modified_before: '2026-01-01T01:00:00+00:30' }, { modified_before: '2026-01-01T00:00:00Z' }],
    [{ metadata_match: { sensor: 'L8' } }, { metadata_match: { sensor: 'L9' } }],
  ] as const) {
    test(Object.keys(hit)[0] ?? '', () => {
      expect(blobMatcher(undefined, FileFilter.parse(hit))(file)).toBe(true)
      expect(blobMatcher(undefined, FileFilter.parse(miss))(file)).toBe(false)
    })
  }
  test('filter is a case-insensitive part of the whole name', () => {
    expect([blobMatcher('a/SC', undefined)(file), blobMatcher('b/sc', undefined)(file)]).toEqual([true, false])
  })
  test('0 is a size, and contradictions are refused', () => {
    expect(blobMatcher(undefined, { min_size: 0, max_size: 0 })(blob('x', 0))).toBe(true)
    expect(FileFilter.safeParse({ min_size: 2, max_size: 1 }).success).toBe(false)
    expect(
      FileFilter.safeParse({ modified_after: '2026-01-02T00:00:00Z', modified_before: '2026-01-01T00:00:00Z' }).success,
    ).toBe(false)
    expect(FileFilter.safeParse({ modified_after: '2026-01-02T00:00:00' }).success).toBe(false)
    expect(FileFilter.safeParse({ unknown: 1 }).success).toBe(false)
  })
})

test('a geodatabase is counted once: nested, one inside another, any case; a plain file x.gdb stays a file', () => {
  const names = ['a.tif', 'db.GDB/a', 'db.GDB/b/c', 'out/in.gdb/x', 'out/in.gdb/y.gdb/z', 'plain.gdb', 'z.tif']
  const aggregator = new FolderAggregator()
  const items = [...names.flatMap((n) => aggregator.add(blob(n, 5))), ...aggregator.flush()]
  expect(items.map((i) => [i.name, i.size, i.is_aggregate, i.file_count])).toEqual([
    ['a.tif', 5, false, undefined],
    ['db.GDB', 10, true, 2],
    ['out/in.gdb', 10, true, 2],
    ['plain.gdb', 5, false, undefined],
    ['z.tif', 5, false, undefined],
  ])
})
