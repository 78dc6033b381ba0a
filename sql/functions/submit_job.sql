-- submit_job: inserts the job, or answers with the one that is there. The outbox of its start is start_confirmed_attempt.
-- Of 100 racing submitters one gets created = true; start_needed stays true for all until the start was confirmed.
-- With p_force a finished job gets a new attempt; the same p_idempotency_key never makes a second one.
-- Plans are kept: the row is found by its key.
-- Locks: the job row, only with p_force. Asked again: the same answer.
-- Raises: LL010 not READ COMMITTED, LL004 force while the job is not finished.
CREATE FUNCTION app.submit_job(
  p_job_id text, p_job_type text, p_total_stages int, p_parameters jsonb, p_metadata jsonb, p_on_task_failure text,
  p_submitted_by text, p_correlation_id text, p_idempotency_key text, p_force boolean
) RETURNS TABLE (created boolean, status text, attempt int, start_needed boolean)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET lock_timeout = '5s' AS $$
DECLARE
  job app.jobs;
  is_new boolean;
BEGIN
  PERFORM app.assert_read_committed();
  LOOP
    INSERT INTO app.jobs AS j (job_id, job_type, total_stages, parameters, metadata, on_task_failure, submitted_by, correlation_id, idempotency_key)
    VALUES (p_job_id, p_job_type, p_total_stages, p_parameters, p_metadata, p_on_task_failure, p_submitted_by, p_correlation_id, p_idempotency_key)
    ON CONFLICT ON CONSTRAINT jobs_pkey DO NOTHING;
    is_new := FOUND;
    IF p_force THEN
      SELECT * INTO job FROM app.jobs j WHERE j.job_id = p_job_id FOR UPDATE;
    ELSE
      SELECT * INTO job FROM app.jobs j WHERE j.job_id = p_job_id;
    END IF;
    -- Deleted between the two statements (purge_job): insert it anew.
    EXIT WHEN FOUND;
  END LOOP;
  IF is_new THEN
    PERFORM app.add_event(p_job_id, 'job.submitted', jsonb_build_object('job_type', p_job_type, 'attempt', 1), p_submitted_by);
  ELSIF p_force AND (p_idempotency_key IS NULL OR job.idempotency_key IS DISTINCT FROM p_idempotency_key) THEN
    IF job.finished_at IS NULL THEN
      RAISE EXCEPTION 'job % is %: only a finished job can be run again', p_job_id, job.status
        USING ERRCODE = 'LL004', HINT = 'Wait until it ends, or submit without force to join the run.';
    END IF;
    PERFORM app.start_attempt(p_job_id, p_total_stages, p_idempotency_key, p_submitted_by);
    is_new := true;
    SELECT * INTO job FROM app.jobs j WHERE j.job_id = p_job_id;
  END IF;
  RETURN QUERY SELECT is_new, job.status, job.attempt, job.start_confirmed_attempt < job.attempt;
END $$;
