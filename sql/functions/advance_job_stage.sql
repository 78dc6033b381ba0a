-- advance_job_stage: moves the job from a closed stage to the next: CAS on (stage, status = processing, attempt).
-- outcome: advanced; already (recorded before); done (no stage left); refused (not processing, older attempt, the stage is
-- not closed or failed, or the job is not there yet). Never passes total_stages, never revives a finished job.
-- Locks: the job row. Asked again: the same stage. Raises: LL001 unknown job.
CREATE FUNCTION app.advance_job_stage(p_job_id text, p_attempt int, p_from_stage int) RETURNS TABLE (outcome text, stage int)
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  job app.jobs;
BEGIN
  SELECT * INTO job FROM app.jobs j WHERE j.job_id = p_job_id FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'job % does not exist', p_job_id USING ERRCODE = 'LL001', HINT = 'It was deleted, or the id is wrong.';
  END IF;
  IF job.attempt <> p_attempt OR job.status <> 'processing' OR p_from_stage > job.stage OR p_from_stage < 0 THEN
    RETURN QUERY SELECT 'refused', job.stage;
  ELSIF p_from_stage < job.stage THEN
    RETURN QUERY SELECT 'already', p_from_stage + 1;
  ELSIF p_from_stage > 0 AND NOT EXISTS (
    SELECT FROM app.stages s WHERE s.job_id = p_job_id AND s.stage_no = p_from_stage AND s.retired_at IS NULL
      AND s.status = 'closed' AND s.outcome <> 'failed'
  ) THEN
    RETURN QUERY SELECT 'refused', job.stage;
  ELSIF p_from_stage >= job.total_stages THEN
    RETURN QUERY SELECT 'done', job.stage;
  ELSE
    UPDATE app.jobs j SET stage = p_from_stage + 1, updated_at = now() WHERE j.job_id = p_job_id;
    RETURN QUERY SELECT 'advanced', p_from_stage + 1;
  END IF;
END $$;
