-- complete_claimed: records what a worker completed of what it holds, in one update: the short way of complete_tasks and
-- complete_tasks_and_close. Answers with the numbers of the tasks that it recorded, none when a result is not completed, or a task is there
-- twice: the caller asks complete_tasks for the rest, which tells what became of it.
-- Locks: task rows in task_no order: whichever side of the join is read last comes in that order, from the key's index or sorted.
-- Asked again: none, nothing changes.
-- Only one plan is possible, so that it is kept: ANY bounds the look into the key whatever the size of the stage, and a hash joins.
-- Rejected: locking the rows before (a second write of each row); nested loops (the planner, which knows no stage, walks all of it).
CREATE FUNCTION app.complete_claimed(p_stage_id int, p_worker uuid, p_results jsonb) RETURNS int[]
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_nestloop = off
SET enable_mergejoin = off SET lock_timeout = '5s' AS $$
DECLARE
  recorded int[] := '{}';
  numbers int[];
BEGIN
  IF (SELECT count(DISTINCT r ->> 'task_no') = count(*) AND bool_and(r ->> 'status' = 'completed') FROM jsonb_array_elements(p_results) r) THEN
    SELECT array_agg((r ->> 'task_no')::int) INTO numbers FROM jsonb_array_elements(p_results) r;
    WITH given AS MATERIALIZED (
      SELECT r.* FROM jsonb_to_recordset(p_results) AS r(task_no int, result jsonb, duration_ms int) ORDER BY r.task_no
    ), done AS (
      UPDATE app.tasks t SET status = 'completed', lease_until = NULL, not_before = NULL, result_data = g.result, duration_ms = g.duration_ms,
        error_code = NULL, error_details = NULL, retryable = NULL, finished_at = now()
      FROM given g WHERE t.stage_id = p_stage_id AND t.task_no = ANY (numbers) AND t.task_no = g.task_no AND t.claimed_by = p_worker AND t.status = 'processing'
      RETURNING t.task_no
    ) SELECT coalesce(array_agg(d.task_no ORDER BY d.task_no), '{}') INTO recorded FROM done d;
  END IF;
  RETURN recorded;
END $$;
