-- upsert_collection: registers a collection, or adds to what it says. Given members replace those of the same name; others stay.
-- created, updated or unchanged; asked again, unchanged. Kind, container and prefix are those of the first registration.
-- Locks: the collection's row, only when something changes. Rejected: replacing the whole content; a job that gives no title would drop it.
CREATE FUNCTION app.upsert_collection(p_collection_id text, p_kind text, p_container text, p_prefix text, p_content jsonb)
RETURNS TABLE (outcome text) LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
BEGIN
  INSERT INTO app.stac_collections AS c (collection_id, kind, container, prefix, content)
  VALUES (p_collection_id, p_kind, p_container, coalesce(p_prefix, ''), p_content)
  ON CONFLICT (collection_id) DO NOTHING;
  IF FOUND THEN RETURN QUERY SELECT 'created'; RETURN; END IF;
  UPDATE app.stac_collections c SET content = c.content || p_content, version = c.version + 1, updated_at = now()
  WHERE c.collection_id = p_collection_id AND (c.content || p_content) IS DISTINCT FROM c.content;
  RETURN QUERY SELECT CASE WHEN FOUND THEN 'updated' ELSE 'unchanged' END;
END $$;
