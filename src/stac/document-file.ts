// STAC documents that lie in a container as JSON files. What is wrong with a file is a finding about it, never a failure.
import type { BlobStore } from '../models/blob-store.ts'
import type { BlobMetadata } from '../models/blob.ts'
import type { Finding } from '../models/stac-report.ts'
import { AppError } from '../rules/errors.ts'

/** Of a document, in a file or in a request. */
export const MAX_DOCUMENT_BYTES = 10 * 1024 * 1024

export const isDocumentName = (name: string): boolean => /\.(?:json|geojson)$/i.test(name)

/** What a list of files keeps of each. */
export interface DocumentFile {
  readonly name: string
  readonly etag?: string
}

/** Files of a listing that are documents by their name. */
export async function* documentFiles(files: AsyncIterable<BlobMetadata>): AsyncGenerator<DocumentFile> {
  for await (const { name, etag } of files) if (isDocumentName(name)) yield { name, ...(etag ? { etag } : {}) }
}

export type ReadDocument =
  | { readonly kind: 'document'; readonly document: unknown; readonly etag: string }
  | { readonly kind: 'finding'; readonly finding: Finding; readonly etag: string }
  /** Deleted since the listing. */
  | { readonly kind: 'gone' }

/**
 * The newest version of a file, whatever its listing said.
 * @throws AppError what storage answers
 */
export async function readDocument(
  blobs: BlobStore,
  { container, name: blob }: { readonly container: string; readonly name: string },
  signal: AbortSignal,
): Promise<ReadDocument> {
  let etag = ''
  try {
    const { body, size, ...stream } = await blobs.readStream({ container, blob }, { signal })
    etag = stream.etag
    if (size > MAX_DOCUMENT_BYTES) {
      await body.cancel()
      return { kind: 'finding', etag, finding: findingOf('BLOB_TOO_LARGE', `${size} bytes, more than ${MAX_DOCUMENT_BYTES}`) }
    }
    return { kind: 'document', document: parseDocument(await bytesOf(body)), etag }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    if (error.code === 'BLOB_NOT_FOUND') return { kind: 'gone' }
    if (error.code === 'INVALID_JSON') return { kind: 'finding', etag, finding: findingOf(error.code, error.message) }
    if (error.code === 'BLOB_ARCHIVED') return { kind: 'finding', etag, finding: findingOf(error.code, 'in the archive tier') }
    throw error
  }
}

async function bytesOf(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const findingOf = (code: string, message: string): Finding => ({ code, path: '', message, source: 'semantic' })

/** STAC needs about 10. The parser takes 8 s for five million levels, and JSON.stringify ends at 5,000 with the stack. */
const MAX_NESTING = 1000

/**
 * JSON in UTF-8, with or without byte order mark.
 * @throws AppError `INVALID_JSON`, with the place and without any of the text, which may hold a secret
 */
export function parseDocument(bytes: Uint8Array): unknown {
  if (isDeeperThan(bytes, MAX_NESTING)) throw notJson(`: nested more than ${MAX_NESTING} levels deep`)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw notJson(': not UTF-8')
  }
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    const place = /at position \d+/.exec(error instanceof Error ? error.message : '')?.[0]
    throw notJson(place === undefined ? '' : `: ${place}`)
  }
}

const notJson = (why: string): AppError => new AppError('INVALID_JSON', `The document is not JSON that can be read${why}.`)

const [QUOTE, BACKSLASH] = [0x22, 0x5c]
/** `[` and `{`, `]` and `}` differ in one bit each. */
const [OPEN, CLOSE, CASE] = [0x5b, 0x5d, 0x20]

/** Brackets outside of strings; of what is no JSON any answer will do. */
function isDeeperThan(bytes: Uint8Array, limit: number): boolean {
  let depth = 0
  let isText = false
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number
    if (isText) {
      if (byte === BACKSLASH) i++
      else if (byte === QUOTE) isText = false
    } else if (byte === QUOTE) isText = true
    else if ((byte & ~CASE) === OPEN && ++depth > limit) return true
    else if ((byte & ~CASE) === CLOSE) depth--
  }
  return false
}
