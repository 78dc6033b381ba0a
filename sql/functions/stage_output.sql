-- stage_output: a file is about to be written: one row before its first block, so that nothing lies in storage that nobody knows.
-- Locks: none but the new row. Asked again: nothing changes.
CREATE FUNCTION app.stage_output(p_container text, p_blob text, p_job_id text, p_plan int, p_target_name text, p_provenance jsonb) RETURNS void
LANGUAGE sql SET lock_timeout = '5s' AS $$
  INSERT INTO app.raster_outputs (container, blob, job_id, plan, target_name, provenance)
  VALUES (p_container, p_blob, p_job_id, p_plan, p_target_name, p_provenance)
  ON CONFLICT (container, blob) DO NOTHING
$$;
