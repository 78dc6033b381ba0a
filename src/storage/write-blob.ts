// Writing: whole or as a stream, staged blocks, metadata rules. A blob changes with the last request of a write, or not at all.
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { BlockBlobClient } from '@azure/storage-blob'
import { AppError } from '../rules/errors.ts'
import type { BlobBody, BlockList, CommittedBlob, WriteOptions, WrittenBlob } from '../models/blob-store.ts'
import type { BlobRef } from '../models/blob.ts'

const MAX_METADATA = 8 * 1024
/** Two blocks of 4 MiB on their way: memory stays small, and one slow request does not stop the source. */
const BLOCK_BYTES = 4 * 1024 * 1024
const BLOCKS_AT_ONCE = 2

/** @throws AppError `BLOB_EXISTS`, `BLOB_CHANGED`, `INVALID_METADATA`, or what the stream itself throws */
export async function writeBlob(client: BlockBlobClient, body: BlobBody, options: WriteOptions): Promise<WrittenBlob> {
  const headers = requestOf(options)
  const hash = createHash('sha256')
  let size = 0
  const counted = (bytes: Uint8Array): Uint8Array => {
    hash.update(bytes)
    size += bytes.length
    return bytes
  }
  const answer =
    body instanceof Uint8Array
      ? await client.uploadData(counted(body), headers)
      : await client.uploadStream(
          Readable.from(passed(body, counted), { objectMode: false }),
          BLOCK_BYTES,
          BLOCKS_AT_ONCE,
          headers,
        )
  return { container: client.containerName, blob_path: client.name, size, ...committed(answer), sha256: hash.digest('hex') }
}

async function* passed(source: AsyncIterable<Uint8Array>, each: (bytes: Uint8Array) => Uint8Array): AsyncGenerator<Uint8Array> {
  for await (const bytes of source) if (bytes.length > 0) yield each(bytes)
}

export async function stageBlock(client: BlockBlobClient, id: string, bytes: Uint8Array): Promise<void> {
  await client.stageBlock(encodeId(id), bytes, bytes.length)
}

export async function commitBlocks(
  client: BlockBlobClient,
  ids: readonly string[],
  options: WriteOptions,
): Promise<CommittedBlob> {
  return committed(await client.commitBlockList(ids.map(encodeId), requestOf(options)))
}

export async function blockList(client: BlockBlobClient): Promise<BlockList> {
  const { committedBlocks = [], uncommittedBlocks = [] } = await client.getBlockList('all')
  const plain = ({ name, size }: { name: string; size: number }): { id: string; size: number } => ({
    id: Buffer.from(name, 'base64').toString('utf8'),
    size,
  })
  return { committed: committedBlocks.map(plain), uncommitted: uncommittedBlocks.map(plain) }
}

/** Answers with the new ETag. */
export async function setMetadata(
  client: BlockBlobClient,
  ref: BlobRef,
  metadata: Readonly<Record<string, string>>,
): Promise<string> {
  assertMetadata(metadata)
  const answer = await client.setMetadata({ ...metadata }, ref.etag ? { conditions: { ifMatch: ref.etag } } : {})
  return answer.etag ?? ''
}

/** The service takes ids in base64, all of one length. */
const encodeId = (id: string): string => Buffer.from(id, 'utf8').toString('base64')

const committed = ({ etag = '', lastModified = new Date(0) }: { etag?: string; lastModified?: Date }): CommittedBlob => ({
  etag,
  last_modified: lastModified.toISOString(),
})

type Request = NonNullable<Parameters<BlockBlobClient['uploadStream']>[3]>

function requestOf({ mode, etag, contentType, metadata, accessTier, signal }: WriteOptions): Request {
  if (metadata) assertMetadata(metadata)
  return {
    ...(mode === 'create' ? { conditions: { ifNoneMatch: '*' } } : {}),
    ...(mode === 'replace' ? { conditions: { ifMatch: etag ?? '' } } : {}),
    ...(contentType ? { blobHTTPHeaders: { blobContentType: contentType } } : {}),
    ...(metadata ? { metadata: { ...metadata } } : {}),
    ...(accessTier ? { tier: accessTier } : {}),
    ...(signal ? { abortSignal: signal } : {}),
  }
}

/** @throws AppError `INVALID_METADATA` naming the key */
function assertMetadata(metadata: Readonly<Record<string, string>>): void {
  const refuse = (key: string, message: string): never => {
    throw new AppError('INVALID_METADATA', `Blob metadata ${JSON.stringify(key.slice(0, 100))} ${message}.`, {
      issues: [{ path: `metadata.${key}`, message }],
    })
  }
  let bytes = 0
  for (const [key, value] of Object.entries(metadata)) {
    if (!/^[A-Za-z_]\w*$/.test(key)) refuse(key, 'is not an identifier')
    if (!/^[\u0020-\u007e]*$/.test(value)) refuse(key, 'holds a character that is not printable ASCII')
    bytes += key.length + value.length
    if (bytes > MAX_METADATA) refuse(key, 'makes the metadata larger than 8 KB')
  }
}
