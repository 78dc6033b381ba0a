// Counts and bytes by key, in bounded memory.
import type { BlobMetadata, Distribution } from '../models/blob.ts'

/** Kinds of files by extension; one table in one place. */
const CATEGORIES: Readonly<Record<string, readonly string[]>> = {
  raster: ['tif', 'tiff', 'jp2', 'img', 'vrt', 'nc', 'grib', 'hdf', 'asc', 'dem', 'bil', 'ecw', 'sid', 'zarr'],
  vector: ['gpkg', 'shp', 'geojson', 'json', 'kml', 'kmz', 'gml', 'gdb', 'fgb', 'parquet', 'csv'],
  sidecar: ['shx', 'dbf', 'prj', 'cpg', 'tfw', 'ovr', 'xml', 'qml'],
  archive: ['zip', 'tar', 'gz', 'tgz', '7z'],
}
const CATEGORY_OF = new Map(Object.entries(CATEGORIES).flatMap(([category, list]) => list.map((e) => [e, category])))

export const categoryOf = (extension: string): string => CATEGORY_OF.get(extension) ?? 'other'

const MAX_KEYS = 1000
const REST = 'other_extensions'

/** What a listing is reduced to, page by page. */
export class Tally {
  count = 0
  size = 0
  largest: { name: string; size: number } | undefined
  readonly #sizes: Distribution = {}
  readonly #types: Distribution = Object.create(null) as Distribution
  readonly #categories: Distribution = {}
  #listed = 0

  add(blob: BlobMetadata): void {
    this.count++
    this.size += blob.size
    if (!this.largest || blob.size > this.largest.size) this.largest = { name: blob.name, size: blob.size }
    bump(this.#sizes, blob.size_category, blob.size)
    bump(this.#categories, categoryOf(blob.extension), blob.size)
    // A container with a thousand extensions is a container of noise: what comes after the first 1,000 is summed up.
    const listed = Object.hasOwn(this.#types, blob.extension) || this.#listed < MAX_KEYS
    if (listed && !Object.hasOwn(this.#types, blob.extension)) this.#listed++
    bump(this.#types, listed ? blob.extension : REST, blob.size)
  }

  result(): { size_distribution: Distribution; type_distribution: Distribution; category_distribution: Distribution } {
    return { size_distribution: this.#sizes, type_distribution: this.#types, category_distribution: this.#categories }
  }
}

function bump(distribution: Distribution, key: string, size: number): void {
  const entry = (distribution[key] ??= { count: 0, size: 0 })
  entry.count++
  entry.size += size
}

/** Sums by key. More than `maxKeys`: the rarest go into `other_extensions`. */
export function mergeDistributions(parts: readonly Distribution[], maxKeys = MAX_KEYS): Distribution {
  const sums = new Map<string, { count: number; size: number }>()
  const add = (key: string, { count, size }: { count: number; size: number }): void => {
    const sum = sums.get(key) ?? { count: 0, size: 0 }
    sums.set(key, { count: sum.count + count, size: sum.size + size })
  }
  for (const part of parts) for (const [key, entry] of Object.entries(part)) add(key, entry)
  const rare = [...sums].filter(([key]) => key !== REST).sort(([, a], [, b]) => b.count - a.count)
  for (const [key, entry] of rare.slice(maxKeys)) {
    sums.delete(key)
    add(REST, entry)
  }
  return Object.fromEntries(sums)
}
