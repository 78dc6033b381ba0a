-- note_reconciled: a repair of this attempt was made: one event row, and the job leaves the reconciler's list for a while.
-- Locks: the job row. An older attempt: false.
CREATE FUNCTION app.note_reconciled(p_job_id text, p_attempt int, p_action text, p_runtime_status text) RETURNS boolean
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
BEGIN
  UPDATE app.jobs j SET updated_at = now(), start_confirmed_attempt = p_attempt
  WHERE j.job_id = p_job_id AND j.attempt = p_attempt AND j.finished_at IS NULL;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM app.add_event(p_job_id, 'job.reconciled', jsonb_build_object('attempt', p_attempt, 'action', p_action, 'runtime_status', p_runtime_status));
  RETURN true;
END $$;
