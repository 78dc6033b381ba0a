-- retry_job: a job that ended badly goes on as a new attempt: its failed tasks (all, of one error code, or with keys LIKE a pattern)
-- are queued again with no claims used, and what was skipped because of them; completed ones are kept. It begins at the first stage that has such a task; later stages
-- were made from its results, so they are retired and run again. Without failed tasks it goes on where it stopped: a plan that
-- failed is planned anew, a cancelled stage is continued, a closed one is left.
-- Locks: the job row, its stages, then the reopened tasks in order, as everywhere. Not repeatable: the job is no longer finished after it.
-- Raises: LL001 unknown job, LL004 in a state that cannot be retried, or nothing matches.
CREATE FUNCTION app.retry_job(p_job_id text, p_error_code text, p_key_like text, p_reason text, p_actor text)
RETURNS TABLE (status text, attempt int, changed boolean, from_stage int, tasks int)
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  job app.jobs := app.lock_job(p_job_id);
  first int;
  again int := 0;
  reopened int;
BEGIN
  IF job.status NOT IN ('failed', 'completed_with_errors', 'cancelled') THEN
    RAISE EXCEPTION 'job % is %', p_job_id, job.status
      USING ERRCODE = 'LL004', HINT = 'Only a job that failed, completed with errors or was cancelled can be retried.';
  END IF;
  SELECT min(s.stage_no) INTO first FROM app.stages s JOIN app.tasks t ON t.stage_id = s.stage_id
  WHERE s.job_id = p_job_id AND s.retired_at IS NULL AND t.finished_at IS NOT NULL AND t.error_code IS NOT NULL AND t.status = 'failed'
    AND (p_error_code IS NULL OR t.error_code = p_error_code) AND (p_key_like IS NULL OR t.task_key LIKE p_key_like);
  IF first IS NULL AND (p_error_code IS NOT NULL OR p_key_like IS NOT NULL OR job.status = 'completed_with_errors') THEN
    RAISE EXCEPTION 'job % has no failed task that matches', p_job_id USING ERRCODE = 'LL004', HINT = 'Look at its errors.';
  END IF;
  UPDATE app.stages s SET retired_at = now()
  WHERE s.job_id = p_job_id AND s.retired_at IS NULL
    AND (s.stage_no > coalesce(first, job.stage) OR first IS NULL AND s.stage_no = job.stage AND s.outcome = 'failed');
  IF first IS NOT NULL THEN
    SELECT s.stage_id INTO reopened FROM app.stages s WHERE s.job_id = p_job_id AND s.stage_no = first AND s.retired_at IS NULL FOR UPDATE;
    UPDATE app.stages s SET status = 'open', outcome = NULL, closed_at = NULL, completed = 0, failed = 0, skipped = 0, summary = NULL
    WHERE s.stage_id = reopened AND s.status = 'closed';
    WITH failed AS (
      SELECT t.task_no FROM app.tasks t WHERE t.stage_id = reopened
        AND t.finished_at IS NOT NULL AND t.error_code IS NOT NULL AND (t.error_code = 'STAGE_FAILED' OR t.status = 'failed'
          AND (p_error_code IS NULL OR t.error_code = p_error_code) AND (p_key_like IS NULL OR t.task_key LIKE p_key_like))
      ORDER BY t.task_no FOR UPDATE
    )
    UPDATE app.tasks t SET status = 'queued', claims = 0, claimed_by = NULL, lease_until = NULL, not_before = NULL, error_code = NULL,
      error_details = NULL, retryable = NULL, finished_at = NULL, duration_ms = NULL, progress = NULL, progress_note = NULL
    FROM failed f WHERE t.stage_id = reopened AND t.task_no = f.task_no;
    GET DIAGNOSTICS again = ROW_COUNT;
  END IF;
  UPDATE app.jobs j SET status = 'queued', attempt = j.attempt + 1, stage = coalesce(first, j.stage), result_data = NULL, error_code = NULL,
    error_details = NULL, cancel_reason = NULL, started_at = NULL, finished_at = NULL, updated_at = now()
  WHERE j.job_id = p_job_id;
  PERFORM app.add_event(p_job_id, 'job.retried', jsonb_build_object('reason', p_reason, 'attempt', job.attempt + 1, 'was', job.status,
    'from_stage', coalesce(first, job.stage), 'tasks', again, 'error_code', p_error_code, 'key_like', p_key_like), p_actor);
  RETURN QUERY SELECT 'queued', job.attempt + 1, true, coalesce(first, job.stage), again;
END $$;
