// A look at a container within one request: where it ends, and that the next one goes on there. Pages are data, the clock is counted.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { BlobMetadata } from '../../src/models/blob.ts'
import type { BlobPage } from '../../src/models/blob-store.ts'
import { Pace } from '../../src/inventory/pace.ts'
import { scanAll, ScanBudget, scanFlat, scanLevel } from '../../src/inventory/scan.ts'

const blob = (name: string): BlobMetadata => ({
  name,
  size: 1,
  last_modified: '2026-01-01T00:00:00Z',
  content_type: '',
  metadata: {},
  size_category: 'tiny',
  extension: 'tif',
  folder_path: '',
  is_aggregate: false,
})
const nameOf = (i: number): string => String(i).padStart(6, '0')

/** A container of n names as a listing answers: in pages, from a name on. */
function container(n: number, pageSize: number) {
  const names = Array.from({ length: n }, (_, i) => nameOf(i))
  return {
    async *list(_: string, { startFrom = '' }: { startFrom?: string } = {}): AsyncGenerator<BlobPage> {
      const from = names.filter((name) => name >= startFrom)
      for (let i = 0; i < from.length; i += pageSize) yield { blobs: from.slice(i, i + pageSize).map(blob), skipped: [] }
    },
    listFolders(_: string, { pageSize: wanted, next }: { pageSize: number; next?: string | undefined }) {
      const from = Number(next ?? 0)
      const blobs = names.slice(from, from + wanted).map(blob)
      return Promise.resolve({ blobs, folders: [], skipped: [], next: from + wanted < n ? String(from + wanted) : undefined })
    },
  }
}

/** A budget whose clock moves when a name is matched, by `ms`. */
function slow(ms: number) {
  let at = 0
  return {
    budget: () => new ScanBudget(new Pace(() => at)),
    costly: (matches: (blob: BlobMetadata) => boolean) => (b: BlobMetadata) => {
      at += ms
      return matches(b)
    },
  }
}

test('whatever a name costs and however a listing is cut into pages, the requests together answer with each match once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 300 }),
      fc.integer({ min: 1, max: 120 }),
      fc.integer({ min: 1, max: 50 }),
      fc.constantFrom(0, 10, 300, 5000),
      fc.boolean(),
      async (n, pageSize, limit, ms, oneLevel) => {
        const blobs = container(n, pageSize)
        const { budget, costly } = slow(ms)
        const matches = costly((b) => Number(b.name) % 3 === 0)
        const found: string[] = []
        let from: string | undefined
        do {
          const scan = { container: 'bronze', prefix: '', matches, budget: budget(), limit }
          const page = oneLevel
            ? await scanLevel(blobs, { ...scan, token: from })
            : await scanFlat(blobs, { ...scan, after: from })
          expect(page.blobs.length).toBeLessThanOrEqual(limit)
          expect(page.position === undefined || page.position !== from).toBe(true)
          if (page.truncated) expect(page.position).toBeDefined()
          found.push(...page.blobs.map((b) => b.name))
          from = page.position
        } while (from !== undefined)
        expect(found).toEqual(Array.from({ length: Math.ceil(n / 3) }, (_, i) => nameOf(i * 3)))
      },
    ),
    { numRuns: 300 },
  )
})

test('a look that takes 100 ms a name ends after two seconds and says so', async () => {
  const { budget, costly } = slow(100)
  const page = await scanFlat(container(1000, 100), {
    container: 'bronze',
    prefix: '',
    matches: costly(() => false),
    budget: budget(),
    limit: 10,
    after: undefined,
  })
  expect(page).toMatchObject({ blobs: [], truncated: 'time', position: nameOf(19) })
})

test('the first 25,000 names are looked at, exactly; a container of so many is whole', async () => {
  for (const [n, truncated] of [
    [25_000, false],
    [25_001, 'names'],
  ] as const) {
    let seen = 0
    const scan = { container: 'bronze', prefix: '', matches: () => true }
    const end = await scanAll(container(n, 5000), scan, () => void seen++)
    expect([seen, end.truncated]).toEqual([25_000, truncated])
  }
})

test('others run between two slices of a long look', async () => {
  const { budget, costly } = slow(30)
  let turns = 0
  let over = false
  const other = (): void => {
    turns++
    if (!over) setImmediate(other)
  }
  setImmediate(other)
  await scanAll(
    container(50, 50),
    { container: 'bronze', prefix: '', matches: costly(() => true), budget: budget() },
    () => undefined,
  )
  over = true
  expect(turns).toBeGreaterThan(5)
})
