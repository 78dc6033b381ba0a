-- purge_job: deletes an ended job, at most p_limit task rows a call: more, or gone; kept when it runs (again).
-- Locks: the job row, so that nobody starts it meanwhile; the rows it deletes. Asked again: goes on, then gone.
CREATE FUNCTION app.purge_job(p_job_id text, p_limit int) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  ended boolean;
  n int;
BEGIN
  SELECT j.finished_at IS NOT NULL INTO ended FROM app.jobs j WHERE j.job_id = p_job_id FOR UPDATE;
  IF ended IS FALSE THEN RETURN 'kept'; END IF;
  DELETE FROM app.tasks t USING (
    SELECT k.stage_id, k.task_no FROM app.stages s JOIN app.tasks k ON k.stage_id = s.stage_id WHERE s.job_id = p_job_id LIMIT p_limit
  ) d WHERE t.stage_id = d.stage_id AND t.task_no = d.task_no;
  GET DIAGNOSTICS n = ROW_COUNT;
  IF n >= p_limit THEN RETURN 'more'; END IF;
  DELETE FROM app.stages s WHERE s.job_id = p_job_id;
  DELETE FROM app.job_events e WHERE e.job_id = p_job_id;
  DELETE FROM app.jobs j WHERE j.job_id = p_job_id;
  RETURN 'gone';
END $$;
