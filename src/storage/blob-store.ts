// The one implementation of BlobStore, over @azure/storage-blob; works alike on Azurite and on Azure.
import { createHash } from 'node:crypto'
import type { BlobClient, BlobServiceClient, BlockBlobClient, ContainerClient } from '@azure/storage-blob'
import { AppError } from '../engine/errors.ts'
import type { BlobStore, WriteOptions, WrittenBlob } from '../models/blob-store.ts'
import type { BlobMetadata, BlobRef } from '../models/blob.ts'
import { describeBlob } from './blob-metadata.ts'
import { toStorageError } from './blob-errors.ts'
import { copyBlob } from './copy.ts'
import { downloadMany } from './download-many.ts'
import { INTERNAL_CONTAINER } from './large-results.ts'
import { folderPage, listPages } from './list-blobs.ts'
import { assertName, blobNameProblem, ContainerName, writableNameProblem } from './names.ts'
import { readChunks } from './read-chunks.ts'
import { SasSigner } from './sas.ts'

export interface BlobStoreSettings {
  /** Shared key (laptop); else `accountUrl` with the process identity. */
  readonly connectionString: string | undefined
  readonly accountUrl: string | undefined
  readonly allowed: ReadonlySet<string>
}

const MAX_METADATA = 8 * 1024
const MAX_READ = 64 * 1024 * 1024

/** Opens the store; the SDK is loaded and the account reached at the first call. */
export function openBlobStore(settings: BlobStoreSettings): BlobStore {
  let service: Promise<BlobServiceClient> | undefined
  const signer = new SasSigner()
  const containers = new Map<string, ContainerClient>()
  const container = async (name: string): Promise<ContainerClient> => {
    const client = containers.get(name) ?? (await (service ??= connect(settings))).getContainerClient(name)
    containers.set(name, client)
    return client
  }
  const blob = async (ref: BlobRef, problem: string | undefined): Promise<BlockBlobClient> => {
    assertName(problem, ref.blob)
    const client = (await container(ref.container)).getBlockBlobClient(ref.blob)
    return sameBlob(client, ref)
  }
  const reader = (ref: BlobRef): Promise<BlockBlobClient> => blob(ref, blobNameProblem(ref.blob))
  const store: BlobStore = {
    checkContainer: (name) => checkContainer(name, settings.allowed, container),
    list: (name, options) => listPages(() => container(name), name, options ?? {}),
    listFolders: (name, options) => guarded(`container ${name}`, async () => folderPage(await container(name), options)),
    containerModified: (name) =>
      guarded(`container ${name}`, async () => (await (await container(name)).getProperties()).lastModified?.toISOString()).catch(
        (error: AppError) => {
          if (error.code === 'CONTAINER_NOT_FOUND') return undefined
          throw error
        },
      ),
    properties: (ref) => guarded(nameOf(ref), async () => propertiesOf(await reader(ref), ref)),
    tags: (ref) => guarded(nameOf(ref), async () => (await (await reader(ref)).getTags()).tags),
    read: (ref, options) => guarded(nameOf(ref), async () => readWhole(await reader(ref), ref, options?.maxBytes ?? MAX_READ)),
    readRange: (ref, offset, length) =>
      guarded(nameOf(ref), async () => (await reader(ref)).downloadToBuffer(offset, length, conditions(ref))),
    readChunks: (ref, options) => readChunks(() => reader(ref), ref, options ?? {}),
    downloadMany: (name, names, options) => downloadMany(store, name, names, options ?? {}),
    copy: (from, to, options) =>
      guarded(nameOf(to), async () => {
        const target = await blob(to, writableNameProblem(to.blob))
        const { url } = await store.createSas(from)
        return copyBlob(target, url, options)
      }),
    createSas: async (ref, options) => {
      const client = await reader(ref)
      return guarded(nameOf(ref), async () => signer.sign(await (service ??= connect(settings)), client, options ?? {}))
    },
    exists: (ref) => guarded(nameOf(ref), async () => (await reader(ref)).exists()),
    delete: (ref) => guarded(nameOf(ref), async () => deleteBlob(await reader(ref), ref)),
    write: (name, path, body, options) =>
      guarded(`${name}/${path}`, async () =>
        write(await blob({ container: name, blob: path }, writableNameProblem(path)), name, body, options),
      ),
  }
  return store
}

async function propertiesOf(client: BlockBlobClient, ref: BlobRef): Promise<BlobMetadata> {
  const p = await client.getProperties(conditions(ref))
  return describeBlob({
    name: ref.blob,
    size: p.contentLength ?? 0,
    lastModified: p.lastModified ?? new Date(0),
    contentType: p.contentType,
    etag: p.etag,
    metadata: p.metadata,
    contentMD5: p.contentMD5,
    accessTier: p.accessTier,
  })
}

async function deleteBlob(client: BlockBlobClient, ref: BlobRef): Promise<boolean> {
  const { succeeded } = await client.deleteIfExists({ deleteSnapshots: 'include', ...conditions(ref) })
  return succeeded
}

async function guarded<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw toStorageError(error, what)
  }
}

async function connect(settings: BlobStoreSettings): Promise<BlobServiceClient> {
  const { BlobServiceClient } = await import('@azure/storage-blob')
  // The SDK's retry policy is the only one for blob calls; nothing stacks on it.
  const options = { retryOptions: { maxTries: 4, retryDelayInMs: 500, maxRetryDelayInMs: 8000, tryTimeoutInMs: 60_000 } }
  if (settings.connectionString) return BlobServiceClient.fromConnectionString(settings.connectionString, options)
  if (!settings.accountUrl)
    throw new AppError('CONFIG_INVALID', 'No data account: set DATA_STORAGE_URL (identity) or DATA_STORAGE (connection string).')
  const { DefaultAzureCredential } = await import('@azure/identity')
  return new BlobServiceClient(settings.accountUrl, new DefaultAzureCredential(), options)
}

/** The second lock: what the client will ask for is what the caller named. */
export function sameBlob<C extends BlobClient>(client: C, ref: BlobRef): C {
  if (client.containerName === ref.container && client.name === ref.blob) return client
  throw new AppError(
    'NAME_ESCAPES_CONTAINER',
    `A request for ${JSON.stringify(ref.blob)} would have left container ${ref.container}.`,
  )
}

async function checkContainer(
  name: string,
  allowed: ReadonlySet<string>,
  container: (name: string) => Promise<ContainerClient>,
): Promise<void> {
  const parsed = ContainerName.safeParse(name)
  if (!parsed.success)
    throw new AppError('INVALID_NAME', `The container name ${JSON.stringify(name.slice(0, 100))} is not legal.`)
  if (!allowed.has(parsed.data) || parsed.data === INTERNAL_CONTAINER) {
    throw new AppError('CONTAINER_NOT_ALLOWED', `Container '${parsed.data}' is not on the allow-list (ALLOWED_CONTAINERS).`)
  }
  const exists = await guarded(`container ${parsed.data}`, async () => (await container(parsed.data)).exists())
  if (!exists) throw new AppError('CONTAINER_NOT_FOUND', `Container '${parsed.data}' does not exist.`)
}

async function readWhole(client: BlockBlobClient, ref: BlobRef, maxBytes: number): Promise<Buffer> {
  const answer = await client.download(0, undefined, conditions(ref))
  const size = answer.contentLength ?? 0
  const chunks: Buffer[] = []
  if (size > maxBytes) {
    ;(answer.readableStreamBody as { destroy?: () => void } | undefined)?.destroy?.()
    throw new AppError(
      'BLOB_TOO_LARGE',
      `${nameOf(ref)} has ${size} bytes, more than the ${maxBytes} allowed. Read it in ranges.`,
    )
  }
  for await (const chunk of answer.readableStreamBody ?? []) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

async function write(client: BlockBlobClient, container: string, body: Uint8Array, options: WriteOptions): Promise<WrittenBlob> {
  const { mode, etag, contentType, metadata } = options
  if (metadata) assertMetadata(metadata)
  const answer = await client.uploadData(body, {
    ...(mode === 'create' ? { conditions: { ifNoneMatch: '*' } } : {}),
    ...(mode === 'replace' ? { conditions: { ifMatch: etag ?? '' } } : {}),
    ...(contentType ? { blobHTTPHeaders: { blobContentType: contentType } } : {}),
    ...(metadata ? { metadata: { ...metadata } } : {}),
  })
  const sha256 = createHash('sha256').update(body).digest('hex')
  return { container, blob_path: client.name, size: body.length, etag: answer.etag ?? '', sha256 }
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

const nameOf = (ref: BlobRef): string => `${ref.container}/${ref.blob}`
const conditions = (ref: BlobRef): { conditions?: { ifMatch: string } } => (ref.etag ? { conditions: { ifMatch: ref.etag } } : {})
