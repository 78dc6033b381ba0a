-- complete_tasks_and_close: complete_tasks and close_stage in one transaction, for a worker that is probably the last one.
-- The advisory lock is taken before the results are written and held until they are committed, so that two such callers see each
-- other. One that recorded by complete_tasks alone, and has not committed yet, is not seen: its tasks count as open here. So whoever
-- is answered anything but closed asks close_stage after its commit, as everybody else; then one of the two closes.
-- In a small stage whose results are all completed it writes the rows and the event of the two itself, each row once; whatever is
-- otherwise goes through the two. test/sql/short-way.test.ts compares both.
-- outcomes: the rows of complete_tasks. The other columns: as close_stage.
-- Locks: advisory (LOCK_STAGE = 4711, stage_id), job row (shared), stage row, task rows in task_no order. Asked again:
-- already_applied and the recorded closure. Raises: what the two raise.
-- Plans are kept: rows are found by their keys, and all of a small stage is little.
-- Rejected: for every batch (the lock lasts through the flush of the commit: 400 batches a second at most).
CREATE FUNCTION app.complete_tasks_and_close(p_job_id text, p_attempt int, p_stage_no int, p_worker uuid, p_results jsonb)
RETURNS TABLE (outcomes jsonb, state text, closed_now boolean, outcome text, expected int, completed int, failed int, skipped int)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET lock_timeout = '5s' AS $$
DECLARE
  stage app.stages;
  job app.jobs;
  applied int[] := '{}';
  left_open int;
  bad int;
  skips int;
BEGIN
  PERFORM app.assert_read_committed();
  SELECT * INTO stage FROM app.stages s WHERE s.job_id = p_job_id AND s.stage_no = p_stage_no AND s.retired_at IS NULL;
  IF FOUND THEN
    PERFORM pg_advisory_xact_lock(4711, stage.stage_id);
    SELECT * INTO job FROM app.jobs j WHERE j.job_id = p_job_id FOR SHARE;
    SELECT * INTO stage FROM app.stages s WHERE s.stage_id = stage.stage_id FOR NO KEY UPDATE;
  END IF;
  IF job.attempt = p_attempt AND job.status IN ('processing', 'paused') AND stage.status = 'open' AND stage.expected <= 200
    AND coalesce(nullif(current_setting('lamplighter.stage', true), ''), stage.stage_id::text) = stage.stage_id::text
  THEN
    PERFORM set_config('lamplighter.stage', stage.stage_id::text, true);
    applied := app.complete_claimed(stage.stage_id, p_worker, p_results);
    SELECT count(*) FILTER (WHERE t.finished_at IS NULL), count(*) FILTER (WHERE t.status = 'failed'), count(*) FILTER (WHERE t.status = 'skipped')
    INTO left_open, bad, skips FROM app.tasks t WHERE t.stage_id = stage.stage_id;
    IF left_open = 0 AND cardinality(applied) = jsonb_array_length(p_results) THEN
      UPDATE app.stages s SET status = 'closed', closed_at = now(), completed = s.expected - bad - skips, failed = bad, skipped = skips,
        outcome = CASE WHEN bad > 0 AND (s.on_task_failure = 'fail' OR bad = s.expected) THEN 'failed'
          WHEN bad + skips > 0 THEN 'completed_with_errors' ELSE 'completed' END
      WHERE s.stage_id = stage.stage_id RETURNING * INTO stage;
      PERFORM app.add_event(p_job_id, 'stage.closed', jsonb_build_object('stage', p_stage_no, 'name', stage.name, 'outcome', stage.outcome,
        'completed', stage.completed, 'failed', stage.failed, 'skipped', stage.skipped, 'attempt', p_attempt));
      RETURN QUERY SELECT jsonb_agg(jsonb_build_object('task_no', a, 'outcome', 'applied', 'reason', NULL)), stage.status, true, stage.outcome,
        stage.expected, stage.completed, stage.failed, stage.skipped FROM unnest(applied) a;
      RETURN;
    END IF;
  END IF;
  SELECT coalesce(jsonb_agg(CASE WHEN c.task_no = ANY (applied) THEN to_jsonb(c) || '{"outcome": "applied"}' ELSE to_jsonb(c) END), '[]')
  INTO outcomes FROM app.complete_tasks(p_job_id, p_attempt, p_stage_no, p_worker, p_results) c;
  -- Written under the lock: nobody who asks under it misses these results.
  PERFORM set_config('lamplighter.completed', '', true);
  SELECT c.state, c.closed_now, c.outcome, c.expected, c.completed, c.failed, c.skipped
  INTO state, closed_now, outcome, expected, completed, failed, skipped FROM app.close_stage(p_job_id, p_attempt, p_stage_no) c;
  RETURN NEXT;
END $$;
