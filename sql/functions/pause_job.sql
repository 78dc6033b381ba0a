-- pause_job: an operator holds a job. Nothing is claimed any more; running tasks are stopped by their heartbeat, and the worker that
-- lives gives their claims back (release_tasks): were it done here, a task that kills its workers would never run out of tries;
-- what they had finished by then is still recorded. Their leases end at once, so that a resumed job need not wait for them.
-- Locks: the job row, its open stage (claims wait for it and look at the job again), then rows of running tasks. Asked again: the same answer, changed = false.
-- Raises: LL001 unknown job, LL004 ended.
CREATE FUNCTION app.pause_job(p_job_id text, p_reason text, p_actor text)
RETURNS TABLE (status text, attempt int, changed boolean)
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan SET enable_seqscan = off SET lock_timeout = '5s' AS $$
DECLARE
  job app.jobs := app.lock_job(p_job_id);
  stage app.stages;
BEGIN
  IF job.status = 'paused' THEN
    RETURN QUERY SELECT job.status, job.attempt, false;
    RETURN;
  ELSIF job.finished_at IS NOT NULL THEN
    RAISE EXCEPTION 'job % is %', p_job_id, job.status USING ERRCODE = 'LL004', HINT = 'Only a job that has not ended can be paused.';
  END IF;
  UPDATE app.jobs j SET status = 'paused', updated_at = now() WHERE j.job_id = p_job_id;
  FOR stage IN SELECT s.* FROM app.stages s WHERE s.job_id = p_job_id AND s.retired_at IS NULL AND s.status <> 'closed' ORDER BY s.stage_no FOR UPDATE LOOP
    UPDATE app.tasks t SET lease_until = now()
    WHERE t.stage_id = stage.stage_id AND t.task_no <= stage.claim_cursor AND t.finished_at IS NULL AND t.status = 'processing';
  END LOOP;
  PERFORM app.add_event(p_job_id, 'job.paused', jsonb_build_object('reason', p_reason, 'attempt', job.attempt, 'was', job.status), p_actor);
  RETURN QUERY SELECT 'paused', job.attempt, true;
END $$;
