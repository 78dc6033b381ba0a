// A blob, or a part of it, as a web stream of one version.
import { Readable } from 'node:stream'
import type { BlockBlobClient } from '@azure/storage-blob'
import { AppError } from '../rules/errors.ts'
import type { BlobStream, ReadStreamOptions } from '../models/blob-store.ts'
import type { BlobRef } from '../models/blob.ts'
import { toStorageError } from './blob-errors.ts'
import { piecesOf } from './pieces.ts'

/** How often a broken body is taken up again. The SDK's own resumption takes a cut connection for an abort and gives up. */
const RESUMES = 5
const MAX_READ = 64 * 1024 * 1024

/** @throws AppError `BLOB_NOT_FOUND`, `BLOB_CHANGED`, `RANGE_NOT_SATISFIABLE`; what breaks later fails the stream */
export async function readStream(
  client: BlockBlobClient,
  ref: BlobRef,
  { offset = 0, length, signal }: ReadStreamOptions,
): Promise<BlobStream> {
  const from = async (position: number, etag: string | undefined): Promise<Answer> =>
    client.download(position, length === undefined ? undefined : offset + length - position, {
      maxRetryRequests: 0,
      ...(etag ? { conditions: { ifMatch: etag } } : {}),
      ...(signal ? { abortSignal: signal } : {}),
    })
  const first = await from(offset, ref.etag)
  const { contentLength = 0, etag = '', contentRange = '', contentType } = first
  const total = /\/(\d+)$/.exec(contentRange)?.[1]
  const source = new Source(first, contentLength, (done) => from(offset + done, etag))
  return {
    body: source.stream(`${ref.container}/${ref.blob}`, signal),
    etag,
    length: contentLength,
    size: total === undefined ? contentLength : Number(total),
    content_type: contentType,
  }
}

/** The whole blob in memory. @throws AppError `BLOB_TOO_LARGE` before the first byte */
export async function readWhole(
  client: BlockBlobClient,
  ref: BlobRef,
  { maxBytes = MAX_READ, signal }: { maxBytes?: number; signal?: AbortSignal },
): Promise<Buffer> {
  const { body, size } = await readStream(client, ref, signal ? { signal } : {})
  if (size <= maxBytes) return bytesOf(body)
  await body.cancel()
  throw new AppError(
    'BLOB_TOO_LARGE',
    `${ref.container}/${ref.blob} has ${size} bytes, more than the ${maxBytes} allowed. Read it in ranges.`,
  )
}

export async function bytesOf(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

type Answer = Awaited<ReturnType<BlockBlobClient['download']>>

/** Bytes of one version over as many connections as it takes. */
class Source {
  readonly #length: number
  readonly #reopen: (done: number) => Promise<Answer>
  #body: Readable
  #chunks: AsyncIterator<Uint8Array>
  #done = 0
  #resumes = RESUMES

  constructor(first: Answer, length: number, reopen: (done: number) => Promise<Answer>) {
    this.#length = length
    this.#reopen = reopen
    this.#body = bodyOf(first)
    this.#chunks = piecesOf(this.#body)
  }

  /** Pulled only when it is read; cancelling closes the connection. */
  stream(what: string, signal: AbortSignal | undefined): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          try {
            const bytes = await this.#next(signal)
            if (bytes) controller.enqueue(bytes)
            else controller.close()
          } catch (error) {
            controller.error(toStorageError(error, what))
          }
        },
        cancel: () => void this.#body.destroy(),
      },
      { highWaterMark: 0 },
    )
  }

  async #next(signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    for (;;) {
      try {
        const { done, value } = await this.#chunks.next()
        if (!done) {
          this.#done += value.length
          return value
        }
        if (this.#done >= this.#length) return undefined
        throw new AppError('STORAGE_UNAVAILABLE', `The answer ended after ${this.#done} of ${this.#length} bytes.`)
      } catch (error) {
        if (signal?.aborted || this.#resumes-- === 0) throw error
        this.#body = bodyOf(await this.#reopen(this.#done))
        this.#chunks = piecesOf(this.#body)
      }
    }
  }
}

const bodyOf = ({ readableStreamBody }: Answer): Readable => (readableStreamBody as Readable | undefined) ?? Readable.from([])
