// A container's matching files as one stream: filter first, limit after; geodatabases folded; memory is one page.
import type { BlobStore } from '../models/blob-store.ts'
import type { BlobMetadata, SkippedNames } from '../models/blob.ts'
import type { FileFilter } from '../models/file-filter.ts'
import { FolderAggregator } from './aggregate-folders.ts'
import { blobMatcher } from './file-filter.ts'

export interface ListRequest {
  readonly container: string
  readonly prefix: string
  readonly filter?: string | undefined
  readonly fileFilter?: FileFilter | undefined
  readonly aggregateGdb: boolean
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
    const { container, prefix, filter, fileFilter, aggregateGdb, signal, onPage } = this.#request
    const matches = blobMatcher(filter, fileFilter)
    const aggregator = new FolderAggregator()
    let passed = 0
    for await (const page of this.#blobs.list(container, { prefix, signal })) {
      this.skipped.count += page.skipped.count
      this.skipped.sample.push(...page.skipped.sample.slice(0, 20 - this.skipped.sample.length))
      for (const blob of page.blobs) {
        for (const item of aggregateGdb ? aggregator.add(blob) : [blob]) if (matches(item)) yield item
      }
      passed += page.blobs.length
      onPage?.(passed)
    }
    for (const item of aggregator.flush()) if (matches(item)) yield item
  }
}
