-- publish_raster: the name points to this file from now on, and the catalogue says so, both or neither.
-- As publish_output; with published, the collections and items are registered in their order, the first items of kind bronze only where
-- they are not there yet: what catalog_container knows of a source is never replaced by what a conversion knows.
-- Locks: those of publish_output, then items and collections in the given order.
CREATE FUNCTION app.publish_raster(p_container text, p_blob text, p_overwrite boolean, p_collections jsonb, p_items jsonb)
RETURNS TABLE (outcome text, holder text) LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  answer record;
  entry jsonb;
  done record;
BEGIN
  SELECT * INTO answer FROM app.publish_output(p_container, p_blob, p_overwrite);
  IF answer.outcome = 'published' THEN
    FOR entry IN SELECT value FROM jsonb_array_elements(p_collections) LOOP
      PERFORM app.upsert_collection(entry ->> 'collection_id', entry ->> 'kind', entry ->> 'container', '', entry -> 'content');
    END LOOP;
    FOR entry IN SELECT value FROM jsonb_array_elements(p_items) LOOP
      SELECT * INTO done FROM app.upsert_item(entry, entry ->> 'kind' = 'bronze');
      IF done.outcome = 'collision' THEN
        RAISE EXCEPTION 'the id % of collection % belongs to another file', entry ->> 'item_id', entry ->> 'collection_id'
          USING ERRCODE = 'LL020';
      END IF;
      PERFORM app.widen_extent(entry ->> 'collection_id', entry ->> 'item_id');
    END LOOP;
  END IF;
  RETURN QUERY SELECT answer.outcome, answer.holder;
END $$;
