-- release_tasks: a worker gives claims back that it did not use: it stops, or a dependency is known to be down. They cost no claim.
-- Locks: rows of its own claims. Asked again: 0. What was lost to another claim meanwhile stays with it.
CREATE FUNCTION app.release_tasks(p_job_id text, p_attempt int, p_stage_no int, p_worker uuid, p_task_nos int[]) RETURNS int
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan SET enable_seqscan = off SET lock_timeout = '5s' AS $$
DECLARE
  stage int;
  n int;
BEGIN
  SELECT s.stage_id INTO stage FROM app.stages s JOIN app.jobs j USING (job_id)
  WHERE s.job_id = p_job_id AND s.stage_no = p_stage_no AND s.retired_at IS NULL AND j.attempt = p_attempt;
  UPDATE app.tasks t SET status = 'queued', claims = greatest(0, t.claims - 1), claimed_by = NULL, lease_until = NULL,
    error_code = NULL, error_details = NULL, retryable = NULL
  WHERE t.stage_id = stage AND t.task_no = ANY (p_task_nos) AND t.claimed_by = p_worker AND t.status = 'processing';
  GET DIAGNOSTICS n = ROW_COUNT;
  RETURN n;
END $$;
