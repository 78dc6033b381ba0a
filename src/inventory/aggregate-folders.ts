// A folder whose name ends in .gdb is one file geodatabase: its blobs become one entry.
import type { BlobMetadata } from '../models/blob.ts'
import { sizeCategory } from '../storage/blob-metadata.ts'

/** The path of the outermost `.gdb` segment that has something below it, or undefined. */
export function geodatabaseOf(name: string): string | undefined {
  let end = name.indexOf('/')
  while (end >= 0) {
    if (/\.gdb$/i.test(name.slice(0, end))) return name.slice(0, end)
    end = name.indexOf('/', end + 1)
  }
  return undefined
}

/** Folds blobs in listing order. Names under one prefix are contiguous there, so one accumulator is enough. */
export class FolderAggregator {
  #open: BlobMetadata | undefined

  /** What is complete after this blob: itself, a finished geodatabase, both, or nothing yet. */
  add(blob: BlobMetadata): BlobMetadata[] {
    const folder = geodatabaseOf(blob.name)
    if (folder !== undefined && folder === this.#open?.name) {
      this.#open = merge(this.#open, blob)
      return []
    }
    const finished = this.flush()
    if (folder === undefined) return [...finished, blob]
    this.#open = asFolder(folder, blob)
    return finished
  }

  /** The last geodatabase, at the end of the listing. */
  flush(): BlobMetadata[] {
    const open = this.#open
    this.#open = undefined
    return open ? [open] : []
  }
}

function asFolder(name: string, blob: BlobMetadata): BlobMetadata {
  return {
    name,
    size: blob.size,
    last_modified: blob.last_modified,
    metadata: {},
    size_category: sizeCategory(blob.size),
    extension: 'gdb',
    folder_path: name.slice(0, Math.max(0, name.lastIndexOf('/'))),
    is_aggregate: true,
    file_count: 1,
  }
}

function merge(folder: BlobMetadata, blob: BlobMetadata): BlobMetadata {
  const size = folder.size + blob.size
  return {
    ...folder,
    size,
    size_category: sizeCategory(size),
    file_count: (folder.file_count ?? 0) + 1,
    last_modified: Date.parse(blob.last_modified) > Date.parse(folder.last_modified) ? blob.last_modified : folder.last_modified,
  }
}
