-- publish_output: the name points to this file from now on; the one before is superseded and removed a day later.
-- published: it does (already). taken: another job's file has the name and p_overwrite is false. superseded: a newer file was published
-- since, so that a late repetition never turns the name back.
-- Locks: advisory (LOCK_OUTPUT, container and name), then the rows of the name in the order of their blobs.
-- Rejected: the unique index alone. Two jobs that publish at once would fail one of them by an error instead of an answer.
CREATE FUNCTION app.publish_output(p_container text, p_blob text, p_overwrite boolean) RETURNS TABLE (outcome text, holder text)
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  mine app.raster_outputs;
  held app.raster_outputs;
BEGIN
  SELECT * INTO mine FROM app.raster_outputs o WHERE o.container = p_container AND o.blob = p_blob;
  IF NOT FOUND THEN RAISE EXCEPTION 'no file % in container %', p_blob, p_container USING ERRCODE = 'LL004'; END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('output ' || mine.container || '/' || mine.target_name, 0));
  PERFORM 1 FROM app.raster_outputs o WHERE o.container = p_container AND o.target_name = mine.target_name
    AND (o.blob = p_blob OR o.state = 'published') ORDER BY o.blob FOR UPDATE;
  SELECT * INTO mine FROM app.raster_outputs o WHERE o.container = p_container AND o.blob = p_blob;
  SELECT * INTO held FROM app.raster_outputs o
  WHERE o.container = p_container AND o.target_name = mine.target_name AND o.state = 'published';
  IF mine.state = 'published' THEN RETURN QUERY SELECT 'published', NULL::text; RETURN; END IF;
  IF mine.state IN ('superseded', 'deleted') THEN RETURN QUERY SELECT 'superseded', held.job_id; RETURN; END IF;
  IF mine.state <> 'committed' THEN
    RAISE EXCEPTION 'file % is %', p_blob, mine.state USING ERRCODE = 'LL004', HINT = 'Only a committed file can be published.';
  END IF;
  IF held.blob IS NOT NULL THEN
    IF held.job_id <> mine.job_id AND NOT p_overwrite THEN RETURN QUERY SELECT 'taken', held.job_id; RETURN; END IF;
    UPDATE app.raster_outputs o SET state = 'superseded', changed_at = now(), note = 'replaced by ' || left(mine.job_id, 16) || '-p' || mine.plan
    WHERE o.container = held.container AND o.blob = held.blob;
  END IF;
  UPDATE app.raster_outputs o SET state = 'published', changed_at = now() WHERE o.container = p_container AND o.blob = p_blob;
  PERFORM app.add_event(mine.job_id, 'output.published', jsonb_build_object('container', p_container, 'blob', p_blob, 'replaced', held.blob));
  RETURN QUERY SELECT 'published', NULL::text;
END $$;
