-- complete_tasks: records a batch of outcomes of one worker. No advisory lock here: "am I last?" is asked afterwards.
-- p_results is a JSON array of {task_no, status: completed|failed|skipped, result?, error_code?, error_details?, retryable?,
-- retry_in_ms?, duration_ms?}. A retryable failure below the stage's claim limit becomes retrying with not_before.
-- Answer per task: applied; already_applied (same outcome recorded before by this worker); superseded (claimed by another
-- worker since, other outcome recorded, or the job moved on); unknown. The reason column tells these apart.
-- The usual batch, completed tasks that this worker holds, is recorded by complete_claimed; what that leaves is decided here.
-- A task twice in one batch: its first outcome counts, the others are asked again.
-- Locks: task rows in task_no order, so overlapping batches never deadlock. Raises: LL010, LL001 unknown job, LL002 unknown stage,
-- LL013 an outcome that no worker may give.
-- Planned anew at each call, for a plan kept from a small stage scans a large one per batch (288 ms at 50,000 tasks); the plan is kept where the
-- stage is so small that reading all of it costs nothing (1 ms of 2.3 for one task).
-- Rejected: a row at a time (three times the CPU).
CREATE FUNCTION app.complete_tasks(p_job_id text, p_attempt int, p_stage_no int, p_worker uuid, p_results jsonb)
RETURNS TABLE (task_no int, outcome text, reason text)
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan SET enable_seqscan = off SET lock_timeout = '5s' AS $$
DECLARE
  job app.jobs;
  stage app.stages;
  numbers int[];
  -- Recorded already, by the short way.
  applied int[];
BEGIN
  PERFORM app.assert_read_committed();
  SELECT * INTO job FROM app.jobs j WHERE j.job_id = p_job_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'job % does not exist', p_job_id USING ERRCODE = 'LL001', HINT = 'It was deleted, or the id is wrong.';
  END IF;
  SELECT array_agg((r ->> 'task_no')::int) INTO numbers FROM jsonb_array_elements(p_results) r;
  IF EXISTS (SELECT FROM jsonb_array_elements(p_results) r WHERE (r ->> 'status') IN ('completed', 'failed', 'skipped') IS NOT TRUE) THEN
    RAISE EXCEPTION 'a worker gave an outcome other than completed, failed or skipped'
      USING ERRCODE = 'LL013', HINT = 'Whether a failed task is tried again is decided here, by retryable and the claims.';
  END IF;
  IF job.attempt <> p_attempt OR job.status NOT IN ('processing', 'paused') THEN
    RETURN QUERY SELECT n, 'superseded', CASE WHEN job.attempt <> p_attempt THEN 'old_attempt' ELSE 'job_' || job.status END FROM unnest(numbers) n;
    RETURN;
  END IF;
  SELECT * INTO stage FROM app.stages s WHERE s.job_id = p_job_id AND s.stage_no = p_stage_no AND s.retired_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'stage % of job % does not exist', p_stage_no, p_job_id USING ERRCODE = 'LL002', HINT = 'The stage number is wrong.';
  END IF;
  PERFORM set_config('lamplighter.completed', 'yes', true);
  applied := app.complete_claimed(stage.stage_id, p_worker, p_results);
  IF cardinality(applied) = cardinality(numbers) THEN
    RETURN QUERY SELECT n, 'applied', NULL FROM unnest(applied) n;
    RETURN;
  END IF;
  IF stage.expected <= 100 THEN
    PERFORM set_config('plan_cache_mode', 'force_generic_plan', true);
  END IF;
  RETURN QUERY
    WITH given AS (
      SELECT r.*, row_number() OVER (PARTITION BY r.task_no ORDER BY r.ord) AS nth FROM ROWS FROM (jsonb_to_recordset(p_results) AS (task_no int, status text, result jsonb, error_code text, error_details text,
        retryable boolean, retry_in_ms int, duration_ms int)) WITH ORDINALITY AS r(task_no, status, result, error_code, error_details,
        retryable, retry_in_ms, duration_ms, ord)
    ), locked AS MATERIALIZED (
      SELECT t.task_no, t.status, t.claimed_by, t.claims FROM app.tasks t
      WHERE t.stage_id = stage.stage_id AND t.task_no = ANY (numbers) ORDER BY t.task_no FOR UPDATE
    ), decided AS (
      SELECT g.*, l.status AS old_status, l.claimed_by AS holder, first_value(g.status) OVER (PARTITION BY g.task_no ORDER BY g.nth) AS first_status,
        CASE WHEN g.status = 'failed' AND g.retryable AND l.claims < stage.max_claims THEN 'retrying' ELSE g.status END AS new_status
      FROM given g LEFT JOIN locked l ON l.task_no = g.task_no
    ), applied AS (
      UPDATE app.tasks t SET status = d.new_status, lease_until = NULL, result_data = d.result, duration_ms = d.duration_ms,
        error_code = CASE WHEN d.new_status <> 'completed' THEN left(coalesce(nullif(d.error_code, ''), 'UNKNOWN'), 64) END,
        error_details = CASE WHEN d.new_status <> 'completed' THEN left(d.error_details, 8000) END,
        retryable = CASE WHEN d.new_status <> 'completed' THEN coalesce(d.retryable, false) END,
        not_before = CASE WHEN d.new_status = 'retrying' THEN now() + coalesce(d.retry_in_ms, 0) * interval '1 millisecond' END,
        finished_at = CASE WHEN d.new_status <> 'retrying' THEN now() END
      FROM decided d
      -- ANY bounds the scan whatever the join order: statistics that do not know this stage yet take it for one row.
      WHERE t.stage_id = stage.stage_id AND t.task_no = ANY (numbers) AND t.task_no = d.task_no AND d.nth = 1
        AND d.holder = p_worker AND d.old_status = 'processing'
      RETURNING t.task_no
    ), known AS (
      -- What the row says to whoever asks now: its record, or what this batch has just made of it.
      SELECT d.*, a.task_no IS NOT NULL AS is_applied, CASE WHEN a.task_no IS NOT NULL THEN d.first_status
        WHEN d.old_status = 'retrying' AND d.status = 'failed' THEN 'failed' ELSE d.old_status END AS recorded
      FROM decided d LEFT JOIN applied a ON a.task_no = d.task_no
    ) SELECT k.task_no,
        CASE WHEN k.old_status IS NULL THEN 'unknown' WHEN k.is_applied AND k.nth = 1 OR k.task_no = ANY (applied) THEN 'applied'
          WHEN k.holder = p_worker AND k.recorded = k.status THEN 'already_applied' ELSE 'superseded' END,
        CASE WHEN k.old_status IS NULL OR k.is_applied AND k.nth = 1 THEN NULL WHEN k.holder IS DISTINCT FROM p_worker THEN 'other_claim'
          WHEN k.recorded <> k.status THEN 'other_outcome' END
      FROM known k ORDER BY k.task_no, k.nth;
END $$;
