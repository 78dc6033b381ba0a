// A blob as the answer of a download: conditional and range headers, one version from the first byte to the last.
import { AppError } from '../rules/errors.ts'
import type { BlobRef } from '../models/blob.ts'
import type { Resources } from '../platform/resources.ts'
import { readRangeHeader, tagsOf } from './conditional.ts'
import type { Answer } from './route.ts'

/**
 * @param type replaces the stored content type
 * @throws AppError `BLOB_NOT_FOUND`, `BLOB_ARCHIVED`, `BLOB_CHANGED`, `RANGE_NOT_SATISFIABLE`
 */
export async function blobAnswer(r: Resources, ref: BlobRef, headers: Pick<Headers, 'get'>, type?: string): Promise<Answer> {
  const what = `${ref.container}/${ref.blob}`
  const found = await r.blobs.properties(ref)
  const { size, etag = '', content_type = 'application/octet-stream', content_encoding, last_modified } = found
  const common = {
    etag,
    'last-modified': new Date(last_modified).toUTCString(),
    'accept-ranges': 'bytes',
    'content-type': type ?? content_type,
    // The bytes are handed on as they are stored.
    ...(content_encoding ? { 'content-encoding': content_encoding } : {}),
    // What others stored is shown as a file, never run as a page of this origin.
    'content-disposition': `attachment; filename*=UTF-8''${encodeRfc5987(ref.blob.slice(ref.blob.lastIndexOf('/') + 1))}`,
    'content-security-policy': 'sandbox',
  }
  if (tagsOf(headers.get('if-none-match')).includes(etag)) return { status: 304, headers: common }
  const wanted = headers.get('if-match')
  if (wanted !== null && wanted.trim() !== '*' && !tagsOf(wanted).includes(etag))
    throw new AppError('BLOB_CHANGED', `${what} has the ETag ${etag}, not the one of If-Match.`)
  const fresh = headers.get('if-range') === null || headers.get('if-range') === etag
  const range = fresh ? readRangeHeader(headers.get('range'), size) : undefined
  if (range === 'unsatisfiable')
    throw new AppError('RANGE_NOT_SATISFIABLE', `${what} has ${size} bytes; the range lies beyond them.`)
  const { offset, length } = range ?? { offset: 0, length: size }
  const partial = range ? { 'content-range': `bytes ${offset}-${offset + length - 1}/${size}` } : {}
  const answer = { status: range ? 206 : 200, headers: { ...common, ...partial, 'content-length': String(length) } }
  if (size === 0) return { ...answer, stream: new Blob([]).stream() }
  const { body } = await r.blobs.readStream({ ...ref, etag }, { offset, length })
  return { ...answer, stream: body }
}

const encodeRfc5987 = (name: string): string =>
  encodeURIComponent(name).replaceAll(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
