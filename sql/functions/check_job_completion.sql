-- check_job_completion: the job's final status, when no stage is left or one failed; recorded, decided once.
-- p_error_code says that the job cannot go on (its plan failed for good): the current stage is closed as failed.
-- Status from the outcomes of its stages: any failed → failed; any completed_with_errors → completed_with_errors; else completed.
-- Plans are kept: rows are found by the job's key.
-- Locks: the job row. Asked again, by anyone: the recorded status, finished_now false. An older attempt changes nothing.
-- Raises: LL001 unknown job.
CREATE FUNCTION app.check_job_completion(p_job_id text, p_attempt int, p_result jsonb, p_error_code text, p_error_details text)
RETURNS TABLE (status text, finished_now boolean)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET lock_timeout = '5s' AS $$
DECLARE
  job app.jobs;
  final text;
  code text := p_error_code;
  details text := p_error_details;
BEGIN
  SELECT * INTO job FROM app.jobs j WHERE j.job_id = p_job_id FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'job % does not exist', p_job_id USING ERRCODE = 'LL001', HINT = 'It was deleted, or the id is wrong.';
  END IF;
  IF job.attempt <> p_attempt OR job.status <> 'processing' THEN
    RETURN QUERY SELECT job.status, false;
    RETURN;
  END IF;
  IF code IS NOT NULL THEN
    UPDATE app.stages s SET status = 'closed', outcome = 'failed', closed_at = now(), sealed_at = coalesce(s.sealed_at, now())
    WHERE s.job_id = p_job_id AND s.retired_at IS NULL AND s.status <> 'closed';
    final := 'failed';
  ELSE
    SELECT CASE WHEN bool_or(s.outcome = 'failed') THEN 'failed'
      WHEN count(*) FILTER (WHERE s.status = 'closed') < job.total_stages THEN NULL
      WHEN bool_or(s.outcome = 'completed_with_errors') THEN 'completed_with_errors' ELSE 'completed' END
    INTO final FROM app.stages s WHERE s.job_id = p_job_id AND s.retired_at IS NULL;
    IF final IS NULL THEN
      RETURN QUERY SELECT job.status, false;
      RETURN;
    END IF;
    IF final = 'failed' THEN
      SELECT t.error_code, format('Stage %s (%s): %s of %s tasks failed. First: %s: %s', s.stage_no, s.name, s.failed, s.expected,
        left(t.task_key, 200), t.error_details) INTO code, details
      FROM app.stages s JOIN app.tasks t ON t.stage_id = s.stage_id
      WHERE s.job_id = p_job_id AND s.retired_at IS NULL AND s.outcome = 'failed' AND t.finished_at IS NOT NULL AND t.error_code IS NOT NULL
        AND t.status = 'failed' ORDER BY t.task_no LIMIT 1;
    END IF;
  END IF;
  UPDATE app.jobs j SET status = final, finished_at = now(), updated_at = now(), result_data = p_result,
    error_code = left(code, 64), error_details = left(details, 8000)
  WHERE j.job_id = p_job_id;
  PERFORM app.add_event(p_job_id, 'job.finished', jsonb_build_object('status', final, 'attempt', p_attempt, 'error_code', code));
  IF EXISTS (SELECT FROM app.webhooks) THEN
    PERFORM app.queue_webhooks(p_job_id);
  END IF;
  RETURN QUERY SELECT final, true;
END $$;
