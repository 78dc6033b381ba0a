-- held_claims: the tasks that this worker holds now, in task_no order: a claim whose answer was lost, asked for by the uuid that made it.
-- Bounded by what was handed out and is open. Locks: none. Asked again: the same, while the leases live.
CREATE FUNCTION app.held_claims(p_job_id text, p_attempt int, p_stage_no int, p_worker uuid)
RETURNS TABLE (task_no int, task_key text, source_key text, claims int, parameters jsonb)
LANGUAGE sql STABLE SET plan_cache_mode = force_custom_plan AS $$
  SELECT t.task_no, t.task_key, t.source_key, t.claims, t.parameters FROM app.tasks t
  JOIN (SELECT s.stage_id, s.claim_cursor FROM app.stages s JOIN app.jobs j USING (job_id)
    WHERE s.job_id = p_job_id AND s.stage_no = p_stage_no AND s.retired_at IS NULL AND j.attempt = p_attempt AND j.status = 'processing') s
    ON t.stage_id = s.stage_id AND t.task_no <= s.claim_cursor
  WHERE t.finished_at IS NULL AND t.claimed_by = p_worker AND t.status = 'processing' ORDER BY t.task_no;
$$;
