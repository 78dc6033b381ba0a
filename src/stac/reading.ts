// Statements that read records one by one, or list collections.

const COLLECTION = `c.collection_id, c.kind, c.container, c.prefix, c.content, c.west, c.south, c.east, c.north, c.start_at, c.end_at,
  c.created_at, c.updated_at`

/** $1: id. */
export const COLLECTION_BY_ID = `SELECT ${COLLECTION} FROM app.stac_collections c WHERE c.collection_id = $1`
/** $1: behind this id; $2: at most so many. */
export const COLLECTIONS = `SELECT ${COLLECTION} FROM app.stac_collections c WHERE c.collection_id > $1 ORDER BY c.collection_id LIMIT $2`
/** What was made from an item; $1 and $2: its ids; $3: at most so many. */
export const DERIVED_ITEMS = `SELECT i.collection_id, i.item_id FROM app.stac_items i
  WHERE i.source_collection = $1 AND i.source_item = $2 ORDER BY i.collection_id, i.item_id LIMIT $3`
