// Lists too large for a row: gzipped JSON lines in the internal container, checked by count and sha256 when read.
import { createHash } from 'node:crypto'
import { gzipSync, gunzipSync } from 'node:zlib'
import { AppError } from '../engine/errors.ts'
import type { BlobStore } from '../models/blob-store.ts'
import type { ListRef } from '../models/blob.ts'
import { INTERNAL_CONTAINER } from './large-results.ts'

/** Bytes of unpacked lines that a reader accepts: a million entries of a listing are about 200 MB. */
const MAX_UNPACKED = 512 * 1024 * 1024

/** @param path below `lists/`, unique per try */
export async function writeList(blobs: BlobStore, path: string, items: readonly unknown[]): Promise<ListRef> {
  const body = gzipSync(items.map((i) => `${JSON.stringify(i)}\n`).join(''))
  const blob = `lists/${path}.ndjson.gz`
  const { sha256 } = await blobs.write(INTERNAL_CONTAINER, blob, body, { mode: 'overwrite', contentType: 'application/gzip' })
  return { container: INTERNAL_CONTAINER, blob, count: items.length, bytes: body.length, sha256, format: 'ndjson.gz' }
}

/** @throws AppError `STORAGE_ERROR` when the list is not what was written */
export async function readList(blobs: BlobStore, ref: ListRef): Promise<unknown[]> {
  const body = await blobs.read({ container: ref.container, blob: ref.blob })
  if (createHash('sha256').update(body).digest('hex') !== ref.sha256)
    throw new AppError('STORAGE_ERROR', `The list ${ref.blob} is damaged: its sha256 differs.`)
  const text = gunzipSync(body, { maxOutputLength: MAX_UNPACKED }).toString('utf8')
  const items = text
    .split('\n')
    .filter(Boolean)
    .map((line): unknown => JSON.parse(line))
  if (items.length !== ref.count)
    throw new AppError('STORAGE_ERROR', `The list ${ref.blob} has ${items.length} entries instead of ${ref.count}.`)
  return items
}
