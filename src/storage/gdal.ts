// What a machine with GDAL needs to open a blob: paths and settings, made from a signature to read it.
import type { SasGrant } from '../models/blob-store.ts'
import { extensionOf } from './blob-metadata.ts'

export interface GdalAccess {
  /** For GDAL's Azure driver, together with `env`. */
  readonly vsi_path: string
  /** Ready to open; carries the signature. */
  readonly vsicurl_path: string
  readonly env: Readonly<Record<string, string>>
  readonly expires_at: string
  readonly example: string
}

/** @see https://gdal.org/en/stable/user/virtual_file_systems.html#vsiaz-microsoft-azure-blob-files */
export function gdalAccess(container: string, blob: string, grant: SasGrant): GdalAccess {
  const url = new URL(grant.url)
  const token = url.search.slice(1)
  const vsi_path = `/vsiaz/${container}/${blob}`
  const extension = extensionOf(blob)
  const extensions = ['.tif', '.tiff', ...(/^(tiff?|no_extension)$/.test(extension) ? [] : [`.${extension}`])]
  const env = {
    AZURE_STORAGE_ACCOUNT: grant.account,
    AZURE_STORAGE_SAS_TOKEN: token,
    // A signature for one blob cannot list: asking for neighbours would fail.
    GDAL_DISABLE_READDIR_ON_OPEN: 'EMPTY_DIR',
    // Without an extension the name alone must do.
    ...(extension === 'no_extension' ? {} : { CPL_VSIL_CURL_ALLOWED_EXTENSIONS: extensions.join(',') }),
    GDAL_HTTP_MAX_RETRY: '3',
    ...(url.host === `${grant.account}.blob.core.windows.net` ? {} : elsewhere(url, container, token)),
  }
  const settings = Object.entries(env).map(([name, value]) => `${name}=${quoted(value)}`)
  return {
    vsi_path,
    vsicurl_path: `/vsicurl/${grant.url}`,
    env,
    expires_at: grant.expires_at,
    example: `${settings.join(' ')} gdalinfo ${quoted(vsi_path)}`,
  }
}

/**
 * GDAL makes the address of the public cloud from the account's name, and would send the signature to a stranger wherever the account is
 * elsewhere: other clouds, DNS zones, custom domains, an emulator. The endpoint is what stands before the container in the blob's URL.
 */
const elsewhere = (url: URL, container: string, token: string): Record<string, string> => {
  const before = url.pathname.slice(0, url.pathname.indexOf(`/${container}/`))
  return { AZURE_STORAGE_CONNECTION_STRING: `BlobEndpoint=${url.origin}${before};SharedAccessSignature=${token}` }
}

/** For a POSIX shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
