-- close_stage: closes a stage once nothing is open; the last task turns out the lights.
-- Ask after the results were committed, in a transaction of its own. Asked again, by anyone, it gives the recorded answer;
-- closed_now is true for one caller ever. state: closed (recorded, final), open, planning (not sealed), superseded (older attempt);
-- next_ready_at counts leases of living workers too, next_retry_at only tasks that wait for their next try.
-- Outcomes: skipped (no task), completed, completed_with_errors, failed.
-- Locks: advisory (LOCK_STAGE = 4711, stage_id), then the job row (shared), only when the probe found nothing open; never waits over 5 s.
-- Raises: LL010 not READ COMMITTED, LL001/LL002 unknown, LL011 second stage in one transaction, LL012 the transaction still
-- holds completions.
-- Rejected: COUNT under the lock (quadratic: 78 s for 10,000 tasks); a counter row (its lock lasts through the flush).
CREATE FUNCTION app.close_stage(p_job_id text, p_attempt int, p_stage_no int)
RETURNS TABLE (state text, closed_now boolean, outcome text, expected int, completed int, failed int, skipped int, open_at_least int,
  next_ready_at timestamptz, next_retry_at timestamptz)
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  stage app.stages;
  job_attempt int;
  bad int;
  skips int;
BEGIN
  PERFORM app.assert_read_committed();
  SELECT j.attempt INTO job_attempt FROM app.jobs j WHERE j.job_id = p_job_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'job % does not exist', p_job_id USING ERRCODE = 'LL001', HINT = 'It was deleted, or the id is wrong.';
  END IF;
  closed_now := false;
  IF job_attempt <> p_attempt THEN
    state := 'superseded';
    RETURN NEXT;
    RETURN;
  END IF;
  SELECT * INTO stage FROM app.stages s WHERE s.job_id = p_job_id AND s.stage_no = p_stage_no AND s.retired_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'stage % of job % does not exist', p_stage_no, p_job_id USING ERRCODE = 'LL002', HINT = 'The stage number is wrong.';
  ELSIF current_setting('lamplighter.completed', true) = 'yes' THEN
    RAISE EXCEPTION 'this transaction still holds the results that it asks about' USING ERRCODE = 'LL012', HINT = 'Commit the results first.';
  ELSIF coalesce(nullif(current_setting('lamplighter.stage', true), ''), stage.stage_id::text) <> stage.stage_id::text THEN
    RAISE EXCEPTION 'this transaction asked about another stage before' USING ERRCODE = 'LL011', HINT = 'One stage per transaction: two would deadlock.';
  END IF;
  PERFORM set_config('lamplighter.stage', stage.stage_id::text, true);
  IF stage.status = 'planning' THEN
    state := 'planning';
    RETURN NEXT;
    RETURN;
  END IF;
  IF stage.status = 'open' AND NOT app.has_open_tasks(stage.stage_id) THEN
    PERFORM pg_advisory_xact_lock(4711, stage.stage_id);
    -- A retry queues tasks again and raises the attempt: whoever holds the job row first decides, the other one sees it.
    PERFORM 1 FROM app.jobs j WHERE j.job_id = p_job_id AND j.attempt = p_attempt FOR SHARE;
    IF NOT FOUND THEN
      state := 'superseded';
      RETURN NEXT;
      RETURN;
    END IF;
    IF NOT app.has_open_tasks(stage.stage_id) THEN
      SELECT count(*) FILTER (WHERE t.status = 'failed'), count(*) FILTER (WHERE t.status = 'skipped') INTO bad, skips
      FROM app.tasks t WHERE t.stage_id = stage.stage_id AND t.finished_at IS NOT NULL AND t.error_code IS NOT NULL;
      UPDATE app.stages s SET status = 'closed', closed_at = now(), completed = s.expected - bad - skips, failed = bad, skipped = skips,
        outcome = CASE WHEN s.expected = 0 THEN 'skipped' WHEN bad > 0 AND (s.on_task_failure = 'fail' OR bad = s.expected) THEN 'failed'
          WHEN bad + skips > 0 THEN 'completed_with_errors' ELSE 'completed' END
      WHERE s.stage_id = stage.stage_id AND s.status = 'open';
      closed_now := FOUND;
    END IF;
    SELECT * INTO stage FROM app.stages s WHERE s.stage_id = stage.stage_id;
    IF closed_now THEN
      PERFORM app.add_event(p_job_id, 'stage.closed', jsonb_build_object('stage', p_stage_no, 'name', stage.name, 'outcome', stage.outcome,
        'completed', stage.completed, 'failed', stage.failed, 'skipped', stage.skipped, 'attempt', p_attempt));
    END IF;
  END IF;
  state := stage.status;
  expected := stage.expected;
  IF stage.status = 'closed' THEN
    outcome := stage.outcome;
    completed := stage.completed;
    failed := stage.failed;
    skipped := stage.skipped;
  ELSE
    SELECT count(*), min(o.ready_at), min(o.retry_at) INTO open_at_least, next_ready_at, next_retry_at
    FROM app.open_tasks(stage.stage_id, 1000) o;
  END IF;
  RETURN NEXT;
END $$;
