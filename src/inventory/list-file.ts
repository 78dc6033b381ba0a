// Lists too large for a row: gzipped lines in the internal container, written and read as streams, checked by count and sha256.
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { AppError } from '../rules/errors.ts'
import type { BlobStore } from '../models/blob-store.ts'
import type { ListFormat, ListRef } from '../models/blob.ts'
import { INTERNAL_CONTAINER } from '../models/blob-store.ts'

/** Characters that are handed to gzip at a time; single lines cost ten times the CPU. */
const BUNDLE = 65_536

/**
 * Writes a list while it comes; memory is a few blocks. A source that throws leaves no blob.
 * @param path without extension, unique per try
 * @param line how an item looks in the file, without its line end; default JSON
 */
export async function writeList<T>(
  blobs: BlobStore,
  path: string,
  items: AsyncIterable<T> | Iterable<T>,
  { format = 'ndjson.gz', line = (item: T) => JSON.stringify(item), head }: ListOptions<T> = {},
): Promise<ListRef> {
  let count = 0
  const bundles = async function* (): AsyncGenerator<string> {
    let text = head === undefined ? '' : `${head}\n`
    for await (const item of items) {
      count++
      text += `${line(item)}\n`
      if (text.length < BUNDLE) continue
      yield text
      text = ''
    }
    yield text
  }
  const gzip = createGzip({ level: 6 })
  const fed = pipeline(Readable.from(bundles()), gzip)
  const blob = `${path}.${format}`
  try {
    const [written] = await Promise.all([
      blobs.write(INTERNAL_CONTAINER, blob, gzip, { mode: 'overwrite', contentType: 'application/gzip' }),
      fed,
    ])
    // Known only now: so that who lists the files of a job sees how long they are.
    await blobs.setMetadata({ container: INTERNAL_CONTAINER, blob }, { rows: String(count) })
    return { container: INTERNAL_CONTAINER, blob, count, bytes: written.size, sha256: written.sha256, format }
  } finally {
    // A write that failed would leave the source waiting for ever.
    gzip.destroy()
  }
}

export interface ListOptions<T> {
  readonly format?: ListFormat
  readonly line?: (item: T) => string
  /** A first line that is no item. */
  readonly head?: string
}

/**
 * Items of a list in JSON lines, one at a time.
 * @throws AppError `STORAGE_ERROR` at the end when the list is not what was written: act on its items only when all were read
 */
export async function* readList(blobs: BlobStore, ref: ListRef, signal?: AbortSignal): AsyncGenerator {
  const { body } = await blobs.readStream({ container: ref.container, blob: ref.blob }, signal ? { signal } : {})
  const hash = createHash('sha256')
  const hashed = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      hash.update(chunk)
      yield chunk
    }
  }
  const gunzip = createGunzip()
  const damaged = (why: string): AppError => new AppError('STORAGE_ERROR', `The list ${ref.blob} is damaged: ${why}.`)
  const fed = pipeline(Readable.from(hashed()), gunzip)
  // Told by the reading side; unhandled it would end the process.
  fed.catch(() => undefined)
  let count = 0
  try {
    for await (const text of linesOf(gunzip)) {
      count++
      yield JSON.parse(text) as unknown
    }
  } catch (error) {
    throw error instanceof AppError ? error : damaged(error instanceof Error ? error.message : 'unreadable')
  }
  if (hash.digest('hex') !== ref.sha256) throw damaged('its sha256 differs')
  if (count !== ref.count) throw damaged(`it has ${count} entries instead of ${ref.count}`)
}

/** Split at line feeds alone: names may hold the other line ends that Unicode knows. */
async function* linesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let rest = ''
  for await (const chunk of source) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  rest += decoder.decode()
  if (rest !== '') yield rest
}
