// A blob in pieces, all of one version.
import type { BlockBlobClient } from '@azure/storage-blob'
import type { BlobChunk } from '../models/blob-store.ts'
import type { BlobRef } from '../models/blob.ts'
import { toStorageError } from './blob-errors.ts'
import { bytesOf, readStream } from './read-stream.ts'

const CHUNK_BYTES = 4 * 1024 * 1024

/** @throws AppError `BLOB_CHANGED` when the blob is replaced between two pieces: no mixed bytes ever */
export async function* readChunks(
  open: () => Promise<BlockBlobClient>,
  ref: BlobRef,
  { chunkBytes = CHUNK_BYTES, signal }: { chunkBytes?: number; signal?: AbortSignal },
): AsyncGenerator<BlobChunk> {
  const abort = signal ? { abortSignal: signal } : {}
  try {
    const client = await open()
    const first = await client.getProperties({ ...abort, ...(ref.etag ? { conditions: { ifMatch: ref.etag } } : {}) })
    const { etag = '', contentLength: size = 0 } = first
    for (let offset = 0; offset < size; offset += chunkBytes) {
      const length = Math.min(chunkBytes, size - offset)
      const { body } = await readStream(client, { ...ref, etag }, { offset, length, ...(signal ? { signal } : {}) })
      yield { offset, bytes: await bytesOf(body) }
    }
  } catch (error) {
    throw toStorageError(error, `${ref.container}/${ref.blob}`)
  }
}
