// The one implementation of BlobStore, over @azure/storage-blob; works alike on Azurite and on Azure.
import type { BlobClient, BlobServiceClient, BlockBlobClient, ContainerClient } from '@azure/storage-blob'
import { AppError } from '../engine/errors.ts'
import type { BlobStore } from '../models/blob-store.ts'
import type { BlobMetadata, BlobRef } from '../models/blob.ts'
import { describeBlob } from './blob-metadata.ts'
import { toStorageError } from './blob-errors.ts'
import { copyBlob } from './copy.ts'
import { downloadMany } from './download-many.ts'
import { INTERNAL_CONTAINER } from './large-results.ts'
import { findByTags, folderPage, listPages } from './list-blobs.ts'
import { assertName, blobNameProblem, ContainerName, writableNameProblem } from './names.ts'
import { readChunks } from './read-chunks.ts'
import { bytesOf, readStream, readWhole } from './read-stream.ts'
import { SasSigner } from './sas.ts'
import { blockList, commitBlocks, setMetadata, stageBlock, writeBlob } from './write-blob.ts'

export interface BlobStoreSettings {
  /** Shared key (laptop); else `accountUrl` with the process identity. */
  readonly connectionString: string | undefined
  readonly accountUrl: string | undefined
  readonly allowed: ReadonlySet<string>
}

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
  const writer = (ref: BlobRef): Promise<BlockBlobClient> => blob(ref, writableNameProblem(ref.blob))
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
    read: (ref, options) => guarded(nameOf(ref), async () => readWhole(await reader(ref), ref, options ?? {})),
    readRange: (ref, offset, length) =>
      guarded(nameOf(ref), async () => bytesOf((await readStream(await reader(ref), ref, { offset, length })).body)),
    readChunks: (ref, options) => readChunks(() => reader(ref), ref, options ?? {}),
    downloadMany: (name, names, options) => downloadMany(store, name, names, options ?? {}),
    copy: (from, to, options) =>
      guarded(nameOf(to), async () => {
        const target = await writer(to)
        const { url } = await store.createSas(from)
        return copyBlob(target, url, options)
      }),
    createSas: async (ref, options) => {
      const client = await reader(ref)
      return guarded(nameOf(ref), async () => signer.sign(await (service ??= connect(settings)), client, options ?? {}))
    },
    exists: (ref) => guarded(nameOf(ref), async () => (await reader(ref)).exists()),
    delete: (ref) => guarded(nameOf(ref), async () => deleteBlob(await reader(ref), ref)),
    readStream: (ref, options) => guarded(nameOf(ref), async () => readStream(await reader(ref), ref, options ?? {})),
    setMetadata: (ref, metadata) => guarded(nameOf(ref), async () => setMetadata(await reader(ref), ref, metadata)),
    setTags: (ref, tags) => guarded(nameOf(ref), async () => void (await (await reader(ref)).setTags({ ...tags }))),
    findByTags: (name, query) => findByTags(() => container(name), name, query),
    stageBlock: (ref, id, bytes) => guarded(nameOf(ref), async () => stageBlock(await writer(ref), id, bytes)),
    commitBlocks: (ref, ids, options) => guarded(nameOf(ref), async () => commitBlocks(await writer(ref), ids, options)),
    blockList: (ref) => guarded(nameOf(ref), async () => blockList(await reader(ref))),
    write: (name, path, body, options) => {
      const ref = { container: name, blob: path }
      return guarded(nameOf(ref), async () => writeBlob(await writer(ref), body, options))
    },
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

const nameOf = (ref: BlobRef): string => `${ref.container}/${ref.blob}`
const conditions = (ref: BlobRef): { conditions?: { ifMatch: string } } => (ref.etag ? { conditions: { ifMatch: ref.etag } } : {})
