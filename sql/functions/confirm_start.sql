-- confirm_start: the instance of this attempt was started; closes the outbox.
-- Locks: the job row. Asked again, or for an older attempt: false, nothing changes.
CREATE FUNCTION app.confirm_start(p_job_id text, p_attempt int) RETURNS boolean
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
BEGIN
  UPDATE app.jobs j SET start_confirmed_attempt = p_attempt
  WHERE j.job_id = p_job_id AND j.attempt = p_attempt AND j.start_confirmed_attempt < p_attempt;
  IF FOUND THEN
    PERFORM app.add_event(p_job_id, 'job.start_confirmed', jsonb_build_object('attempt', p_attempt));
  END IF;
  RETURN FOUND;
END $$;
