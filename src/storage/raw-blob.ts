// What the SDK hands over of one blob, made ours by a total schema: the service leaves elements out, leaves them empty or gives them
// attributes, and the SDK's XML parser turns those into '', objects or undefined. An odd element makes one fact missing, never a failed page.
import * as z from 'zod'
import type { BlobMetadata, MissingFact } from '../models/blob.ts'
import { describeBlob } from './blob-metadata.ts'

/** An element with attributes comes as an object that holds its text. */
const textOf = (value: unknown): string | undefined => {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value !== 'object' || value === null) return undefined
  const inner: unknown = ['content', '_', '#text'].map((key) => Object.getOwnPropertyDescriptor(value, key)?.value).find(Boolean)
  return typeof inner === 'string' || typeof inner === 'number' ? String(inner) : undefined
}
const Text = z.unknown().transform((value) => textOf(value) || undefined)
const Size = z.unknown().transform((value) => {
  const size = Number(textOf(value) || Number.NaN)
  return Number.isSafeInteger(size) && size >= 0 ? size : undefined
})
const When = z.unknown().transform((value) => {
  const at = value instanceof Date ? value : new Date(textOf(value) ?? Number.NaN)
  return Number.isNaN(at.getTime()) ? undefined : at
})
const Bytes = z.unknown().transform((value) => (value instanceof Uint8Array ? value : undefined))

/**
 * Names in lower case: listings keep the case of whoever wrote them, header reads do not, and the service compares without it.
 * Absent and empty mean none; what is no text is left out and told.
 */
const Metadata = z.unknown().transform((value) => {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : []
  const known = entries.map(([name, text]) => [name.toLowerCase(), text === '' ? '' : textOf(text)] as const)
  const odd =
    known.some(([, text]) => text === undefined) ||
    !(value === undefined || value === null || value === '' || typeof value === 'object')
  return { values: Object.fromEntries(known.filter((e): e is readonly [string, string] => e[1] !== undefined)), odd }
})

const Properties = z.object({
  contentLength: Size,
  lastModified: When,
  contentType: Text,
  contentEncoding: Text,
  contentMD5: Bytes,
  etag: Text,
  accessTier: Text,
  archiveStatus: Text,
  resourceType: Text,
})
/** Every member is given, absent ones as undefined: nothing that the schema is handed can fail it. */
function propertiesOf(raw: unknown): z.infer<typeof Properties> {
  const given = (typeof raw === 'object' && raw !== null ? raw : {}) as Record<string, unknown>
  return Properties.parse(Object.fromEntries(Object.keys(Properties.shape).map((key) => [key, given[key]])))
}

export interface RawBlob {
  /** Undefined: nothing can name it. */
  readonly name: string | undefined
  /** A folder of a hierarchical namespace, or its zero-byte stand-in. What holds bytes is a blob, whatever its marks. */
  readonly isFolder: boolean
  readonly blob: BlobMetadata
}

/**
 * @param item a blob of a listing, `{name, properties, metadata}`, or the same made of header reads; anything at all is understood
 * @param withoutMetadata it was not asked for, because the SDK cannot read the page with it
 */
export function parseBlob(item: unknown, withoutMetadata = false): RawBlob {
  const raw = (typeof item === 'object' && item !== null ? item : {}) as Record<string, unknown>
  const name = textOf(raw['name'])
  const p = propertiesOf(raw['properties'])
  const { values: metadata, odd } = Metadata.parse(raw['metadata'])
  const missing: MissingFact[] = [
    ...(p.contentLength === undefined ? [{ what: 'size', code: NOT_UNDERSTOOD }] : []),
    ...(p.lastModified === undefined ? [{ what: 'last_modified', code: NOT_UNDERSTOOD }] : []),
    ...(odd || withoutMetadata ? [{ what: 'metadata', code: NOT_UNDERSTOOD }] : []),
  ]
  const marked = metadata['hdi_isfolder']?.toLowerCase() === 'true' || p.resourceType?.toLowerCase() === 'directory'
  return {
    name,
    isFolder: (p.contentLength ?? 0) === 0 && (marked || (name ?? '').endsWith('/')),
    blob: describeBlob({
      ...p,
      name: name ?? '',
      size: p.contentLength ?? 0,
      lastModified: p.lastModified ?? new Date(0),
      metadata,
      missing,
    }),
  }
}

const NOT_UNDERSTOOD = 'NOT_UNDERSTOOD'
