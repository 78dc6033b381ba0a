-- widen_extent: a collection covers one more item. Writes, and locks the row, only when the item lies outside of what it covers.
-- Shrinking is refresh_extent's. Rejected: an update per item; one hot row would put every writer of a collection in line.
CREATE FUNCTION app.widen_extent(p_collection_id text, p_item_id text) RETURNS void
LANGUAGE sql SET lock_timeout = '5s' AS $$
  UPDATE app.stac_collections c SET
    west = least(c.west, i.west), south = least(c.south, i.south), east = greatest(c.east, i.east), north = greatest(c.north, i.north),
    start_at = least(c.start_at, i.start_at), end_at = greatest(c.end_at, i.end_at), updated_at = now()
  FROM (
    SELECT CASE WHEN s.crosses THEN -180 ELSE s.west END AS west, s.south, CASE WHEN s.crosses THEN 180 ELSE s.east END AS east, s.north,
      s.start_at, s.end_at
    FROM app.stac_items s WHERE s.collection_id = p_collection_id AND s.item_id = p_item_id
  ) i
  WHERE c.collection_id = p_collection_id AND (
    i.west < c.west OR i.south < c.south OR i.east > c.east OR i.north > c.north OR (c.west IS NULL AND i.west IS NOT NULL)
    OR c.start_at IS NULL OR i.start_at < c.start_at OR i.end_at > c.end_at)
$$;
