-- refresh_extent: the collection covers exactly its items from now on; answers with their number. Asked once per job, and after deletions.
-- Locks: the collection's row, for the length of one scan of its items.
CREATE FUNCTION app.refresh_extent(p_collection_id text, p_summaries jsonb) RETURNS TABLE (items integer)
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  found_items integer;
BEGIN
  -- First: what is counted below is then no older than the last widening.
  PERFORM 1 FROM app.stac_collections c WHERE c.collection_id = p_collection_id FOR NO KEY UPDATE;
  WITH e AS (
    SELECT count(*)::integer AS n, min(CASE WHEN s.crosses THEN -180 ELSE s.west END) AS west, min(s.south) AS south,
      max(CASE WHEN s.crosses THEN 180 ELSE s.east END) AS east, max(s.north) AS north, min(s.start_at) AS start_at, max(s.end_at) AS end_at
    FROM app.stac_items s WHERE s.collection_id = p_collection_id
  ), changed AS (
    UPDATE app.stac_collections c SET west = e.west, south = e.south, east = e.east, north = e.north, start_at = e.start_at,
      end_at = e.end_at, content = c.content || jsonb_build_object('summaries', p_summaries), version = c.version + 1, updated_at = now()
    FROM e
    WHERE c.collection_id = p_collection_id
      AND (c.west, c.south, c.east, c.north, c.start_at, c.end_at, c.content -> 'summaries')
        IS DISTINCT FROM (e.west, e.south, e.east, e.north, e.start_at, e.end_at, p_summaries)
  )
  SELECT e.n INTO found_items FROM e;
  RETURN QUERY SELECT found_items;
END $$;
