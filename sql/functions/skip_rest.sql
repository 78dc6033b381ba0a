-- skip_rest: a stage of the mode fail has a failed task: what has not begun is skipped (STAGE_FAILED), at most p_limit rows a call.
-- What runs goes on to its end. Answers with the number of skipped tasks; 0: nothing (more) to skip.
-- Failures of an earlier attempt do not count: a retry by error code leaves them, and what it queued again must run.
-- Locks: the stage row, so that no claim hands out what is being skipped; those tasks. close_stage refuses its transaction (LL012).
-- Asked again: goes on, then 0.
CREATE FUNCTION app.skip_rest(p_job_id text, p_attempt int, p_stage_no int, p_limit int) RETURNS int
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan SET enable_seqscan = off SET lock_timeout = '5s' AS $$
DECLARE
  stage app.stages;
  began timestamptz;
  n int;
BEGIN
  PERFORM app.assert_read_committed();
  SELECT j.started_at INTO began FROM app.jobs j WHERE j.job_id = p_job_id;
  SELECT s.* INTO stage FROM app.stages s JOIN app.jobs j USING (job_id)
  WHERE s.job_id = p_job_id AND s.stage_no = p_stage_no AND s.retired_at IS NULL AND s.status = 'open' AND s.on_task_failure = 'fail'
    AND j.attempt = p_attempt AND j.status = 'processing';
  IF NOT FOUND OR NOT EXISTS (
    SELECT FROM app.tasks t WHERE t.stage_id = stage.stage_id AND t.finished_at IS NOT NULL AND t.error_code IS NOT NULL AND t.status = 'failed'
      AND t.finished_at >= began
  ) THEN RETURN 0; END IF;
  PERFORM 1 FROM app.stages s WHERE s.stage_id = stage.stage_id FOR UPDATE;
  -- What held the stage row may have ended the job.
  PERFORM 1 FROM app.jobs j WHERE j.job_id = p_job_id AND j.attempt = p_attempt AND j.status = 'processing';
  IF NOT FOUND THEN RETURN 0; END IF;
  PERFORM set_config('lamplighter.completed', 'yes', true);
  UPDATE app.stages s SET claim_cursor = s.expected WHERE s.stage_id = stage.stage_id AND s.claim_cursor < s.expected;
  WITH slice AS (
    SELECT t.task_no FROM app.tasks t WHERE t.stage_id = stage.stage_id AND t.finished_at IS NULL AND t.status IN ('queued', 'retrying')
    ORDER BY t.task_no LIMIT p_limit FOR UPDATE SKIP LOCKED
  ) UPDATE app.tasks t SET status = 'skipped', finished_at = now(), lease_until = NULL, not_before = NULL, error_code = 'STAGE_FAILED',
    error_details = 'Another task of the stage failed before this one began.', retryable = false
  FROM slice WHERE t.stage_id = stage.stage_id AND t.task_no = slice.task_no;
  GET DIAGNOSTICS n = ROW_COUNT;
  RETURN n;
END $$;
