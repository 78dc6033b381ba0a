// Statistics of blobs in bounded memory: of one range while it is listed, and of all ranges put together.
import type { BlobMetadata, Distribution, SkippedNames } from '../models/blob.ts'
import type { BlobStatistics, PrefixSize } from '../models/inventory.ts'
import { mergeDistributions, Tally } from './distributions.ts'

const PREFIXES = 100
/** Extensions that a range reports: its result stays below 8 KB. */
const RANGE_EXTENSIONS = 120
const NAMED = 20

/** Takes blobs in listing order. */
export class RangeStatistics {
  readonly #prefix: string
  readonly #tally = new Tally()
  #oldest: { name: string; last_modified: string } | null = null
  #newest: { name: string; last_modified: string } | null = null
  /** Folders are contiguous in a listing: one is open, the largest of the finished ones are kept. */
  #folder: PrefixSize | undefined
  #folders: PrefixSize[] = []

  /** @param prefix of the whole inventory, below which folders are told apart */
  constructor(prefix: string) {
    this.#prefix = prefix
  }

  add(blob: BlobMetadata): void {
    const { name, last_modified, size } = blob
    this.#tally.add(blob)
    const time = Date.parse(last_modified)
    if (!this.#oldest || time < Date.parse(this.#oldest.last_modified)) this.#oldest = { name, last_modified }
    if (!this.#newest || time > Date.parse(this.#newest.last_modified)) this.#newest = { name, last_modified }
    const slash = name.indexOf('/', this.#prefix.length)
    const folder = slash < 0 ? '' : name.slice(0, slash + 1)
    if (folder !== this.#folder?.prefix) this.#finishFolder()
    this.#folder ??= { prefix: folder, count: 0, size: 0 }
    this.#folder = { prefix: folder, count: this.#folder.count + 1, size: this.#folder.size + size }
  }

  result(skipped_names: SkippedNames): BlobStatistics {
    this.#finishFolder()
    const distributions = this.#tally.result()
    return {
      blob_count: this.#tally.count,
      total_size: this.#tally.size,
      largest: this.#tally.largest ?? null,
      oldest: this.#oldest,
      newest: this.#newest,
      ...distributions,
      type_distribution: mergeDistributions([distributions.type_distribution], RANGE_EXTENSIONS),
      by_prefix: mergePrefixes(this.#folders),
      skipped_names,
    }
  }

  #finishFolder(): void {
    if (!this.#folder) return
    this.#folders.push(this.#folder)
    this.#folder = undefined
    // Cut now and then, not at every folder of a million.
    if (this.#folders.length >= 10 * PREFIXES) this.#folders = mergePrefixes(this.#folders)
  }
}

/** All ranges as one. */
export function mergeStatistics(ranges: readonly BlobStatistics[]): BlobStatistics {
  const sum = (of: (r: BlobStatistics) => number): number => ranges.reduce((total, r) => total + of(r), 0)
  const best = <T>(of: (r: BlobStatistics) => T | null, better: (a: T, b: T) => boolean): T | null =>
    ranges.reduce<T | null>((found, r) => {
      const next = of(r)
      return next !== null && (found === null || better(next, found)) ? next : found
    }, null)
  const time = (x: { last_modified: string }): number => Date.parse(x.last_modified)
  const distribution = (key: 'size_distribution' | 'type_distribution' | 'category_distribution'): Distribution =>
    mergeDistributions(ranges.map((r) => r[key]))
  return {
    blob_count: sum((r) => r.blob_count),
    total_size: sum((r) => r.total_size),
    largest: best(
      (r) => r.largest,
      (a, b) => a.size > b.size,
    ),
    oldest: best(
      (r) => r.oldest,
      (a, b) => time(a) < time(b),
    ),
    newest: best(
      (r) => r.newest,
      (a, b) => time(a) > time(b),
    ),
    size_distribution: distribution('size_distribution'),
    type_distribution: distribution('type_distribution'),
    category_distribution: distribution('category_distribution'),
    by_prefix: mergePrefixes(ranges.flatMap((r) => r.by_prefix)),
    skipped_names: {
      count: sum((r) => r.skipped_names.count),
      sample: ranges.flatMap((r) => r.skipped_names.sample).slice(0, NAMED),
    },
  }
}

/** Equal prefixes summed, most bytes first, 100 at most. */
function mergePrefixes(prefixes: readonly PrefixSize[]): PrefixSize[] {
  const sums = new Map<string, PrefixSize>()
  for (const { prefix, count, size } of prefixes) {
    const before = sums.get(prefix)
    sums.set(prefix, { prefix, count: count + (before?.count ?? 0), size: size + (before?.size ?? 0) })
  }
  return [...sums.values()].sort((a, b) => b.size - a.size || (a.prefix < b.prefix ? -1 : 1)).slice(0, PREFIXES)
}
