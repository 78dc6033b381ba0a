// Is this blob a raster, and which one? For inventories: a broken file is a fact about it, not a failure.
import type { BlobStore } from '../models/blob-store.ts'
import type { BlobRef } from '../models/blob.ts'
import type { DetectedFormat } from '../models/raster.ts'
import { AppError } from '../rules/errors.ts'
import { describeRaster } from './describe.ts'
import { blobSource } from './range-source.ts'

/** What the file itself is to blame for. */
const OF_THE_FILE = new Set(['TIFF_CORRUPT', 'TIFF_TRUNCATED', 'TIFF_HEADER_LIMIT'])

/** Null: no TIFF. @throws AppError what storage answers */
export async function detectRaster(
  blobs: Pick<BlobStore, 'readRange'>,
  blob: BlobRef & { readonly size: number; readonly etag: string },
): Promise<DetectedFormat | null> {
  try {
    return await describeRaster(blobSource(blobs, blob))
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    if (error.code === 'NOT_TIFF') return null
    if (!OF_THE_FILE.has(error.code)) throw error
    return { format: 'TIFF', is_cog: false, problem: { code: error.code, message: error.message } }
  }
}
