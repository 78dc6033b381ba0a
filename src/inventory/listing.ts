// A container's matching files as one stream: filter first, limit after; geodatabases folded; memory is one page.
import type { BlobPage, BlobStore } from '../models/blob-store.ts'
import type { BlobMetadata, SkippedNames } from '../models/blob.ts'
import type { FileFilter } from '../models/file-filter.ts'
import type { NameRange } from '../models/inventory.ts'
import { FolderAggregator } from './aggregate-folders.ts'
import { blobMatcher } from './file-filter.ts'
import { addSkipped } from '../storage/list-blobs.ts'
import { Pace } from './pace.ts'

export interface ListRequest {
  readonly container: string
  readonly prefix: string
  readonly filter?: string | undefined
  readonly fileFilter?: FileFilter | undefined
  readonly aggregateGdb: boolean
  /** Only these names; default: all below the prefix. */
  readonly range?: NameRange | undefined
  readonly signal: AbortSignal
  /** Called after each page with the names passed so far. */
  readonly onPage?: (passed: number) => void
}

export class Listing {
  readonly #blobs: BlobStore
  readonly #request: ListRequest
  /** Names that break the rules, met on the way. */
  readonly skipped: SkippedNames = { count: 0, sample: [] }

  constructor(blobs: BlobStore, request: ListRequest) {
    this.#blobs = blobs
    this.#request = request
  }

  async *files(): AsyncGenerator<BlobMetadata> {
    const { filter, fileFilter, aggregateGdb, onPage } = this.#request
    const matches = blobMatcher(filter, fileFilter)
    const aggregator = new FolderAggregator()
    const pace = new Pace()
    let passed = 0
    for await (const page of rangePages(this.#blobs, this.#request)) {
      addSkipped(this.skipped, page.skipped)
      pace.goOn()
      for (const blob of page.blobs) {
        if (pace.isDue) await pace.giveWay()
        for (const item of aggregateGdb ? aggregator.add(blob) : [blob]) if (matches(item)) yield item
      }
      passed += page.blobs.length
      onPage?.(passed)
    }
    for (const item of aggregator.flush()) if (matches(item)) yield item
  }
}

const PAGE = 5000

/** The pages of a range, each cut to it. */
async function* rangePages(blobs: BlobStore, { container, prefix, signal, range }: ListRequest): AsyncGenerator<BlobPage> {
  if (range?.one_level) {
    yield* levelPages(blobs, container, range.prefix, signal)
    return
  }
  const { from, until } = range ?? {}
  const all = blobs.list(container, { prefix: range?.prefix ?? prefix, ...(from ? { startFrom: from } : {}), signal })
  for await (const page of all) {
    const end = until === undefined ? -1 : page.blobs.findIndex(({ name }) => isBehind(name, until))
    if (until === undefined || end < 0) yield page
    else {
      yield { blobs: page.blobs.slice(0, end), skipped: page.skipped.filter((name) => !isBehind(name, until)) }
      return
    }
  }
}

async function* levelPages(blobs: BlobStore, container: string, prefix: string, signal: AbortSignal): AsyncGenerator<BlobPage> {
  let next: string | undefined
  do {
    signal.throwIfAborted()
    const page = await blobs.listFolders(container, { prefix, pageSize: PAGE, next })
    yield page
    next = page.next
  } while (next !== undefined)
}

/**
 * True from the first name of the folder `until` on. Should the folder be gone, any name behind it ends the range;
 * characters beyond U+FFFF sort differently by UTF-8 and by UTF-16, so a name must be behind in both orders.
 */
function isBehind(name: string, until: string): boolean {
  if (name.startsWith(until)) return true
  return name > until && Buffer.compare(Buffer.from(name), Buffer.from(until)) > 0
}
