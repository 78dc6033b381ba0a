-- end_schedule_run: records what became of a run that was started; the first record stays. False: it was recorded, or is gone.
-- Locks: the run's row.
CREATE FUNCTION app.end_schedule_run(
  p_schedule_id text, p_due_at timestamptz, p_status text, p_job_id text, p_attempt int, p_error_code text, p_error_details text
) RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
BEGIN
  UPDATE app.schedule_runs r SET status = p_status, job_id = p_job_id, attempt = p_attempt, error_code = p_error_code,
    error_details = left(p_error_details, 2000), changed_at = now()
  WHERE r.schedule_id = p_schedule_id AND r.due_at = p_due_at AND r.status = 'started';
  RETURN FOUND;
END $$;
