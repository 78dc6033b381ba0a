-- purge_job: deletes an ended job: gone; kept when it runs (again). Its stages are retired in the same transaction, and their tasks
-- are deleted in slices by delete_retired: no half deleted job is ever seen, so nothing can begin on one.
-- Locks: the job row, then its stages. Asked again: gone.
-- Rejected: deleting tasks first, in slices. Between two slices the job could be retried, with counts above its rows.
CREATE FUNCTION app.purge_job(p_job_id text) RETURNS text
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  ended boolean;
BEGIN
  SELECT j.finished_at IS NOT NULL INTO ended FROM app.jobs j WHERE j.job_id = p_job_id FOR UPDATE;
  IF ended IS FALSE THEN RETURN 'kept'; END IF;
  UPDATE app.stages s SET retired_at = now() WHERE s.job_id = p_job_id AND s.retired_at IS NULL;
  DELETE FROM app.job_events e WHERE e.job_id = p_job_id;
  DELETE FROM app.webhook_deliveries d WHERE d.job_id = p_job_id;
  DELETE FROM app.jobs j WHERE j.job_id = p_job_id;
  RETURN 'gone';
END $$;
