// Splits a prefix into ranges of names that are listed side by side: by folders, two levels deep at most.
import type { BlobStore } from '../models/blob-store.ts'
import type { NameRange } from '../models/inventory.ts'
import { geodatabaseOf } from './aggregate-folders.ts'

/** Fewer than this many ranges: one level deeper. */
const FEW = 8
export const MAX_RANGES = 256
const PAGE = 5000
/** Pages of one level that planning looks at; what comes after them is one range to the end. */
const MAX_PAGES = 20
/** A level that begins with so many pages without a folder counts as flat: paging on would list it twice. */
const FLAT_PAGES = 2

export interface RangeQuery {
  readonly container: string
  readonly prefix: string
  /** Geodatabase folders stay whole. */
  readonly wholeGdb: boolean
  readonly signal: AbortSignal
}

/** Ranges that cover the prefix without gap or overlap, at most 256, in the order of their names where they have one. */
export async function planRanges(blobs: BlobStore, query: RangeQuery): Promise<NameRange[]> {
  const first = await splitLevel(blobs, query, query.prefix)
  if (first.length >= FEW) return first
  const deeper: NameRange[] = []
  for (const [i, range] of first.entries()) {
    const folder = !range.one_level && range.from === undefined && range.until === undefined && range.prefix !== query.prefix
    const split = folder ? await splitLevel(blobs, query, range.prefix) : [range]
    const room = MAX_RANGES - deeper.length - (first.length - i - 1)
    deeper.push(...(split.length <= room ? split : [range]))
  }
  return deeper
}

async function splitLevel(blobs: BlobStore, query: RangeQuery, prefix: string): Promise<NameRange[]> {
  if (query.wholeGdb && geodatabaseOf(`${prefix}x`) !== undefined) return [{ prefix, one_level: false }]
  const level = await readLevel(blobs, query, prefix)
  if (level.folders.length === 0) return [{ prefix, one_level: false }]
  if (level.complete && !level.thinned) {
    const folders = level.folders.map((folder) => ({ prefix: folder, one_level: false }))
    return level.blobs ? [{ prefix, one_level: true }, ...folders] : folders
  }
  // Too many folders for a range each: stretches of names from folder to folder, blobs between them included.
  const starts = [undefined, ...level.folders]
  return starts.map((from, i) => {
    const until = starts[i + 1]
    return { prefix, one_level: false, ...(from === undefined ? {} : { from }), ...(until === undefined ? {} : { until }) }
  })
}

interface Level {
  readonly folders: readonly string[]
  readonly thinned: boolean
  readonly blobs: boolean
  readonly complete: boolean
}

/** Folders of one level in bounded memory: of too many, every second, fourth, … is kept. */
async function readLevel(blobs: BlobStore, { container, signal }: RangeQuery, prefix: string): Promise<Level> {
  let folders: string[] = []
  let seen = 0
  let stride = 1
  let found = false
  let next: string | undefined
  for (let pages = 1; ; pages++) {
    signal.throwIfAborted()
    const page = await blobs.listFolders(container, { prefix, pageSize: PAGE, next })
    found ||= page.blobs.length > 0 || page.skipped.length > 0
    for (const folder of page.folders) {
      if (seen++ % stride === 0) folders.push(folder)
      if (folders.length < MAX_RANGES) continue
      folders = folders.filter((_, i) => i % 2 === 0)
      stride *= 2
    }
    next = page.next
    const complete = next === undefined
    if (complete || pages === MAX_PAGES || (seen === 0 && pages === FLAT_PAGES))
      return { folders, thinned: stride > 1, blobs: found, complete }
  }
}
