-- lock_job: the job's row, locked for a change of its state by an operator. Locks: that row; never waits over 5 s.
-- Raises: LL001 unknown job.
CREATE FUNCTION app.lock_job(p_job_id text) RETURNS app.jobs
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  job app.jobs;
BEGIN
  PERFORM app.assert_read_committed();
  SELECT * INTO job FROM app.jobs j WHERE j.job_id = p_job_id FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'job % does not exist', p_job_id USING ERRCODE = 'LL001', HINT = 'It was deleted, or the id is wrong.';
  END IF;
  RETURN job;
END $$;
