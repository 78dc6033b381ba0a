-- upsert_item: registers an item of the catalogue, or replaces it where the described bytes or the description differ.
-- created, updated or unchanged (then the version stays); collision: the id belongs to another file, no_collection: there is none of
-- this name; with both nothing is written.
-- Of the same files never less than was known: statistics stay when the header alone is read again.
-- An id that others gave moves with its document: where the old one is missing, the new one takes the row over.
-- With p_only_new a row that is there stays as it is.
-- Safe under any number of callers: one row, one version per change. A file that is back is no longer missing.
-- Locks: the collection's row, shared by all writers, against its deletion; the item's row. Rejected: ON CONFLICT DO UPDATE WHERE; it cannot tell a collision from nothing to do.
CREATE FUNCTION app.upsert_item(p_item jsonb, p_only_new boolean) RETURNS TABLE (outcome text, version integer)
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  n app.stac_items := jsonb_populate_record(NULL::app.stac_items, p_item);
  o app.stac_items;
  modes constant text[] := ARRAY['quick', 'header', 'full'];
BEGIN
  PERFORM 1 FROM app.stac_collections c WHERE c.collection_id = n.collection_id FOR KEY SHARE;
  IF NOT FOUND THEN RETURN QUERY SELECT 'no_collection', 0; RETURN; END IF;
  LOOP
    INSERT INTO app.stac_items (collection_id, item_id, kind, container, name, blob, etag, mode, xr, yr, west, south, east, north, crosses,
      is_box, start_at, end_at, sort_at, source_collection, source_item, source_etag, job_id, plan, content)
    VALUES (n.collection_id, n.item_id, n.kind, n.container, n.name, n.blob, n.etag, n.mode, n.xr, n.yr, n.west, n.south, n.east, n.north,
      n.crosses, n.is_box, n.start_at, n.end_at, n.sort_at, n.source_collection, n.source_item, n.source_etag, n.job_id, n.plan, n.content)
    ON CONFLICT (collection_id, item_id) DO NOTHING;
    IF FOUND THEN RETURN QUERY SELECT 'created', 1; RETURN; END IF;
    SELECT * INTO o FROM app.stac_items i WHERE i.collection_id = n.collection_id AND i.item_id = n.item_id FOR UPDATE;
    IF FOUND AND p_only_new THEN RETURN QUERY SELECT 'unchanged', o.version; RETURN; END IF;
    -- Deleted between the two statements: then it is new.
    EXIT WHEN FOUND;
  END LOOP;
  IF (o.container, o.name) IS DISTINCT FROM (n.container, n.name)
    AND NOT (n.kind = 'foreign' AND o.kind = 'foreign' AND o.missing_since IS NOT NULL) THEN
    RETURN QUERY SELECT 'collision', o.version; RETURN;
  END IF;
  IF o.etag = n.etag AND array_position(modes, o.mode) > array_position(modes, n.mode)
    AND (SELECT jsonb_object_agg(key, value -> 'href') FROM jsonb_each(o.content -> 'assets'))
      IS NOT DISTINCT FROM (SELECT jsonb_object_agg(key, value -> 'href') FROM jsonb_each(n.content -> 'assets')) THEN
    n := o;
  END IF;
  IF (o.name, o.blob, o.etag, o.mode, o.content, o.start_at, o.end_at, o.sort_at, o.source_collection, o.source_item, o.source_etag)
    IS NOT DISTINCT FROM
     (n.name, n.blob, n.etag, n.mode, n.content, n.start_at, n.end_at, n.sort_at, n.source_collection, n.source_item, n.source_etag) THEN
    IF o.missing_since IS NOT NULL THEN
      UPDATE app.stac_items i SET missing_since = NULL WHERE i.collection_id = n.collection_id AND i.item_id = n.item_id;
    END IF;
    RETURN QUERY SELECT 'unchanged', o.version; RETURN;
  END IF;
  UPDATE app.stac_items i SET kind = n.kind, container = n.container, name = n.name, blob = n.blob, etag = n.etag, mode = n.mode,
    xr = n.xr, yr = n.yr, west = n.west, south = n.south, east = n.east, north = n.north, crosses = n.crosses, is_box = n.is_box, start_at = n.start_at, end_at = n.end_at, sort_at = n.sort_at,
    source_collection = n.source_collection, source_item = n.source_item, source_etag = n.source_etag, job_id = n.job_id, plan = n.plan,
    content = n.content, missing_since = NULL, version = o.version + 1, updated_at = now()
  WHERE i.collection_id = n.collection_id AND i.item_id = n.item_id;
  RETURN QUERY SELECT 'updated', o.version + 1;
END $$;
