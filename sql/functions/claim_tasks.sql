-- claim_tasks: hands out up to p_limit ready tasks to one worker, in task_no order.
-- First pass: the next range of tasks that nobody had yet, by a counter on the stage row. Second pass, when the range is
-- used up: queued again, retrying and due, or processing with an expired lease, FOR UPDATE SKIP LOCKED.
-- A task over its claim limit is failed with POISON instead of handed out.
-- Nothing is claimable when the job is not processing or the attempt is old. Call it in a transaction of its own: it commits
-- asynchronously, for a claim lost in a database crash is only claimed again, and claimed_by fences the first claimant.
-- Locks: the stage row for the length of the claim. Raises: LL010.
-- Rejected: SKIP LOCKED alone (0.11 ms of server CPU per task against 0.064 ms); it also walks the rows of its rivals.
CREATE FUNCTION app.claim_tasks(p_job_id text, p_attempt int, p_stage_no int, p_limit int, p_worker uuid, p_lease interval)
RETURNS TABLE (task_no int, task_key text, source_key text, claims int, parameters jsonb)
LANGUAGE plpgsql AS $$
DECLARE
  stage app.stages;
  got int := 0;
BEGIN
  PERFORM app.assert_read_committed();
  -- A claim is some fifty rows of a stage of any size: always the indexes, whatever the statistics say.
  PERFORM set_config('synchronous_commit', 'off', true), set_config('enable_seqscan', 'off', true),
    set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true), set_config('enable_bitmapscan', 'off', true);
  PERFORM 1 FROM app.jobs j WHERE j.job_id = p_job_id AND j.attempt = p_attempt AND j.status = 'processing';
  IF NOT FOUND THEN RETURN; END IF;
  SELECT * INTO stage FROM app.stages s
  WHERE s.job_id = p_job_id AND s.stage_no = p_stage_no AND s.retired_at IS NULL AND s.status = 'open';
  IF NOT FOUND THEN RETURN; END IF;
  IF stage.claim_cursor < stage.expected THEN
    SELECT * INTO stage FROM app.stages s WHERE s.stage_id = stage.stage_id FOR UPDATE;
    UPDATE app.stages s SET claim_cursor = least(s.claim_cursor + p_limit, s.expected) WHERE s.stage_id = stage.stage_id;
    RETURN QUERY UPDATE app.tasks t
      SET status = 'processing', claims = t.claims + 1, claimed_by = p_worker, lease_until = now() + p_lease, started_at = now()
      WHERE t.stage_id = stage.stage_id AND t.task_no > stage.claim_cursor AND t.task_no <= stage.claim_cursor + p_limit AND t.status = 'queued'
      RETURNING t.task_no, t.task_key, t.source_key, t.claims, t.parameters;
    GET DIAGNOSTICS got = ROW_COUNT;
  END IF;
  IF got >= p_limit THEN RETURN; END IF;
  RETURN QUERY
    WITH ready AS MATERIALIZED (
      SELECT t.task_no FROM app.tasks t
      WHERE t.stage_id = stage.stage_id AND t.finished_at IS NULL AND t.task_no <= stage.claim_cursor
        AND (t.status = 'queued' OR t.status = 'retrying' AND t.not_before <= now() OR t.status = 'processing' AND t.lease_until <= now())
      ORDER BY t.task_no LIMIT p_limit - got FOR UPDATE SKIP LOCKED
    ), taken AS (
      UPDATE app.tasks t SET
        status = CASE WHEN t.claims >= stage.max_claims THEN 'failed' ELSE 'processing' END,
        claims = CASE WHEN t.claims >= stage.max_claims THEN t.claims ELSE t.claims + 1 END,
        claimed_by = p_worker,
        lease_until = CASE WHEN t.claims >= stage.max_claims THEN NULL ELSE now() + p_lease END,
        not_before = NULL,
        started_at = coalesce(t.started_at, now()),
        finished_at = CASE WHEN t.claims >= stage.max_claims THEN now() END,
        error_code = CASE WHEN t.claims >= stage.max_claims THEN 'POISON' ELSE t.error_code END,
        error_details = CASE WHEN t.claims >= stage.max_claims
          THEN format('Claimed %s times and never finished: each worker died or lost its lease.', t.claims) ELSE t.error_details END,
        retryable = CASE WHEN t.claims >= stage.max_claims THEN false ELSE t.retryable END
      FROM ready WHERE t.stage_id = stage.stage_id AND t.task_no = ready.task_no
      RETURNING t.*
    ) SELECT k.task_no, k.task_key, k.source_key, k.claims, k.parameters FROM taken k WHERE k.status = 'processing' ORDER BY k.task_no;
END $$;
