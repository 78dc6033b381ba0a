// Shared access signatures of one blob, or of a container: by the user delegation key of the identity, or by the account key of a laptop.
import type { BlobServiceClient, BlockBlobClient, ContainerClient, UserDelegationKey } from '@azure/storage-blob'
import { AppError } from '../rules/errors.ts'
import type { SasGrant, SasOptions } from '../models/blob-store.ts'

const MAX_MINUTES = 60
/** Clocks differ: a signature that begins now would be refused by a service that is a little behind. */
const EARLIER_MS = 5 * 60_000
/** How long a key lives; any signature ends within an hour, so half of that is time enough for one more. */
const KEY_MS = 6 * 3_600_000

/** Signs for one account; the delegation key is asked for once and renewed at half its life. */
export class SasSigner {
  readonly #now: () => number
  #key: { readonly value: Promise<UserDelegationKey>; readonly renewAt: number } | undefined

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /**
   * For one blob (r or rcw), or for a container as a whole (rl).
   * @throws AppError `INVALID_PARAMETERS` for minutes outside 1-60 or other permissions
   */
  async sign(service: BlobServiceClient, client: ContainerClient | BlockBlobClient, options: SasOptions): Promise<SasGrant> {
    const blobName = 'name' in client ? client.name : undefined
    const { permissions = blobName === undefined ? 'rl' : 'r', minutes = MAX_MINUTES } = options
    if (!Number.isInteger(minutes) || minutes < 1 || minutes > MAX_MINUTES)
      refuse('minutes', `is a whole number from 1 to ${MAX_MINUTES}`)
    const legal = blobName === undefined ? ['rl'] : ['r', 'rcw']
    if (!legal.includes(permissions)) refuse('permissions', `is ${legal.join(' or ')}`)
    const sdk = await import('@azure/storage-blob')
    const expires = new Date(this.#now() + minutes * 60_000)
    const values = {
      containerName: client.containerName,
      ...(blobName === undefined
        ? { permissions: sdk.ContainerSASPermissions.parse(permissions) }
        : { blobName, permissions: sdk.BlobSASPermissions.parse(permissions) }),
      startsOn: new Date(this.#now() - EARLIER_MS),
      expiresOn: expires,
      // An emulator speaks HTTP.
      protocol: client.url.startsWith('https:') ? sdk.SASProtocol.Https : sdk.SASProtocol.HttpsAndHttp,
    }
    const { credential, accountName: account } = service
    const byKey = credential instanceof sdk.StorageSharedKeyCredential
    const query = byKey
      ? sdk.generateBlobSASQueryParameters(values, credential)
      : sdk.generateBlobSASQueryParameters(values, await this.#delegationKey(service), account)
    return {
      url: `${client.url}?${query.toString()}`,
      expires_at: expires.toISOString(),
      permissions,
      kind: byKey ? 'service' : 'user_delegation',
      account,
    }
  }

  #delegationKey(service: BlobServiceClient): Promise<UserDelegationKey> {
    const now = this.#now()
    if (!this.#key || now >= this.#key.renewAt) {
      const from = now - EARLIER_MS
      const value = service.getUserDelegationKey(new Date(from), new Date(from + KEY_MS)).catch(refused)
      const key = { value, renewAt: now + KEY_MS / 2 }
      this.#key = key
      // A refusal is not kept: the next call asks again.
      value.catch(() => {
        if (this.#key === key) this.#key = undefined
      })
    }
    return this.#key.value
  }
}

/** The role for keys is another one than those for blobs. @throws AppError `STORAGE_FORBIDDEN`, or what the service said */
function refused(error: unknown): never {
  if ((error as { readonly statusCode?: number }).statusCode !== 403) throw error
  throw new AppError(
    'STORAGE_FORBIDDEN',
    `The storage account gives no user delegation key. Grant Storage Blob Delegator on the storage account to the app's identity.`,
    { cause: error },
  )
}

function refuse(path: string, message: string): never {
  throw new AppError('INVALID_PARAMETERS', `Invalid input: ${path}: ${message}`, { issues: [{ path, message }] })
}
