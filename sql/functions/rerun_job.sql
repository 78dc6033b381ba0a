-- rerun_job: a finished job starts again from nothing, as a new attempt; what the old one left is summed up in the event.
-- Locks: the job row. Not repeatable: each call on a finished job is another attempt.
-- Raises: LL001 unknown job, LL004 not finished.
CREATE FUNCTION app.rerun_job(p_job_id text, p_total_stages int, p_reason text, p_actor text)
RETURNS TABLE (status text, attempt int, changed boolean)
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  job app.jobs := app.lock_job(p_job_id);
BEGIN
  IF job.finished_at IS NULL THEN
    RAISE EXCEPTION 'job % is %', p_job_id, job.status USING ERRCODE = 'LL004', HINT = 'Only a finished job can be run again; cancel it first.';
  END IF;
  PERFORM app.start_attempt(p_job_id, p_total_stages, NULL, p_actor, p_reason);
  RETURN QUERY SELECT j.status, j.attempt, true FROM app.jobs j WHERE j.job_id = p_job_id;
END $$;
