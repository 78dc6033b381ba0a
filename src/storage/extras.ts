// Facts beyond a blob's own properties: index tags, and what its bytes say. They are extras: where a role or an account does not
// give them, the record comes without them and says why.
import { AppError } from '../rules/errors.ts'
import type { BlobStore } from '../models/blob-store.ts'
import type { BlobMetadata, BlobRef, MissingFact } from '../models/blob.ts'

/** How often a blob that changes under our hands is looked at anew within one task. */
const LOOKS = 3

export interface Extras<T> {
  readonly properties: BlobMetadata
  readonly tags: Readonly<Record<string, string>> | undefined
  /** What was found in its bytes; undefined where they could not be read. */
  readonly found: T | undefined
  readonly missing: readonly MissingFact[]
}

/** One version of a blob, for ranged reads. */
export type PinnedBlob = BlobRef & { readonly size: number; readonly etag: string }

/**
 * Properties and tags of one version of a blob, and what `look` finds in its bytes.
 * @throws AppError `BLOB_NOT_FOUND`, `BLOB_CHANGED` when it changed at every look, and what may help when it is tried again
 */
export async function readExtras<T>(blobs: BlobStore, ref: BlobRef, look: (blob: PinnedBlob) => Promise<T>): Promise<Extras<T>> {
  for (let times = 1; ; times++) {
    try {
      return await lookAt(blobs, ref, look)
    } catch (error) {
      const isChanged = error instanceof AppError && (error.code === 'BLOB_CHANGED' || error.code === 'SOURCE_CHANGED')
      if (!isChanged || times === LOOKS) throw error
    }
  }
}

async function lookAt<T>(blobs: BlobStore, ref: BlobRef, look: (blob: PinnedBlob) => Promise<T>): Promise<Extras<T>> {
  const properties = await blobs.properties(ref)
  const missing: MissingFact[] = [...(properties.missing ?? [])]
  const extra = async <X>(what: string, ask: () => Promise<X>): Promise<X | undefined> => {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof AppError) || error.retryable || NO_EXTRA.has(error.code)) throw error
      missing.push({ what, code: error.code })
      return undefined
    }
  }
  const tags = await extra('tags', () => blobs.tags(ref))
  const archived = properties.access_tier?.toLowerCase() === 'archive'
  if (archived) missing.push({ what: 'detected_format', code: 'BLOB_ARCHIVED' })
  const pinned = { ...ref, size: properties.size, etag: properties.etag ?? '' }
  const found = archived ? undefined : await extra('detected_format', () => look(pinned))
  return { properties, tags, found, missing }
}

/** What concerns the blob itself, not an extra of it. */
const NO_EXTRA: ReadonlySet<string> = new Set(['BLOB_NOT_FOUND', 'CONTAINER_NOT_FOUND', 'BLOB_CHANGED', 'SOURCE_CHANGED'])
