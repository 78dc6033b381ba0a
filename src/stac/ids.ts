// Ids of items and collections: from names alone, so that a rerun finds its own.
import { createHash } from 'node:crypto'
import { CollectionId } from '../models/stac-record.ts'

const STEM_CHARACTERS = 80

/**
 * Slug of the file's stem and the first 32 hex digits of sha256(container/name). The name counts as it is listed: case, spaces and
 * Unicode form are significant.
 * @param name the blob, or the logical name of an output
 * @example itemIdOf('bronze', 'a/Scene 1.tif') // 'Scene-1-…'
 */
export function itemIdOf(container: string, name: string): string {
  const file = name.replace(/\/+$/, '').split('/').at(-1) ?? ''
  const stem = file.replace(/(?!^)\.[^.]*$/, '')
  const slug = stem.replaceAll(/[^A-Za-z0-9_-]/g, '-').slice(0, STEM_CHARACTERS)
  return `${slug}-${createHash('sha256').update(`${container}/${name}`).digest('hex').slice(0, 32)}`
}

/** One collection per container; `bronze` and `silver` hold what came and what was made of it. */
export const collectionIdOf = (kind: 'bronze' | 'silver', container: string): string => CollectionId.parse(`${kind}-${container}`)

/** For documents of others. @example ingestedCollectionId('$web') // 'ingested-web' */
export const ingestedCollectionId = (container: string): string =>
  CollectionId.parse(`ingested-${container.replaceAll(/[^a-z0-9_-]/g, '')}`.slice(0, 128))
