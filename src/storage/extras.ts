// Facts beyond a blob's own properties: index tags, and what its first bytes say. They are extras: where a role or an account does not
// give them, the record comes without them and says why.
import { AppError } from '../rules/errors.ts'
import type { BlobStore } from '../models/blob-store.ts'
import type { BlobMetadata, BlobRef, MissingFact } from '../models/blob.ts'

/** How often a blob that changes under our hands is looked at anew within one task. */
const LOOKS = 3

export interface Extras {
  readonly properties: BlobMetadata
  readonly tags: Readonly<Record<string, string>> | undefined
  /** The first bytes; undefined where they could not be read. */
  readonly head: Uint8Array | undefined
  readonly missing: readonly MissingFact[]
}

/**
 * Properties, tags and first bytes of one version of a blob.
 * @throws AppError `BLOB_NOT_FOUND`, `BLOB_CHANGED` when it changed at every look, and what may help when it is tried again
 */
export async function readExtras(blobs: BlobStore, ref: BlobRef, headBytes: number): Promise<Extras> {
  for (let look = 1; ; look++) {
    try {
      return await lookAt(blobs, ref, headBytes)
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'BLOB_CHANGED' || look === LOOKS) throw error
    }
  }
}

async function lookAt(blobs: BlobStore, ref: BlobRef, headBytes: number): Promise<Extras> {
  const properties = await blobs.properties(ref)
  const pinned = { ...ref, ...(properties.etag ? { etag: properties.etag } : {}) }
  const missing: MissingFact[] = [...(properties.missing ?? [])]
  const extra = async <T>(what: string, ask: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof AppError) || error.retryable || NO_EXTRA.has(error.code)) throw error
      missing.push({ what, code: error.code })
      return undefined
    }
  }
  const tags = await extra('tags', () => blobs.tags(ref))
  const length = Math.min(headBytes, properties.size)
  const archived = properties.access_tier?.toLowerCase() === 'archive'
  if (archived) missing.push({ what: 'detected_format', code: 'BLOB_ARCHIVED' })
  const head =
    archived || length === 0 ? new Uint8Array() : await extra('detected_format', async () => blobs.readRange(pinned, 0, length))
  return { properties, tags, head: archived ? undefined : head, missing }
}

/** What concerns the blob itself, not an extra of it. */
const NO_EXTRA: ReadonlySet<string> = new Set(['BLOB_NOT_FOUND', 'CONTAINER_NOT_FOUND', 'BLOB_CHANGED'])
