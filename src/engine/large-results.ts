// Results above 64 KB live in a blob; the row keeps a reference under one reserved key.
import { createHash } from 'node:crypto'
import { AppError } from '../rules/errors.ts'
import { type BlobStore, INTERNAL_CONTAINER } from '../models/blob-store.ts'
import { MAX_INLINE_RESULT_BYTES } from '../models/task.ts'

const KEY = '$result_blob'

interface StoredElsewhere {
  readonly [KEY]: { readonly blob: string; readonly bytes: number; readonly sha256: string }
}

/**
 * The value itself, or a reference after writing it to `results/<path>.json`.
 * @param path unique per try, so that a late try never replaces what a row refers to
 */
export async function keepResult(blobs: BlobStore, path: string, result: unknown): Promise<unknown> {
  const text = JSON.stringify(result) ?? 'null'
  // A UTF-16 unit is at most three bytes, so short texts need no encoding to be measured.
  if (text.length * 3 <= MAX_INLINE_RESULT_BYTES) return result
  const body = Buffer.from(text)
  if (body.length <= MAX_INLINE_RESULT_BYTES) return result
  const blob = `results/${path}.json`
  await blobs.write(INTERNAL_CONTAINER, blob, body, { mode: 'overwrite', contentType: 'application/json' })
  return { [KEY]: { blob, bytes: body.length, sha256: createHash('sha256').update(body).digest('hex') } }
}

/** The result that a row holds or refers to. */
export async function loadResult(blobs: BlobStore, stored: unknown): Promise<unknown> {
  if (typeof stored !== 'object' || stored === null || !(KEY in stored)) return stored
  const { blob, bytes, sha256 } = (stored as StoredElsewhere)[KEY]
  const body = await blobs.read({ container: INTERNAL_CONTAINER, blob })
  if (body.length !== bytes || createHash('sha256').update(body).digest('hex') !== sha256) {
    throw new AppError('STORAGE_ERROR', `The stored result ${blob} is damaged: expected ${bytes} bytes with sha256 ${sha256}.`)
  }
  return JSON.parse(body.toString('utf8'))
}
