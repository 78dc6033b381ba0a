-- claim_range: the first pass of claim_tasks: the tasks p_from + 1 .. p_from + p_limit, which the counter gave to this worker alone.
-- Locks: those rows; nobody else asks for them. Planned anew at each call, as complete_tasks.
CREATE FUNCTION app.claim_range(p_stage_id int, p_from int, p_limit int, p_worker uuid, p_lease interval)
RETURNS TABLE (task_no int, task_key text, source_key text, claims int, parameters jsonb)
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan SET enable_seqscan = off SET lock_timeout = '5s' AS $$
BEGIN
  RETURN QUERY WITH taken AS (
    UPDATE app.tasks t SET status = 'processing', claims = t.claims + 1, claimed_by = p_worker, lease_until = now() + p_lease, started_at = now()
    WHERE t.stage_id = p_stage_id AND t.task_no > p_from AND t.task_no <= p_from + p_limit AND t.status = 'queued'
    RETURNING t.task_no, t.task_key, t.source_key, t.claims, t.parameters
  ) SELECT k.task_no, k.task_key, k.source_key, k.claims, k.parameters FROM taken k ORDER BY k.task_no;
END $$;
