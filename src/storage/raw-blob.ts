// What the service says of one blob, by listings and by headers, made ours: it leaves elements out, leaves them empty or gives them what
// nobody expects. An odd element makes one fact missing, never a failed page.
import type { BlobMetadata, MissingFact } from '../models/blob.ts'
import { describeBlob } from './blob-metadata.ts'

/** As a listing (texts) or the SDK's header reads (parsed) give it; absent and empty mean none. */
export interface RawBlob {
  readonly name: string | undefined
  readonly properties: {
    readonly contentLength?: string | number | undefined
    readonly lastModified?: string | Date | undefined
    readonly contentType?: string | undefined
    readonly contentEncoding?: string | undefined
    readonly contentMD5?: Uint8Array | undefined
    readonly etag?: string | undefined
    readonly accessTier?: string | undefined
    readonly archiveStatus?: string | undefined
    readonly resourceType?: string | undefined
  }
  /** Undefined: a value that is no text. */
  readonly metadata: Readonly<Record<string, string | undefined>> | undefined
}

export interface ParsedBlob {
  /** Undefined: nothing can name it. */
  readonly name: string | undefined
  /** A folder of a hierarchical namespace, or its zero-byte stand-in. What holds bytes is a blob, whatever its marks. */
  readonly isFolder: boolean
  readonly blob: BlobMetadata
}

export function parseBlob({ name = '', properties: p, metadata: given }: RawBlob): ParsedBlob {
  const size = sizeOf(p.contentLength)
  const lastModified = timeOf(p.lastModified)
  const { values: metadata, odd } = metadataOf(given ?? {})
  const missing: MissingFact[] = [
    ...(size === undefined ? [{ what: 'size', code: NOT_UNDERSTOOD }] : []),
    ...(lastModified === undefined ? [{ what: 'last_modified', code: NOT_UNDERSTOOD }] : []),
    ...(odd ? [{ what: 'metadata', code: NOT_UNDERSTOOD }] : []),
  ]
  const marked = metadata['hdi_isfolder']?.toLowerCase() === 'true' || p.resourceType?.toLowerCase() === 'directory'
  return {
    name: name || undefined,
    isFolder: (size ?? 0) === 0 && (marked || name.endsWith('/')),
    blob: describeBlob({ ...p, name, size: size ?? 0, lastModified: lastModified ?? new Date(0), metadata, missing }),
  }
}

/** Why a fact is missing that was there and meant nothing. */
export const NOT_UNDERSTOOD = 'NOT_UNDERSTOOD'

function sizeOf(given: string | number | undefined): number | undefined {
  const size = Number(given === undefined || given === '' ? Number.NaN : given)
  return Number.isSafeInteger(size) && size >= 0 ? size : undefined
}

function timeOf(given: string | Date | undefined): Date | undefined {
  const at = given instanceof Date ? given : new Date(given ?? Number.NaN)
  return Number.isNaN(at.getTime()) ? undefined : at
}

/**
 * Names in lower case: listings keep the case of whoever wrote them, header reads do not, and the service compares without it.
 * What is no text is left out and told.
 */
function metadataOf(given: Readonly<Record<string, string | undefined>>): { values: Record<string, string>; odd: boolean } {
  const entries = Object.entries(given).map(([name, text]) => [name.toLowerCase(), text] as const)
  const known = entries.filter((e): e is readonly [string, string] => e[1] !== undefined)
  return { values: Object.fromEntries(known), odd: known.length < entries.length }
}
