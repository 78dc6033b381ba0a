// The catalogue read page by page, by the ids of its items: for who writes all of it elsewhere.
import type { CataloguedCollection, CataloguedItem, ItemRange } from '../models/stac-record.ts'
import type { Database } from './pool.ts'

/** @param ids default: all */
export function collectionsOf(db: Database, ids: readonly string[] | undefined): Promise<CataloguedCollection[]> {
  return db.query<CataloguedCollection>(
    `SELECT collection_id, kind, container, prefix, content, west, south, east, north, start_at, end_at, version, created_at, updated_at
     FROM app.stac_collections WHERE $1::text[] IS NULL OR collection_id = ANY ($1) ORDER BY collection_id`,
    [ids ?? null],
  )
}

/** Keyset pages: each is one step in the primary key, however large the collection. */
export async function* itemRanges(db: Database, collectionId: string, size: number): AsyncGenerator<ItemRange> {
  for (let after = ''; ;) {
    const [page] = await db.query<{ until: string | null; count: number }>(
      `SELECT max(item_id) AS until, count(*)::integer AS count FROM (
         SELECT item_id FROM app.stac_items WHERE collection_id = $1 AND item_id > $2 AND missing_since IS NULL
         ORDER BY item_id LIMIT $3) i`,
      [collectionId, after, size],
    )
    if (!page || page.until === null) return
    yield { after, until: page.until, count: page.count }
    if (page.count < size) return
    after = page.until
  }
}

export function itemsOfRange(
  db: Database,
  collectionId: string,
  { after, until }: Omit<ItemRange, 'count'>,
): Promise<CataloguedItem[]> {
  return db.query<CataloguedItem>(
    `SELECT i.collection_id, i.item_id, i.kind, i.container, i.name, i.blob, i.etag, i.mode, i.west, i.south, i.east, i.north, i.crosses,
       i.is_box, i.source_collection, i.source_item, i.source_etag, i.content, i.version, i.created_at, i.updated_at, i.missing_since,
       CASE WHEN i.source_item IS NULL THEN NULL WHEN s.item_id IS NULL THEN 'absent'
         WHEN s.etag IS DISTINCT FROM i.source_etag THEN 'changed' ELSE 'same' END AS source_state
     FROM app.stac_items i
     LEFT JOIN app.stac_items s ON s.collection_id = i.source_collection AND s.item_id = i.source_item
     WHERE i.collection_id = $1 AND i.item_id > $2 AND i.item_id <= $3 AND i.missing_since IS NULL ORDER BY i.item_id`,
    [collectionId, after, until],
  )
}
