// Writing a static catalogue: a range of items, and at the end what leads to them. Every step can be repeated.
import type { BlobStore } from '../models/blob-store.ts'
import type { CatalogueRecords, ItemRange } from '../models/stac-record.ts'
import { AppError } from '../rules/errors.ts'
import {
  exportedCatalog,
  exportedCollection,
  type ExportedDocument,
  exportedItem,
  type ExportTarget,
  fileStemOf,
} from './static-catalogue.ts'

/** Items of a task. */
export const ITEMS_PER_RANGE = 200
/** Items of a collection: its file has a link for each, and readers load it whole. */
export const MAX_ITEMS = 100_000
/** Blobs that are written at once. */
const AT_ONCE = 8

interface StepContext {
  readonly blobs: BlobStore
  readonly catalogue: CatalogueRecords
  readonly now: () => Date
}

/**
 * Ranges of the items of collections, in the order of collections and ids; items whose files are gone are in none.
 * @throws AppError `EXPORT_TOO_LARGE`
 */
export async function* rangesOf(
  catalogue: CatalogueRecords,
  collections: readonly string[],
): AsyncGenerator<ItemRange & { collection: string }> {
  for (const collection of collections) {
    let items = 0
    for await (const range of catalogue.ranges(collection, ITEMS_PER_RANGE)) {
      items += range.count
      if (items > MAX_ITEMS)
        throw new AppError(
          'EXPORT_TOO_LARGE',
          `The collection ${collection} has more than ${MAX_ITEMS} items; its collection.json would have a link for each. Name other collections.`,
        )
      yield { collection, ...range }
    }
  }
}

type Place = Omit<ExportTarget, 'blobUrl'>

/** @returns stems of the items' files @throws AppError `STAC_INVALID`, what storage and database answer */
export async function writeItems(
  { blobs, catalogue, now }: StepContext,
  { collection, after, until }: Omit<ItemRange, 'count'> & { readonly collection: string },
  place: Place,
): Promise<{ stems: string[]; warnings: Record<string, number> }> {
  const records = await catalogue.items(collection, { after, until })
  const blobUrl = (container: string, blob: string): string | undefined => blobs.plainUrl({ container, blob })
  const warnings: Record<string, number> = {}
  for (let i = 0; i < records.length; i += AT_ONCE)
    await Promise.all(
      records.slice(i, i + AT_ONCE).map(async (record) => {
        const made = exportedItem(record, { ...place, blobUrl }, now())
        for (const code of made.warnings) warnings[code] = (warnings[code] ?? 0) + 1
        await write(blobs, place.container, made, 'application/geo+json')
      }),
    )
  return { stems: records.map((record) => fileStemOf(record.item_id)), warnings }
}

/** The catalogue comes last: it never leads to what is not there. */
export async function writeCatalogue(
  { blobs, catalogue, now }: StepContext,
  stems: ReadonlyMap<string, readonly string[]>,
  place: Place,
): Promise<string[]> {
  const target = { ...place, blobUrl: () => undefined }
  const written: string[] = []
  for (const record of await catalogue.collections([...place.collections])) {
    const made = exportedCollection(record, stems.get(record.collection_id) ?? [], target, now())
    await write(blobs, place.container, made, 'application/json')
    written.push(record.collection_id)
  }
  await write(blobs, place.container, exportedCatalog(written, target, now()), 'application/json')
  return written
}

async function write(
  blobs: BlobStore,
  container: string,
  { name, document }: ExportedDocument<unknown>,
  contentType: string,
): Promise<void> {
  await blobs.write(container, name, Buffer.from(JSON.stringify(document)), { mode: 'overwrite', contentType })
}
