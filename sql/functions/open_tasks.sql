-- open_tasks: up to p_limit open tasks with the time from which each can be claimed: a bounded look, never a count of all.
-- Descending like the probe, and in the order of the index: statistics that do not know the stage yet make the planner sort all of it.
-- Locks: none.
CREATE FUNCTION app.open_tasks(p_stage_id int, p_limit int) RETURNS TABLE (task_no int, ready_at timestamptz, retry_at timestamptz)
LANGUAGE sql STABLE SET plan_cache_mode = force_custom_plan SET enable_sort = off SET enable_bitmapscan = off AS $$
  SELECT t.task_no, CASE t.status WHEN 'queued' THEN now() WHEN 'retrying' THEN t.not_before ELSE t.lease_until END,
    CASE t.status WHEN 'retrying' THEN t.not_before END
  FROM app.tasks t WHERE t.stage_id = p_stage_id AND t.finished_at IS NULL ORDER BY t.task_no DESC LIMIT p_limit;
$$;
