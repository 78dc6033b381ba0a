// One storage account: its SDK client, loaded and reached at the first call, and the two locks on every name.
import type { TokenCredential } from '@azure/identity'
import type { BlobClient, BlobServiceClient, BlockBlobClient, ContainerClient } from '@azure/storage-blob'
import { AppError } from '../rules/errors.ts'
import type { BlobRef } from '../models/blob.ts'
import type { Tiers } from '../models/blob-store.ts'
import { readListings } from './listing-policy.ts'
import { traceRequests } from './trace-requests.ts'
import { assertName, blobNameProblem, writableNameProblem } from './names.ts'

export interface BlobStoreSettings {
  /** Shared key (laptop); else `accountUrl` with `credential`. */
  readonly connectionString: string | undefined
  readonly accountUrl: string | undefined
  /** The identity of the process; not needed with a connection string. */
  readonly credential?: TokenCredential
  readonly allowed: ReadonlySet<string>
  /** Default: `bronze`, `silver`, `gold`. */
  readonly tiers?: Tiers
}

/** The data account of the settings; a child process reads the same ones. */
export const dataAccount = (env: {
  readonly DATA_STORAGE?: string | undefined
  readonly DATA_STORAGE_URL?: string | undefined
  readonly AzureWebJobsStorage?: string | undefined
}): Pick<BlobStoreSettings, 'connectionString' | 'accountUrl'> => ({
  connectionString: env.DATA_STORAGE || (env.DATA_STORAGE_URL ? undefined : env.AzureWebJobsStorage),
  accountUrl: env.DATA_STORAGE_URL || undefined,
})

/** Clients are kept in the instance; parallel first calls make one. */
export class Account {
  readonly settings: BlobStoreSettings
  readonly #containers = new Map<string, ContainerClient>()
  #service: Promise<BlobServiceClient> | undefined

  constructor(settings: BlobStoreSettings) {
    this.settings = settings
  }

  service(): Promise<BlobServiceClient> {
    return (this.#service ??= connect(this.settings))
  }

  async container(name: string): Promise<ContainerClient> {
    const client = this.#containers.get(name) ?? (await this.service()).getContainerClient(name)
    this.#containers.set(name, client)
    return client
  }

  /** @throws AppError `INVALID_NAME` */
  reader(ref: BlobRef): Promise<BlockBlobClient> {
    return this.#blob(ref, blobNameProblem(ref.blob))
  }

  /** @throws AppError `INVALID_NAME`, also for names that can be read but should not be made */
  writer(ref: BlobRef): Promise<BlockBlobClient> {
    return this.#blob(ref, writableNameProblem(ref.blob))
  }

  async #blob(ref: BlobRef, problem: string | undefined): Promise<BlockBlobClient> {
    assertName(problem, ref.blob)
    return sameBlob((await this.container(ref.container)).getBlockBlobClient(ref.blob), ref)
  }
}

async function connect(settings: BlobStoreSettings): Promise<BlobServiceClient> {
  const { BlobServiceClient, newPipeline } = await import('@azure/storage-blob')
  // The SDK's retry policy is the only one for blob calls; nothing stacks on it.
  const options = { retryOptions: { maxTries: 4, retryDelayInMs: 500, maxRetryDelayInMs: 8000, tryTimeoutInMs: 60_000 } }
  const traced = (url: string, credential: Parameters<typeof newPipeline>[0]): BlobServiceClient => {
    const pipeline = newPipeline(credential, options)
    pipeline.factories.push(traceRequests, readListings)
    return new BlobServiceClient(url, pipeline)
  }
  if (settings.connectionString) {
    const { url, credential } = BlobServiceClient.fromConnectionString(settings.connectionString)
    return traced(url, credential)
  }
  if (!settings.accountUrl || !settings.credential)
    throw new AppError('CONFIG_INVALID', 'No data account: set DATA_STORAGE_URL (identity) or DATA_STORAGE (connection string).')
  return traced(settings.accountUrl, settings.credential)
}

/** The second lock: what the client will ask for is what the caller named. */
export function sameBlob<C extends BlobClient>(client: C, ref: BlobRef): C {
  if (client.containerName === ref.container && client.name === ref.blob) return client
  throw new AppError(
    'NAME_ESCAPES_CONTAINER',
    `A request for ${JSON.stringify(ref.blob)} would have left container ${ref.container}.`,
  )
}
