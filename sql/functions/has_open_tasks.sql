-- has_open_tasks: the probe: one step of the partial index.
-- Descending: claims take tasks in ascending order, so the newest open entry is alive and the probe stops at once.
-- VOLATILE on purpose: each call takes a fresh snapshot, so that the look under the lock sees what committed before it.
-- Planned anew at each call: a plan cached while the stage was small may walk the primary key past every finished task.
-- Locks: none.
CREATE FUNCTION app.has_open_tasks(p_stage_id int) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_custom_plan AS $$
BEGIN
  PERFORM 1 FROM app.tasks t WHERE t.stage_id = p_stage_id AND t.finished_at IS NULL ORDER BY t.task_no DESC LIMIT 1;
  RETURN FOUND;
END $$;
