-- assert_job_runs: the job exists, is at this attempt and is processing; else the named refusal.
-- Locks: none. Raises: LL001 unknown job, LL003 older attempt, LL004 not processing.
CREATE FUNCTION app.assert_job_runs(p_job_id text, p_attempt int) RETURNS void
LANGUAGE plpgsql STABLE AS $$
DECLARE
  job app.jobs;
BEGIN
  SELECT * INTO job FROM app.jobs j WHERE j.job_id = p_job_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'job % does not exist', p_job_id USING ERRCODE = 'LL001', HINT = 'It was deleted, or the id is wrong.';
  ELSIF job.attempt <> p_attempt THEN
    RAISE EXCEPTION 'job % is at attempt %, not %', p_job_id, job.attempt, p_attempt USING ERRCODE = 'LL003', HINT = 'A newer run took over; stop.';
  ELSIF job.status <> 'processing' THEN
    RAISE EXCEPTION 'job % is %', p_job_id, job.status USING ERRCODE = 'LL004', HINT = 'Only a processing job can be changed by its workers.';
  END IF;
END $$;
