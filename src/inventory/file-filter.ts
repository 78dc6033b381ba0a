// Does a blob match a FileFilter and a substring? Compiled once, asked per blob.
import type { BlobMetadata } from '../models/blob.ts'
import type { FileFilter } from '../models/file-filter.ts'
import { compileGlob } from './glob.ts'

/**
 * @param filter case-insensitive substring of the full name
 * @throws Error when the pattern cannot be compiled
 */
export function blobMatcher(filter: string | undefined, fields: FileFilter | undefined): (blob: BlobMetadata) => boolean {
  const tests: ((blob: BlobMetadata) => boolean)[] = []
  const needle = filter?.toLowerCase()
  if (needle) tests.push((b) => b.name.toLowerCase().includes(needle))
  const { prefix, extension, pattern, min_size, max_size, modified_after, modified_before, metadata_match } = fields ?? {}
  if (prefix !== undefined) tests.push((b) => b.name.startsWith(prefix))
  const wanted = extension?.toLowerCase().replace(/^\./, '')
  if (wanted !== undefined) tests.push((b) => b.extension === wanted)
  if (pattern !== undefined) {
    const glob = compileGlob(pattern)
    tests.push((b) => glob(b.name))
  }
  if (min_size !== undefined) tests.push((b) => b.size >= min_size)
  if (max_size !== undefined) tests.push((b) => b.size <= max_size)
  if (modified_after !== undefined) tests.push((b) => Date.parse(b.last_modified) > Date.parse(modified_after))
  if (modified_before !== undefined) tests.push((b) => Date.parse(b.last_modified) < Date.parse(modified_before))
  if (metadata_match !== undefined) tests.push((b) => hasMetadata(b, metadata_match))
  return (blob) => tests.every((test) => test(blob))
}

function hasMetadata(blob: BlobMetadata, wanted: Readonly<Record<string, string>>): boolean {
  const own = new Map(Object.entries(blob.metadata).map(([k, v]) => [k.toLowerCase(), v]))
  return Object.entries(wanted).every(([k, v]) => own.get(k.toLowerCase()) === v)
}
