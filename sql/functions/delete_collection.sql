-- delete_collection: removes an empty collection; answers with the number of its items, -1 when there is no such collection.
-- Locks: the collection's row; who registers an item at the same time waits, and finds no collection.
CREATE FUNCTION app.delete_collection(p_collection_id text) RETURNS TABLE (items integer)
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  n integer;
BEGIN
  PERFORM 1 FROM app.stac_collections c WHERE c.collection_id = p_collection_id FOR UPDATE;
  IF NOT FOUND THEN RETURN QUERY SELECT -1; RETURN; END IF;
  SELECT count(*)::integer INTO n FROM app.stac_items i WHERE i.collection_id = p_collection_id;
  IF n = 0 THEN DELETE FROM app.stac_collections c WHERE c.collection_id = p_collection_id; END IF;
  RETURN QUERY SELECT n;
END $$;
