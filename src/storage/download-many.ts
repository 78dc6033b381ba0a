// Many blobs at once: bounded, one entry per asked name, nothing lost.
import { AppError } from '../rules/errors.ts'
import type { BlobChunk, BlobStore, Downloaded, DownloadOptions } from '../models/blob-store.ts'
import { bytesOf } from './read-stream.ts'

const CONCURRENCY = 10
const MAX_BYTES_EACH = 64 * 1024 * 1024

type Source = Pick<BlobStore, 'readStream'>

/** Starts the next one only when an entry was taken: memory is bounded by `concurrency`. */
export async function* downloadMany(
  source: Source,
  container: string,
  names: readonly string[],
  options: DownloadOptions,
): AsyncGenerator<Downloaded> {
  const { concurrency = CONCURRENCY, order = 'completion', signal } = options
  const asked = new Map<string, number>()
  for (const name of names) asked.set(name, (asked.get(name) ?? 0) + 1)
  const waiting = asked.keys()
  const running = new Map<string, Promise<Downloaded>>()
  // Fires with the caller's signal, and when the caller stops taking entries: no socket stays open.
  const stop = new AbortController()
  const onAbort = (): void => stop.abort()
  signal?.addEventListener('abort', onAbort)
  if (signal?.aborted) onAbort()
  try {
    for (;;) {
      while (running.size < concurrency) {
        const { value: name, done } = waiting.next()
        if (done || signal?.aborted) break
        running.set(name, one(source, container, name, { ...options, signal: stop.signal }))
      }
      if (signal?.aborted) throw new AppError('TASK_ABORTED', `Downloading from ${container} was stopped.`)
      const [oldest] = running.values()
      if (!oldest) return
      const entry = await (order === 'input' ? oldest : Promise.race(running.values()))
      if (signal?.aborted) continue
      running.delete(entry.name)
      for (let n = asked.get(entry.name) ?? 1; n > 0; n--) yield entry
    }
  } finally {
    stop.abort()
    signal?.removeEventListener('abort', onAbort)
  }
}

async function one(source: Source, container: string, blob: string, options: DownloadOptions): Promise<Downloaded> {
  const { maxBytesEach = MAX_BYTES_EACH, sink, signal } = options
  try {
    const { body, etag, size } = await source.readStream({ container, blob }, signal ? { signal } : {})
    if (sink) {
      await drain(sink, blob, body)
      return { name: blob, ok: true, size, etag }
    }
    if (size > maxBytesEach) {
      await body.cancel()
      throw new AppError('BLOB_TOO_LARGE', `${container}/${blob} has ${size} bytes, more than the ${maxBytesEach} allowed each.`)
    }
    return { name: blob, ok: true, size, etag, body: await bytesOf(body) }
  } catch (error) {
    const { code, message } = error instanceof AppError ? error : { code: 'INTERNAL', message: String(error) }
    return { name: blob, ok: false, code, message }
  }
}

/** A sink that does not read to the end leaves no connection open. */
async function drain(sink: NonNullable<DownloadOptions['sink']>, blob: string, body: ReadableStream<Uint8Array>): Promise<void> {
  try {
    await sink(blob, withOffsets(body))
  } finally {
    if (!body.locked) await body.cancel()
  }
}

async function* withOffsets(body: AsyncIterable<Uint8Array>): AsyncGenerator<BlobChunk> {
  let offset = 0
  for await (const bytes of body) {
    yield { offset, bytes }
    offset += bytes.length
  }
}
