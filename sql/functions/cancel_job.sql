-- cancel_job: an operator ends a job. Nothing is claimed any more, results that come late are refused, claims are handed back.
-- Locks: the job row, its open stage (claims wait for it and look at the job again), then rows of running tasks. Asked again: the same answer, changed = false.
-- Raises: LL001 unknown job, LL004 ended otherwise.
CREATE FUNCTION app.cancel_job(p_job_id text, p_reason text, p_actor text)
RETURNS TABLE (status text, attempt int, changed boolean)
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan SET enable_seqscan = off SET lock_timeout = '5s' AS $$
DECLARE
  job app.jobs := app.lock_job(p_job_id);
  stage app.stages;
BEGIN
  IF job.status = 'cancelled' THEN
    RETURN QUERY SELECT job.status, job.attempt, false;
    RETURN;
  ELSIF job.finished_at IS NOT NULL THEN
    RAISE EXCEPTION 'job % is %', p_job_id, job.status USING ERRCODE = 'LL004', HINT = 'Only a job that has not ended can be cancelled.';
  END IF;
  UPDATE app.jobs j SET status = 'cancelled', cancel_reason = left(p_reason, 1000), finished_at = now(), updated_at = now() WHERE j.job_id = p_job_id;
  FOR stage IN SELECT s.* FROM app.stages s WHERE s.job_id = p_job_id AND s.retired_at IS NULL AND s.status <> 'closed' ORDER BY s.stage_no FOR UPDATE LOOP
    UPDATE app.tasks t SET status = 'queued', claimed_by = NULL, lease_until = NULL, error_code = NULL, error_details = NULL, retryable = NULL
    WHERE t.stage_id = stage.stage_id AND t.task_no <= stage.claim_cursor AND t.finished_at IS NULL AND t.status = 'processing';
  END LOOP;
  PERFORM app.add_event(p_job_id, 'job.cancelled', jsonb_build_object('reason', p_reason, 'attempt', job.attempt, 'was', job.status), p_actor);
  PERFORM app.queue_webhooks(p_job_id);
  RETURN QUERY SELECT 'cancelled', job.attempt, true;
END $$;
