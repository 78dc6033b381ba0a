// Many blobs at once: bounded, one entry per asked name, nothing lost.
import { AppError } from '../engine/errors.ts'
import type { BlobStore, Downloaded, DownloadOptions } from '../models/blob-store.ts'

const CONCURRENCY = 10

type Source = Pick<BlobStore, 'properties' | 'read' | 'readChunks'>

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
  const waiting = [...asked.keys()]
  const running = new Map<string, Promise<Downloaded>>()
  while (waiting.length > 0 || running.size > 0) {
    while (running.size < concurrency) {
      const name = waiting.shift()
      if (name === undefined) break
      running.set(name, one(source, container, name, options))
    }
    const oldest = [...running.values()][0]
    const entry = await (order === 'input' ? oldest : Promise.race(running.values()))
    if (!entry) return
    running.delete(entry.name)
    if (signal?.aborted) throw new AppError('TASK_ABORTED', `Downloading from ${container} was stopped.`)
    for (let n = asked.get(entry.name) ?? 1; n > 0; n--) yield entry
  }
}

async function one(source: Source, container: string, blob: string, options: DownloadOptions): Promise<Downloaded> {
  const { maxBytesEach, sink, signal } = options
  try {
    const { etag = '', size } = await source.properties({ container, blob })
    const ref = { container, blob, etag }
    if (!sink)
      return { name: blob, ok: true, size, etag, body: await source.read(ref, maxBytesEach ? { maxBytes: maxBytesEach } : {}) }
    await sink(blob, source.readChunks(ref, signal ? { signal } : {}))
    return { name: blob, ok: true, size, etag }
  } catch (error) {
    const { code, message } = error instanceof AppError ? error : { code: 'INTERNAL', message: String(error) }
    return { name: blob, ok: false, code, message }
  }
}
