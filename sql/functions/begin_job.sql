-- begin_job: an orchestrator of this attempt is awake: queued → processing, once. Every later turn is only noted.
-- updated_at moves at most every 5 s, so that the reconciler sees a living job without a row version per turn.
-- Locks: the job row for a moment. Asked again: the same answer. An older attempt gets the row as it is and must stop.
-- Raises: LL001 unknown job.
CREATE FUNCTION app.begin_job(p_job_id text, p_attempt int)
RETURNS TABLE (status text, attempt int, stage int, total_stages int, job_type text, parameters jsonb)
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
BEGIN
  UPDATE app.jobs j SET status = 'processing', started_at = now(), updated_at = now(), start_confirmed_attempt = p_attempt
  WHERE j.job_id = p_job_id AND j.attempt = p_attempt AND j.status = 'queued';
  IF FOUND THEN
    PERFORM app.add_event(p_job_id, 'job.started', jsonb_build_object('attempt', p_attempt));
  ELSE
    UPDATE app.jobs j SET updated_at = now()
    WHERE j.job_id = p_job_id AND j.attempt = p_attempt AND j.status = 'processing' AND j.updated_at < now() - interval '5 seconds';
  END IF;
  RETURN QUERY SELECT j.status, j.attempt, j.stage, j.total_stages, j.job_type, j.parameters FROM app.jobs j WHERE j.job_id = p_job_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'job % does not exist', p_job_id USING ERRCODE = 'LL001', HINT = 'It was deleted, or the id is wrong.';
  END IF;
END $$;
