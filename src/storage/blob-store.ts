// The one implementation of BlobStore, over @azure/storage-blob; works alike on Azurite and on Azure.
import type { BlockBlobClient } from '@azure/storage-blob'
import { AppError } from '../rules/errors.ts'
import type { BlobStore } from '../models/blob-store.ts'
import type { BlobMetadata, BlobRef } from '../models/blob.ts'
import { Account, type BlobStoreSettings } from './account.ts'
import { toStorageError } from './blob-errors.ts'
import { copyBlob } from './copy.ts'
import { downloadMany } from './download-many.ts'
import { DEFAULT_TIERS, INTERNAL_CONTAINER } from '../models/blob-store.ts'
import { plainUrl } from './blob-endpoint.ts'
import { findByTags, folderPage, listPages } from './list-blobs.ts'
import { ContainerName } from './names.ts'
import { parseBlob } from './raw-blob.ts'
import { readChunks } from './read-chunks.ts'
import { bytesOf, readStream, readWhole } from './read-stream.ts'
import { SasSigner } from './sas.ts'
import { traced } from './traced.ts'
import { blockList, commitBlocks, setMetadata, stageBlock, writeBlob } from './write-blob.ts'

/** Opens the store; the SDK is loaded and the account reached at the first call. */
export function openBlobStore(settings: BlobStoreSettings): BlobStore {
  const account = new Account(settings)
  return traced({
    tiers: settings.tiers ?? DEFAULT_TIERS,
    ...listing(account),
    ...reading(account),
    ...writing(account),
    ...signing(account),
  })
}

type Listing = Pick<BlobStore, 'checkContainer' | 'list' | 'listFolders' | 'containerModified' | 'findByTags'>

function listing(account: Account): Listing {
  const inContainer = <T>(name: string, call: () => Promise<T>): Promise<T> => guarded(`container ${name}`, call)
  return {
    checkContainer: (name) => checkContainer(account, name),
    list: (name, options) => listPages(() => account.container(name), name, options ?? {}),
    listFolders: (name, options) => inContainer(name, async () => folderPage(await account.container(name), options)),
    containerModified: async (name) => {
      try {
        return await inContainer(name, async () =>
          (await (await account.container(name)).getProperties()).lastModified?.toISOString(),
        )
      } catch (error) {
        if (error instanceof AppError && error.code === 'CONTAINER_NOT_FOUND') return undefined
        throw error
      }
    },
    findByTags: (name, query) => findByTags(() => account.container(name), name, query),
  }
}

type Reading = Pick<
  BlobStore,
  | 'properties'
  | 'plainUrl'
  | 'tags'
  | 'read'
  | 'readRange'
  | 'readStream'
  | 'readChunks'
  | 'downloadMany'
  | 'exists'
  | 'blockList'
>

function reading(account: Account): Reading {
  const read = <T>(ref: BlobRef, call: (client: BlockBlobClient) => Promise<T>): Promise<T> =>
    guarded(nameOf(ref), async () => call(await account.reader(ref)))
  const stream: Reading['readStream'] = (ref, options) => read(ref, (client) => readStream(client, ref, options ?? {}))
  return {
    properties: (ref) => read(ref, (client) => propertiesOf(client, ref)),
    plainUrl: (ref) => plainUrl(account.settings, ref),
    tags: (ref) => read(ref, async (client) => (await client.getTags()).tags),
    read: (ref, options) => read(ref, (client) => readWhole(client, ref, options ?? {})),
    readRange: async (ref, offset, length) => bytesOf((await stream(ref, { offset, length })).body),
    readStream: stream,
    readChunks: (ref, options) => readChunks(() => account.reader(ref), ref, options ?? {}),
    downloadMany: (name, names, options) => downloadMany({ readStream: stream }, name, names, options ?? {}),
    exists: (ref) => read(ref, (client) => client.exists()),
    blockList: (ref) => read(ref, blockList),
  }
}

type Writing = Pick<BlobStore, 'write' | 'delete' | 'setMetadata' | 'setTags' | 'stageBlock' | 'commitBlocks'>

function writing(account: Account): Writing {
  const change = <T>(ref: BlobRef, call: (client: BlockBlobClient) => Promise<T>): Promise<T> =>
    guarded(nameOf(ref), async () => call(await account.reader(ref)))
  const make = <T>(ref: BlobRef, call: (client: BlockBlobClient) => Promise<T>): Promise<T> =>
    guarded(nameOf(ref), async () => call(await account.writer(ref)))
  return {
    write: (container, blob, body, options) => make({ container, blob }, (client) => writeBlob(client, body, options)),
    stageBlock: (ref, id, bytes) => make(ref, (client) => stageBlock(client, id, bytes)),
    commitBlocks: (ref, ids, options) => make(ref, (client) => commitBlocks(client, ids, options)),
    delete: (ref) => change(ref, (client) => deleteBlob(client, ref)),
    setMetadata: (ref, metadata) => change(ref, (client) => setMetadata(client, ref, metadata)),
    setTags: (ref, tags) => change(ref, async (client) => void (await client.setTags({ ...tags }))),
  }
}

function signing(account: Account): Pick<BlobStore, 'copy' | 'createSas' | 'createContainerSas'> {
  const signer = new SasSigner()
  const createSas: BlobStore['createSas'] = (ref, options) =>
    guarded(nameOf(ref), async () => {
      const client = await account.reader(ref)
      return signer.sign(await account.service(), client, options ?? {})
    })
  return {
    createSas,
    createContainerSas: (name, options) =>
      guarded(`container ${name}`, async () =>
        signer.sign(await account.service(), await account.container(name), options ?? {}),
      ),
    copy: (from, to, options) =>
      guarded(nameOf(to), async () => {
        const target = await account.writer(to)
        const { url } = await createSas(from)
        return copyBlob(target, url, options)
      }),
  }
}

async function propertiesOf(client: BlockBlobClient, ref: BlobRef): Promise<BlobMetadata> {
  const properties = await client.getProperties(conditions(ref))
  return parseBlob({ name: ref.blob, properties, metadata: properties.metadata }).blob
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

async function checkContainer(account: Account, name: string): Promise<void> {
  const parsed = ContainerName.safeParse(name)
  if (!parsed.success)
    throw new AppError('INVALID_NAME', `The container name ${JSON.stringify(name.slice(0, 100))} is not legal.`)
  if (!account.settings.allowed.has(parsed.data) || parsed.data === INTERNAL_CONTAINER) {
    throw new AppError('CONTAINER_NOT_ALLOWED', `Container '${parsed.data}' is not on the allow-list (ALLOWED_CONTAINERS).`)
  }
  const exists = await guarded(`container ${parsed.data}`, async () => (await account.container(parsed.data)).exists())
  if (!exists) throw new AppError('CONTAINER_NOT_FOUND', `Container '${parsed.data}' does not exist.`)
}

const nameOf = (ref: BlobRef): string => `${ref.container}/${ref.blob}`
const conditions = (ref: BlobRef): { conditions?: { ifMatch: string } } => (ref.etag ? { conditions: { ifMatch: ref.etag } } : {})
