-- complete_tasks_and_close: complete_tasks and close_stage in one transaction, for a worker that is probably the last one.
-- The advisory lock is taken before the results are written and held until they are committed, so that two such callers see each
-- other. One that recorded by complete_tasks alone, and has not committed yet, is not seen: its tasks count as open here. So whoever
-- is answered anything but closed asks close_stage after its commit, as everybody else; then one of the two closes.
-- outcomes: the rows of complete_tasks. The other columns: as close_stage.
-- Locks: advisory (LOCK_STAGE = 4711, stage_id), job row (shared), stage row, task rows in task_no order. Asked again:
-- already_applied and the recorded closure. Raises: what the two raise.
-- Rejected: for every batch (the lock lasts through the flush of the commit: 400 batches a second at most).
CREATE FUNCTION app.complete_tasks_and_close(p_job_id text, p_attempt int, p_stage_no int, p_worker uuid, p_results jsonb)
RETURNS TABLE (outcomes jsonb, state text, closed_now boolean, outcome text, expected int, completed int, failed int, skipped int)
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  id int;
  recorded jsonb;
BEGIN
  PERFORM app.assert_read_committed();
  SELECT s.stage_id INTO id FROM app.stages s WHERE s.job_id = p_job_id AND s.stage_no = p_stage_no AND s.retired_at IS NULL;
  IF FOUND THEN
    PERFORM pg_advisory_xact_lock(4711, id);
    PERFORM 1 FROM app.jobs j WHERE j.job_id = p_job_id FOR SHARE;
    PERFORM 1 FROM app.stages s WHERE s.stage_id = id FOR NO KEY UPDATE;
  END IF;
  SELECT coalesce(jsonb_agg(to_jsonb(c)), '[]') INTO recorded FROM app.complete_tasks(p_job_id, p_attempt, p_stage_no, p_worker, p_results) c;
  -- Written under the lock: nobody who asks under it misses these results.
  PERFORM set_config('lamplighter.completed', '', true);
  RETURN QUERY SELECT recorded, c.state, c.closed_now, c.outcome, c.expected, c.completed, c.failed, c.skipped
    FROM app.close_stage(p_job_id, p_attempt, p_stage_no) c;
END $$;
