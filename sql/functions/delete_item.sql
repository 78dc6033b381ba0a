-- delete_item: removes an item of that version; with its blob, an output's file is handed to the clean-up, which gives readers a day.
-- deleted; changed: another version is there, nothing was removed; absent.
-- Locks: advisory of the output's name (as publish_output), the item's row, the output's. A publication at the same time is before or after,
-- never between; without the first lock the two would take the rows in opposite orders.
CREATE FUNCTION app.delete_item(p_collection_id text, p_item_id text, p_version integer, p_with_blob boolean)
RETURNS TABLE (outcome text) LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  o app.stac_items;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('output ' || i.container || '/' || i.name, 0)) FROM app.stac_items i
  WHERE i.collection_id = p_collection_id AND i.item_id = p_item_id AND i.kind = 'silver';
  SELECT * INTO o FROM app.stac_items i WHERE i.collection_id = p_collection_id AND i.item_id = p_item_id FOR UPDATE;
  IF NOT FOUND THEN RETURN QUERY SELECT 'absent'; RETURN; END IF;
  IF o.version <> p_version THEN RETURN QUERY SELECT 'changed'; RETURN; END IF;
  DELETE FROM app.stac_items i WHERE i.collection_id = p_collection_id AND i.item_id = p_item_id;
  IF p_with_blob AND o.kind = 'silver' THEN
    UPDATE app.raster_outputs r SET state = 'superseded', changed_at = now(), note = 'its item was deleted'
    WHERE r.container = o.container AND r.blob = o.blob AND r.state = 'published';
  END IF;
  IF EXISTS (SELECT FROM app.jobs j WHERE j.job_id = o.job_id) THEN
    PERFORM app.add_event(o.job_id, 'item.deleted',
      jsonb_build_object('collection_id', p_collection_id, 'item_id', p_item_id, 'blob', o.blob, 'with_blob', p_with_blob));
  END IF;
  RETURN QUERY SELECT 'deleted';
END $$;
