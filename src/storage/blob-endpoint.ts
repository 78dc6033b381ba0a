// The address of blobs that everybody may read; no SDK is loaded for it.
import type { BlobRef } from '../models/blob.ts'
import { encodePath } from '../rules/encode-path.ts'

export interface AccountAddress {
  readonly connectionString: string | undefined
  readonly accountUrl: string | undefined
}

/** Of the account, without a slash at its end; undefined when the settings do not tell. */
function endpointOf({ connectionString, accountUrl }: AccountAddress): string | undefined {
  if (accountUrl) return accountUrl.replace(/\/+$/, '')
  const parts = new Map(
    (connectionString ?? '').split(';').map((part): [string, string] => {
      const at = part.indexOf('=')
      return [part.slice(0, at).toLowerCase(), part.slice(at + 1)]
    }),
  )
  const endpoint = parts.get('blobendpoint')
  if (endpoint) return endpoint.replace(/\/+$/, '')
  const name = parts.get('accountname')
  return name && `https://${name}.blob.${parts.get('endpointsuffix') ?? 'core.windows.net'}`
}

/** Without signature; undefined when the settings do not tell the account's address. */
export function plainUrl(address: AccountAddress, { container, blob }: BlobRef): string | undefined {
  const endpoint = endpointOf(address)
  return endpoint && `${endpoint}/${container}/${encodePath(blob)}`
}
