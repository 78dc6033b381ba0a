// The seam to blob storage. One implementation in src/storage, built in platform/resources.ts, handed to jobs through ctx.
import type { BlobMetadata, BlobRef } from './blob.ts'

/** Container for what the product keeps for itself. */
export const INTERNAL_CONTAINER = 'lamplighter'

/** How a write treats a blob that is there: refuse it, replace exactly the one with this ETag, or replace any. */
export type WriteMode = 'create' | 'replace' | 'overwrite'

export interface WriteOptions {
  readonly mode: WriteMode
  /** Needed by `replace`. */
  readonly etag?: string
  readonly contentType?: string
  /** ASCII values, identifier keys, at most 8 KB. */
  readonly metadata?: Readonly<Record<string, string>>
  /** Default: the account's. */
  readonly accessTier?: 'Hot' | 'Cool'
  readonly signal?: AbortSignal
}

export interface BlobChunk {
  readonly offset: number
  readonly bytes: Uint8Array
}

/** One entry per asked name: a failing one never ends the rest. */
export type Downloaded =
  | { readonly name: string; readonly ok: true; readonly size: number; readonly etag: string; readonly body?: Uint8Array }
  | { readonly name: string; readonly ok: false; readonly code: string; readonly message: string }

export interface SasOptions {
  /** Of a blob: read (default), or read, create and write. Of a container: read and list. */
  readonly permissions?: 'r' | 'rcw' | 'rl'
  /** 1-60, default 60. */
  readonly minutes?: number
}
export interface SasGrant {
  /** A secret: in no log, span, error or database. */
  readonly url: string
  readonly expires_at: string
  readonly permissions: string
  readonly kind: 'user_delegation' | 'service'
  readonly account: string
}

export interface CopyOptions {
  readonly mode: 'create' | 'overwrite'
  readonly signal?: AbortSignal
}
export interface CopiedBlob {
  readonly copy_id: string
  readonly copy_status: string
  readonly etag: string
  readonly size: number
}

export interface DownloadOptions {
  readonly concurrency?: number
  /** As they end, or in the order they were asked for. */
  readonly order?: 'completion' | 'input'
  /** Of each body when there is no sink. */
  readonly maxBytesEach?: number
  /** Takes the bytes chunk by chunk; entries then carry no body. */
  readonly sink?: (name: string, chunks: AsyncIterable<BlobChunk>) => Promise<void>
  readonly signal?: AbortSignal
}

export interface WrittenBlob {
  readonly container: string
  readonly blob_path: string
  readonly size: number
  readonly etag: string
  readonly last_modified: string
  readonly sha256: string
}

/** What is written: bytes at hand, or a stream that is sent as staged blocks and becomes the blob with one commit. */
export type BlobBody = Uint8Array | AsyncIterable<Uint8Array>

export interface CommittedBlob {
  readonly etag: string
  readonly last_modified: string
}

/** Blocks of a blob by id, in order: what is part of it and what only waits for a commit. */
export interface BlockList {
  readonly committed: readonly { readonly id: string; readonly size: number }[]
  readonly uncommitted: readonly { readonly id: string; readonly size: number }[]
}

export interface ReadStreamOptions {
  readonly offset?: number
  readonly length?: number
  readonly signal?: AbortSignal
}
export interface BlobStream {
  /** Back-pressure is kept; errors are AppErrors. */
  readonly body: ReadableStream<Uint8Array>
  readonly etag: string
  /** Bytes that the stream will give. */
  readonly length: number
  /** Bytes of the whole blob. */
  readonly size: number
  readonly content_type: string | undefined
}

export interface ListOptions {
  readonly prefix?: string
  /** Name to start from, inclusive. */
  readonly startFrom?: string
  readonly maxPageSize?: number
  readonly signal?: AbortSignal
}

export interface BlobPage {
  readonly blobs: readonly BlobMetadata[]
  /** Names that break the rules: never opened. */
  readonly skipped: readonly string[]
}

export interface FolderPage {
  /** Names with the trailing slash. */
  readonly folders: readonly string[]
  readonly blobs: readonly BlobMetadata[]
  readonly skipped: readonly string[]
  /** Opaque: where the next page starts; undefined at the end. */
  readonly next: string | undefined
}

/** Containers by their tier: what came, what was made of it, what is published. */
export interface Tiers {
  readonly bronze: string
  readonly silver: string
  readonly gold: string
}

export const DEFAULT_TIERS: Tiers = { bronze: 'bronze', silver: 'silver', gold: 'gold' }

/** Blob operations. Every method throws AppError: `CONTAINER_NOT_FOUND`, `BLOB_NOT_FOUND`, `STORAGE_FORBIDDEN`, `STORAGE_UNAVAILABLE`. */
export interface BlobStore {
  readonly tiers: Tiers
  /** Throws `CONTAINER_NOT_ALLOWED` for a name outside the allow-list, `INVALID_NAME` for an illegal one. */
  checkContainer(container: string): Promise<void>
  /** Pages of up to 5,000 blobs in byte order of their names; never collects. */
  list(container: string, options?: ListOptions): AsyncIterable<BlobPage>
  /** One page of one level: folders and blobs below the prefix, by the slash. */
  listFolders(container: string, options: { prefix: string; pageSize: number; next?: string | undefined }): Promise<FolderPage>
  /** When the container was last modified, or undefined when it does not exist. */
  containerModified(container: string): Promise<string | undefined>
  properties(ref: BlobRef): Promise<BlobMetadata>
  tags(ref: BlobRef): Promise<Record<string, string>>
  /** Whole body, at most `maxBytes` (default 64 MiB), else `BLOB_TOO_LARGE` before the first byte. */
  read(ref: BlobRef, options?: { maxBytes?: number; signal?: AbortSignal }): Promise<Buffer>
  /** Bytes `offset … offset + length`, shorter at the end of the blob. With `ref.etag`: `BLOB_CHANGED` when replaced since. */
  readRange(ref: BlobRef, offset: number, length: number): Promise<Buffer>
  /** The blob in pieces (default 4 MiB); the ETag at the beginning pins the rest: `BLOB_CHANGED` when it is replaced meanwhile. */
  readChunks(ref: BlobRef, options?: { chunkBytes?: number; signal?: AbortSignal }): AsyncIterable<BlobChunk>
  /** Many blobs with bounded concurrency; duplicate names are fetched once. */
  downloadMany(container: string, names: readonly string[], options?: DownloadOptions): AsyncIterable<Downloaded>
  /** Copies on the service, also between containers; the source is read by a signature of an hour at most. */
  copy(from: BlobRef, to: BlobRef, options: CopyOptions): Promise<CopiedBlob>
  /** A signature for this blob alone; whether the blob exists is not asked. */
  createSas(ref: BlobRef, options?: SasOptions): Promise<SasGrant>
  /** Its address without any signature: of use to who may read it otherwise. Whether the blob exists is not asked. */
  plainUrl(ref: BlobRef): string | undefined
  /** A signature to read and list a whole container. */
  createContainerSas(container: string, options?: SasOptions): Promise<SasGrant>
  /**
   * The blob, or a part of it, as a stream; a broken connection is taken up again at the same ETag, else `BLOB_CHANGED`.
   * Beyond the end: `RANGE_NOT_SATISFIABLE`.
   */
  readStream(ref: BlobRef, options?: ReadStreamOptions): Promise<BlobStream>
  /** Replaces the metadata as a whole; answers with the new ETag. With `ref.etag`: `BLOB_CHANGED` when replaced since. */
  setMetadata(ref: BlobRef, metadata: Readonly<Record<string, string>>): Promise<string>
  /** Replaces the index tags as a whole: at most ten. */
  setTags(ref: BlobRef, tags: Readonly<Record<string, string>>): Promise<void>
  /** Blobs of a container whose index tags match, e.g. `survey='7' AND year>='2020'`. The service's index lags behind writes. */
  findByTags(
    container: string,
    query: string,
  ): AsyncIterable<{ readonly name: string; readonly tags: Readonly<Record<string, string>> }>
  /** One block of a blob to be; ids of one blob have equal length (at most 64 bytes). Nothing is visible before the commit. */
  stageBlock(ref: BlobRef, id: string, bytes: Uint8Array): Promise<void>
  /** The blob becomes these blocks, at most 50,000, in this order. */
  commitBlocks(ref: BlobRef, ids: readonly string[], options: WriteOptions): Promise<CommittedBlob>
  blockList(ref: BlobRef): Promise<BlockList>
  /** "No" and "could not ask" are never the same answer: refusals and failures throw. */
  exists(ref: BlobRef): Promise<boolean>
  /** True, or false when it was not there. With `ref.etag`: `BLOB_CHANGED` when replaced since. */
  delete(ref: BlobRef): Promise<boolean>
  /**
   * `create` on a name that is taken: `BLOB_EXISTS`; `replace` of another ETag: `BLOB_CHANGED`; `INVALID_METADATA`.
   * A stream that fails leaves the blob that was there, or none.
   */
  write(container: string, name: string, body: BlobBody, options: WriteOptions): Promise<WrittenBlob>
}
