// Where bytes of a raster come from: ranges of one version of a blob.
import type { BlobRef } from '../models/blob.ts'
import type { BlobStore } from '../models/blob-store.ts'
import { AppError } from '../rules/errors.ts'

/** One version of a file that is read in ranges. */
export interface RangeSource {
  /** For messages. */
  readonly name: string
  /** Bytes of the whole. */
  readonly size: number
  readonly etag: string
  /** Exactly `length` bytes from `offset`; the caller stays within `size`. */
  read(offset: number, length: number): Promise<Uint8Array>
}

/**
 * A blob of known size and ETag; every read is pinned to that version.
 * @throws AppError (each read) `SOURCE_CHANGED`, `BLOB_NOT_FOUND`, `TIFF_TRUNCATED`
 */
export function blobSource(
  blobs: Pick<BlobStore, 'readRange'>,
  ref: BlobRef & { readonly size: number; readonly etag: string },
): RangeSource {
  const name = `${ref.container}/${ref.blob}`
  return {
    name,
    size: ref.size,
    etag: ref.etag,
    async read(offset, length) {
      if (length === 0) return new Uint8Array()
      const bytes = await blobs.readRange(ref, offset, length).catch((error: unknown) => {
        throw isChanged(error)
          ? new AppError('SOURCE_CHANGED', `${name} was replaced while it was read; it was ${ref.etag}.`, { cause: error })
          : error
      })
      if (bytes.length === length) return bytes
      throw new AppError('TIFF_TRUNCATED', `${name} gave ${bytes.length} of ${length} bytes at ${offset}.`)
    },
  }
}

const isChanged = (error: unknown): boolean => error instanceof AppError && error.code === 'BLOB_CHANGED'

/** The newest version of a blob. @throws AppError `BLOB_NOT_FOUND`, `BLOB_ARCHIVED` */
export async function openBlobSource(
  blobs: Pick<BlobStore, 'readRange' | 'properties'>,
  { container, blob }: BlobRef,
): Promise<RangeSource> {
  const { size, etag = '', access_tier } = await blobs.properties({ container, blob })
  if (access_tier?.toLowerCase() === 'archive')
    throw new AppError('BLOB_ARCHIVED', `${container}/${blob} is in the archive tier: bring it back before it is read.`)
  return blobSource(blobs, { container, blob, size, etag })
}

/** Counts what goes through it. */
export function countedSource(source: RangeSource): RangeSource & { readonly reads: number; readonly bytesRead: number } {
  let reads = 0
  let bytesRead = 0
  return {
    name: source.name,
    size: source.size,
    etag: source.etag,
    async read(offset, length) {
      reads++
      bytesRead += length
      return source.read(offset, length)
    },
    get reads() {
      return reads
    },
    get bytesRead() {
      return bytesRead
    },
  }
}
