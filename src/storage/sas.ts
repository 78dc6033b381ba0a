// Shared access signatures of one blob: by the user delegation key of the identity, or by the account key of a laptop.
import type { BlobServiceClient, BlockBlobClient, UserDelegationKey } from '@azure/storage-blob'
import { AppError } from '../engine/errors.ts'
import type { SasGrant, SasOptions } from '../models/blob-store.ts'

const MAX_MINUTES = 60
const PERMISSIONS = /^(r|rcw)$/
/** Clocks differ: a signature that begins now would be refused by a service that is a little behind. */
const EARLIER_MS = 5 * 60_000
const KEY_MS = 6 * 3_600_000

/** Signs for one account; the delegation key is asked for once and renewed at half its life. */
export class SasSigner {
  readonly #now: () => number
  #key: { readonly value: Promise<UserDelegationKey>; readonly renewAt: number } | undefined

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /** @throws AppError `INVALID_PARAMETERS` for minutes outside 1-60 or permissions other than r and rcw */
  async sign(service: BlobServiceClient, client: BlockBlobClient, options: SasOptions): Promise<SasGrant> {
    const { permissions = 'r', minutes = MAX_MINUTES } = options
    if (!Number.isInteger(minutes) || minutes < 1 || minutes > MAX_MINUTES)
      refuse('minutes', `is a whole number from 1 to ${MAX_MINUTES}`)
    if (!PERMISSIONS.test(permissions)) refuse('permissions', 'is r or rcw')
    const { BlobSASPermissions, generateBlobSASQueryParameters, SASProtocol, StorageSharedKeyCredential } =
      await import('@azure/storage-blob')
    const expires = new Date(this.#now() + minutes * 60_000)
    const values = {
      containerName: client.containerName,
      blobName: client.name,
      permissions: BlobSASPermissions.parse(permissions),
      startsOn: new Date(this.#now() - EARLIER_MS),
      expiresOn: expires,
      // An emulator speaks HTTP.
      protocol: client.url.startsWith('https:') ? SASProtocol.Https : SASProtocol.HttpsAndHttp,
    }
    const { credential } = service
    const byKey = credential instanceof StorageSharedKeyCredential
    const query = byKey
      ? generateBlobSASQueryParameters(values, credential)
      : generateBlobSASQueryParameters(values, await this.#delegationKey(service), service.accountName)
    const kind = byKey ? 'service' : 'user_delegation'
    return { url: `${client.url}?${query.toString()}`, expires_at: expires.toISOString(), permissions, kind }
  }

  #delegationKey(service: BlobServiceClient): Promise<UserDelegationKey> {
    const now = this.#now()
    if (!this.#key || now >= this.#key.renewAt) {
      const value = service.getUserDelegationKey(new Date(now - EARLIER_MS), new Date(now + KEY_MS))
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

function refuse(path: string, message: string): never {
  throw new AppError('INVALID_PARAMETERS', `Invalid input: ${path}: ${message}`, { issues: [{ path, message }] })
}
