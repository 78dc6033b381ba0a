-- sweep_items: items whose files a complete listing did not find. mark: noted at p_at, removed when an earlier listing had noted them;
-- delete: removed at once. p_back are noted ones whose files are there again.
-- What was registered since p_at is left alone: the listing may have passed its name before its file was there.
-- Asked again with the same p_at it changes nothing more, so that a repeated task never takes its own mark for an earlier one.
-- Locks: the items' rows in the order of their ids.
CREATE FUNCTION app.sweep_items(p_collection_id text, p_gone text[], p_back text[], p_at timestamptz, p_missing text)
RETURNS TABLE (marked integer, deleted integer) LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  n_marked integer := 0;
  n_deleted integer := 0;
BEGIN
  PERFORM 1 FROM app.stac_items i
  WHERE i.collection_id = p_collection_id AND (i.item_id = ANY (p_gone) OR i.item_id = ANY (p_back)) ORDER BY i.item_id FOR UPDATE;
  UPDATE app.stac_items i SET missing_since = NULL, updated_at = now()
  WHERE i.collection_id = p_collection_id AND i.item_id = ANY (p_back) AND i.missing_since IS NOT NULL;
  DELETE FROM app.stac_items i
  WHERE i.collection_id = p_collection_id AND i.item_id = ANY (p_gone) AND i.updated_at < p_at
    AND (p_missing = 'delete' OR i.missing_since < p_at);
  GET DIAGNOSTICS n_deleted = ROW_COUNT;
  UPDATE app.stac_items i SET missing_since = p_at, updated_at = now()
  WHERE i.collection_id = p_collection_id AND i.item_id = ANY (p_gone) AND i.updated_at < p_at AND i.missing_since IS NULL;
  GET DIAGNOSTICS n_marked = ROW_COUNT;
  RETURN QUERY SELECT n_marked, n_deleted;
END $$;
