// What is derived from a blob's name and size; computed in one place, so that listing and properties never differ.
import type { BlobMetadata, MissingFact, SizeCategory } from '../models/blob.ts'

const MIB = 1_048_576

/** tiny < 1 MiB ≤ small < 10 MiB ≤ medium < 100 MiB ≤ large < 1 GiB ≤ huge. */
export function sizeCategory(bytes: number): SizeCategory {
  if (bytes < MIB) return 'tiny'
  if (bytes < 10 * MIB) return 'small'
  if (bytes < 100 * MIB) return 'medium'
  return bytes < 1024 * MIB ? 'large' : 'huge'
}

/** MiB rounded to two decimals. */
export const toMib = (bytes: number): number => Math.round((bytes / MIB) * 100) / 100

/**
 * Text after the last dot of the last segment, lower case, `[a-z0-9]{1,16}`; else `no_extension`.
 * @example extensionOf('a.b/c') // 'no_extension'
 */
export function extensionOf(name: string): string {
  const file = name.slice(name.lastIndexOf('/') + 1)
  const dot = file.lastIndexOf('.')
  const text = file.slice(dot + 1).toLowerCase()
  return dot > 0 && /^[a-z0-9]{1,16}$/.test(text) ? text : 'no_extension'
}

/** Everything before the last slash, or the empty text. */
export const folderOf = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf('/')))

/** What listing and properties answers have in common. */
export interface RawBlob {
  readonly name: string
  readonly size: number
  readonly lastModified: Date
  readonly contentType?: string | undefined
  readonly etag?: string | undefined
  readonly metadata?: Record<string, string> | undefined
  readonly contentMD5?: Uint8Array | undefined
  readonly accessTier?: string | undefined
  readonly contentEncoding?: string | undefined
  readonly archiveStatus?: string | undefined
  readonly missing?: readonly MissingFact[] | undefined
}

/** ETags come quoted from one operation and bare from the other; kept as the header form. */
const quoted = (etag: string): string => (etag.startsWith('"') || etag.startsWith('W/') ? etag : `"${etag}"`)

export function describeBlob(raw: RawBlob): BlobMetadata {
  return {
    name: raw.name,
    size: raw.size,
    last_modified: raw.lastModified.toISOString(),
    ...(raw.contentType ? { content_type: raw.contentType } : {}),
    ...(raw.etag ? { etag: quoted(raw.etag) } : {}),
    metadata: raw.metadata ?? {},
    ...(raw.contentEncoding ? { content_encoding: raw.contentEncoding } : {}),
    ...(raw.contentMD5 && raw.contentMD5.length > 0 ? { content_md5: Buffer.from(raw.contentMD5).toString('hex') } : {}),
    ...(raw.accessTier ? { access_tier: raw.accessTier } : {}),
    ...(raw.archiveStatus ? { archive_status: raw.archiveStatus } : {}),
    size_category: sizeCategory(raw.size),
    extension: extensionOf(raw.name),
    folder_path: folderOf(raw.name),
    is_aggregate: false,
    ...(raw.missing && raw.missing.length > 0 ? { missing: [...raw.missing] } : {}),
  }
}
