-- claim_ready_again: the second pass of claim_tasks, over tasks that were handed out before: queued again, retrying and due, or
-- processing with an expired lease. A task over its claim limit is failed with POISON instead of handed out.
-- Locks: the rows it takes; rows that others hold are skipped.
-- Planned anew at each call: a plan cached while the stage was small may walk the primary key past every finished task.
CREATE FUNCTION app.claim_ready_again(p_stage_id int, p_cursor int, p_max_claims int, p_limit int, p_worker uuid, p_lease interval)
RETURNS TABLE (task_no int, task_key text, source_key text, claims int, parameters jsonb)
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan SET lock_timeout = '5s' AS $$
DECLARE
  ready record;
BEGIN
  FOR ready IN
    SELECT t.task_no AS no, t.claims >= p_max_claims AS poisoned FROM app.tasks t
    WHERE t.stage_id = p_stage_id AND t.finished_at IS NULL AND t.task_no <= p_cursor
      AND (t.status = 'queued' OR t.status = 'retrying' AND t.not_before <= now() OR t.status = 'processing' AND t.lease_until <= now())
    ORDER BY t.task_no LIMIT p_limit FOR UPDATE SKIP LOCKED
  LOOP
    IF ready.poisoned THEN
      UPDATE app.tasks t SET status = 'failed', claimed_by = p_worker, lease_until = NULL, not_before = NULL, finished_at = now(),
        error_code = 'POISON', error_details = format('Claimed %s times and never finished: each worker died or lost its lease.', t.claims),
        retryable = false
      WHERE t.stage_id = p_stage_id AND t.task_no = ready.no;
    ELSE
      UPDATE app.tasks t SET status = 'processing', claims = t.claims + 1, claimed_by = p_worker, lease_until = now() + p_lease,
        not_before = NULL, started_at = now()
      WHERE t.stage_id = p_stage_id AND t.task_no = ready.no
      RETURNING t.task_no, t.task_key, t.source_key, t.claims, t.parameters INTO task_no, task_key, source_key, claims, parameters;
      RETURN NEXT;
    END IF;
  END LOOP;
END $$;
