-- record_stage_summary: stores what a closed stage's summarize returned, on the stage and under its number on the job.
-- One statement per key (jsonb ||), so two writers of different stages never lose each other's. Asked again: the same.
-- Locks: job row, then stage row. An older attempt or an open stage: false.
CREATE FUNCTION app.record_stage_summary(p_job_id text, p_attempt int, p_stage_no int, p_summary jsonb) RETURNS boolean
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
BEGIN
  PERFORM 1 FROM app.jobs j WHERE j.job_id = p_job_id AND j.attempt = p_attempt FOR UPDATE;
  IF NOT FOUND THEN RETURN false; END IF;
  UPDATE app.stages s SET summary = p_summary
  WHERE s.job_id = p_job_id AND s.stage_no = p_stage_no AND s.retired_at IS NULL AND s.status = 'closed';
  IF NOT FOUND THEN RETURN false; END IF;
  UPDATE app.jobs j SET stage_results = j.stage_results || jsonb_build_object(p_stage_no::text, p_summary)
  WHERE j.job_id = p_job_id;
  RETURN FOUND;
END $$;
