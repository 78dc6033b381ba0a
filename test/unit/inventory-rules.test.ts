import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BlobMetadata } from '../../src/models/blob.ts'
import type { NameRange } from '../../src/models/inventory.ts'
import { changesBetween } from '../../src/inventory/compare-inventories.ts'
import { findDuplicates } from '../../src/inventory/duplicates.ts'
import { Fingerprints } from '../../src/inventory/fingerprints.ts'
import { Growth } from '../../src/inventory/growth.ts'
import { Listing } from '../../src/inventory/listing.ts'
import { MAX_RANGES, planRanges } from '../../src/inventory/plan-ranges.ts'
import { mergeStatistics, RangeStatistics } from '../../src/inventory/statistics.ts'
import { blobNamed, listedStore } from '../support/listed.ts'

const signal = new AbortController().signal
const segment = fc.constantFrom('a', 'b', 'c.gdb', 'd', 'é', '😀', '\uffee', 'a b', '%2F', 'z'.repeat(40))
const blobName = fc.array(segment, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'))

async function collect<T>(source: AsyncIterable<T> | Iterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of source) all.push(item)
  return all
}

async function listRanges(names: readonly string[], pageSize: number, prefix = '', wholeGdb = false) {
  const store = listedStore(names, pageSize)
  const ranges = await planRanges(store, { container: 'c', prefix, wholeGdb, signal })
  const listed: string[][] = []
  for (const range of ranges) {
    const listing = new Listing(store, { container: 'c', prefix, aggregateGdb: wholeGdb, signal, range })
    listed.push((await collect(listing.files())).map((b) => b.name))
  }
  return { ranges, listed }
}

describe('ranges of a plan', () => {
  test('cover any container without gap or overlap, whatever the page size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(blobName, { maxLength: 60 }),
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom('', 'a/', 'b/c', 'd'),
        async (names, pageSize, prefix) => {
          const { listed } = await listRanges(names, pageSize, prefix)
          expect(listed.flat().sort()).toEqual([...new Set(names)].filter((n) => n.startsWith(prefix)).sort())
        },
      ),
      { numRuns: 300 },
    )
  })

  test('keep a geodatabase whole: one entry, as in one listing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(blobName, { maxLength: 60 }),
        fc.constantFrom('', 'c.gdb/', 'a/c.gdb/b'),
        async (names, prefix) => {
          const { listed } = await listRanges(names, 5, prefix, true)
          const whole = new Listing(listedStore(names, 5), { container: 'c', prefix, aggregateGdb: true, signal })
          expect(listed.flat().sort()).toEqual((await collect(whole.files())).map((b) => b.name).sort())
        },
      ),
      { numRuns: 200 },
    )
  })

  test.each([
    [300, 1],
    [5000, 2],
    [40_000, 1],
  ])('%i folders give at most 256 ranges, and stretches keep folders together', async (folders, each) => {
    const names = Array.from({ length: folders }, (_, i) =>
      Array.from({ length: each }, (_x, j) => `f${String(i).padStart(6, '0')}/${j}`),
    ).flat()
    const store = listedStore(names, 5000)
    const ranges = await planRanges(store, { container: 'c', prefix: '', wholeGdb: true, signal })
    expect(ranges.length).toBeGreaterThanOrEqual(100)
    expect(ranges.length).toBeLessThanOrEqual(MAX_RANGES)
    expect(ranges.every((r: NameRange) => (r.from ?? '/').endsWith('/') && (r.until ?? '/').endsWith('/'))).toBe(true)
  })

  test('a flat container is one range, and planning does not read it to its end', async () => {
    const { ranges } = await listRanges(
      Array.from({ length: 100 }, (_, i) => `f${i}`),
      7,
    )
    expect(ranges).toEqual([{ prefix: '', one_level: false }])
  })

  test('few folders are split one level deeper', async () => {
    const names = ['x', ...['a', 'b'].flatMap((d) => Array.from({ length: 5 }, (_, i) => `${d}/${i}/f`))]
    const { ranges } = await listRanges(names, 100)
    expect(ranges.map((r) => `${r.prefix}${r.one_level ? ' one level' : ''}`)).toEqual([
      ' one level',
      ...['a', 'b'].flatMap((d) => Array.from({ length: 5 }, (_, i) => `${d}/${i}/`)),
    ])
  })

  test('a folder that vanished since the plan does not make its range run into the next one', async () => {
    const store = listedStore(['a/1', 'd/1', 'e/1'], 100)
    const range = { prefix: '', from: 'a/', until: 'c/', one_level: false }
    const listing = new Listing(store, { container: 'c', prefix: '', aggregateGdb: true, signal, range })
    expect((await collect(listing.files())).map((b) => b.name)).toEqual(['a/1'])
  })
})

describe('statistics', () => {
  const blob = fc
    .record({ name: blobName, size: fc.integer({ min: 0, max: 5e9 }) })
    .map(({ name, size }) => blobNamed(`${name}.t${size % 7}`, size))

  test('of ranges put together are those of all blobs, however they are cut', async () => {
    fc.assert(
      fc.property(fc.array(blob, { maxLength: 60 }), fc.integer({ min: 1, max: 10 }), (blobs, cut) => {
        const none = { count: 0, sample: [] }
        const of = (some: readonly BlobMetadata[]) => {
          const s = new RangeStatistics('')
          for (const b of some) s.add(b)
          return s.result(none)
        }
        const sorted = blobs.toSorted((a, b) => (a.name < b.name ? -1 : 1))
        const parts = Array.from({ length: Math.ceil(sorted.length / cut) }, (_, i) => of(sorted.slice(i * cut, (i + 1) * cut)))
        const { oldest, newest, largest, ...rest } = mergeStatistics(parts)
        const { oldest: o, newest: n, largest: l, ...whole } = of(sorted)
        expect(rest).toEqual(whole)
        expect([oldest?.last_modified, newest?.last_modified, largest?.size]).toEqual([
          o?.last_modified,
          n?.last_modified,
          l?.size,
        ])
      }),
    )
  })

  test('30,000 folders and 2,000 extensions stay small: the 100 largest folders are the right ones', () => {
    const s = new RangeStatistics('')
    for (let i = 0; i < 30_000; i++) s.add(blobNamed(`f${String(i).padStart(6, '0')}/x.e${i % 2000}`, i))
    const result = s.result({ count: 0, sample: [] })
    expect(result.by_prefix.map((p) => p.size)).toEqual(Array.from({ length: 100 }, (_, i) => 29_999 - i))
    expect(Object.values(result.type_distribution).reduce((sum, e) => sum + e.count, 0)).toBe(30_000)
    expect(Buffer.byteLength(JSON.stringify({ ...result, by_prefix: [] }))).toBeLessThan(8192)
  })
})

describe('duplicates', () => {
  test('equal an independent grouping', async () => {
    const blob = fc.record({
      md5: fc.option(fc.constantFrom('aa', 'bb', 'cc', 'dd'), { nil: undefined }),
      size: fc.constantFrom(0, 1, 5),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(blob, { maxLength: 50 }), async (blobs) => {
        const all = blobs.map(({ md5, size }, i) => ({ ...blobNamed(`b${i}`, size), ...(md5 ? { content_md5: md5 } : {}) }))
        const pass = async function* () {
          yield* all
        }
        const groups = Map.groupBy(
          all.filter((b) => b.content_md5 && b.size > 0),
          (b) => `${b.content_md5}/${b.size}`,
        )
        const expected = [...groups.values()].filter((g) => g.length > 1)
        const found = await findDuplicates(pass)
        expect(found.groups).toBe(expected.length)
        expect(found.wasted_bytes).toBe(expected.reduce((sum, g) => sum + (g[0]?.size ?? 0) * (g.length - 1), 0))
        expect(found.without_md5).toBe(all.filter((b) => !b.content_md5).length)
        expect(found.largest.map((g) => g.names.join()).sort()).toEqual(
          expected
            .map((g) =>
              g
                .slice(0, 10)
                .map((b) => b.name)
                .join(),
            )
            .sort(),
        )
        for (const g of found.largest) expect(groups.get(`${g.content_md5}/${g.size}`)).toHaveLength(g.count)
      }),
    )
  })

  test('fingerprints sort by mark and keep the order of equal ones', () => {
    const prints = new Fingerprints()
    for (const [i, mark] of [5n, 2n ** 63n, 5n, 0n].entries()) prints.add(mark, i)
    expect([...prints.sorted()]).toEqual([3, 0, 2, 1])
    // Few digits, so that they are equal in each place; more than the arrays begin with.
    const marks = fc.array(
      fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.constantFrom(0n, 1n << 16n, 1n << 32n, 3n << 48n, 5n)),
      {
        maxLength: 1500,
        size: 'max',
      },
    )
    fc.assert(
      fc.property(marks, (given) => {
        const some = new Fingerprints()
        for (const mark of given) some.add(mark, 1)
        const wanted = given.map((_, i) => i).toSorted((a, b) => (given[a]! < given[b]! ? -1 : given[a]! > given[b]! ? 1 : a - b))
        expect([...some.sorted()]).toEqual(wanted)
      }),
    )
  })
})

describe('changes between two inventories', () => {
  test('equal a comparison by name, in any order of either', async () => {
    const inventory = fc.uniqueArray(
      fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'), size: fc.integer({ min: 0, max: 3 }) }),
      { selector: (b) => b.name },
    )
    await fc.assert(
      fc.asyncProperty(inventory, inventory, async (first, second) => {
        const counts = { unchanged: 0, bytes_added: 0, bytes_removed: 0 }
        const source = (some: typeof first) =>
          async function* () {
            for (const { name, size } of some) yield blobNamed(name, size)
          }
        const changes = await collect(changesBetween(source(first), source(second), counts))
        const before = new Map(first.map((b) => [b.name, b.size]))
        const after = new Map(second.map((b) => [b.name, b.size]))
        const expected = [
          ...second.flatMap((b) =>
            !before.has(b.name) ? [`added ${b.name}`] : before.get(b.name) === b.size ? [] : [`changed ${b.name}`],
          ),
          ...first.flatMap((b) => (after.has(b.name) ? [] : [`removed ${b.name}`])),
        ]
        expect(changes.map((c) => `${c.change} ${c.name}`)).toEqual(expected)
        expect(counts.unchanged + changes.filter((c) => c.change !== 'removed').length).toBe(second.length)
        const total = (m: Map<string, number>): number => [...m.values()].reduce((a, b) => a + b, 0)
        expect(total(before) + counts.bytes_added - counts.bytes_removed).toBe(total(after))
      }),
    )
  })
})

describe('growth', () => {
  const change = (kind: 'added' | 'changed' | 'removed', name: string, size: number, size_before?: number) => ({
    change: kind,
    name,
    size,
    last_modified: '',
    ...(size_before === undefined ? {} : { size_before }),
  })
  const none = { count: 0, bytes: 0 }

  test('by extension and by the folder right below the prefix; what changed counts by how much it grew', () => {
    const growth = new Growth('p/')
    for (const c of [
      change('added', 'p/a/x/1.tif', 100),
      change('added', 'p/2.TIF', 20),
      change('changed', 'p/a/3.csv', 5, 12),
      change('removed', 'p/b/4', 9),
    ])
      growth.add(c)
    expect(growth.result()).toEqual({
      by_extension: [
        { name: 'tif', added: { count: 2, bytes: 120 }, changed: none, removed: none },
        { name: 'no_extension', added: none, changed: none, removed: { count: 1, bytes: 9 } },
        { name: 'csv', added: none, changed: { count: 1, bytes: -7 }, removed: none },
      ],
      by_prefix: [
        { name: 'p/a/', added: { count: 1, bytes: 100 }, changed: { count: 1, bytes: -7 }, removed: none },
        { name: '', added: { count: 1, bytes: 20 }, changed: none, removed: none },
        { name: 'p/b/', added: none, changed: none, removed: { count: 1, bytes: 9 } },
      ],
    })
  })

  test('20,000 folders are 50 rows and one of the others: nothing is lost', () => {
    const growth = new Growth('')
    for (let i = 0; i < 20_000; i++) growth.add(change('added', `d${i}/f`, 3))
    const { by_prefix } = growth.result()
    expect([by_prefix.length, by_prefix.at(-1)?.name]).toEqual([51, null])
    expect(by_prefix.reduce((sum, row) => sum + row.added.count, 0)).toBe(20_000)
    expect(by_prefix.reduce((sum, row) => sum + row.added.bytes, 0)).toBe(60_000)
  })
})
