-- commit_output: the file is whole in storage, but nothing points to it yet; p_facts join its provenance.
-- Locks: its row. Asked again, or later: nothing changes.
CREATE FUNCTION app.commit_output(p_container text, p_blob text, p_bytes double precision, p_etag text, p_facts jsonb) RETURNS void
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
BEGIN
  UPDATE app.raster_outputs o SET state = 'committed', bytes = p_bytes::bigint, etag = p_etag, provenance = o.provenance || p_facts,
    changed_at = now()
  WHERE o.container = p_container AND o.blob = p_blob AND o.state = 'staged';
END $$;
