-- resume_job: a paused job goes on where it was held: processing, or queued when it had not begun.
-- Locks: the job row. Asked again on a job that runs: the same answer, changed = false.
-- Raises: LL001 unknown job, LL004 ended.
CREATE FUNCTION app.resume_job(p_job_id text, p_reason text, p_actor text)
RETURNS TABLE (status text, attempt int, changed boolean)
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  job app.jobs := app.lock_job(p_job_id);
  next_status text;
BEGIN
  IF job.status IN ('queued', 'processing') THEN
    RETURN QUERY SELECT job.status, job.attempt, false;
    RETURN;
  ELSIF job.finished_at IS NOT NULL THEN
    RAISE EXCEPTION 'job % is %', p_job_id, job.status USING ERRCODE = 'LL004', HINT = 'Only a paused job can be resumed.';
  END IF;
  next_status := CASE WHEN job.started_at IS NULL THEN 'queued' ELSE 'processing' END;
  UPDATE app.jobs j SET status = next_status, updated_at = now() WHERE j.job_id = p_job_id;
  PERFORM app.add_event(p_job_id, 'job.resumed', jsonb_build_object('reason', p_reason, 'attempt', job.attempt), p_actor);
  RETURN QUERY SELECT next_status, job.attempt, true;
END $$;
