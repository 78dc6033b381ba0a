-- plan_stage: a plan that is one batch, in one transaction: the job begins (first stage) or advances, the stage is opened, filled and sealed.
-- Where nobody has begun with the stage, and no key is there twice, it writes the rows and events that begin_job, advance_job_stage, open_stage, add_tasks and
-- seal_stage write one after another, each row once; else it calls the five. test/sql/short-way.test.ts compares both.
-- With p_limit, and no more tasks than that, it also hands them out to p_worker as claim_tasks does: claimed is then what that answers.
-- It commits asynchronously: a plan lost in a database crash is made again, and no result can be older than its plan in the log.
-- Answers with stage_readiness. Asked again: nothing changes, claimed is null; a stage whose plan is under way elsewhere (a cursor
-- beyond 0) stays in planning.
-- Locks: job row, stage row. Raises: what the five raise; LL002 when the stage before is not closed.
-- Plans are kept: a row is found by its key, and what is written is small.
CREATE FUNCTION app.plan_stage(
  p_job_id text, p_attempt int, p_stage_no int, p_name text, p_weight text, p_on_task_failure text, p_max_claims int, p_tasks jsonb,
  p_limit int DEFAULT 0, p_worker uuid DEFAULT NULL, p_lease interval DEFAULT NULL
) RETURNS TABLE (status text, outcome text, expected int, ready int, open_at_least int, next_ready_at timestamptz, sealed_at timestamptz, held int,
  claimed jsonb)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET lock_timeout = '5s' AS $$
DECLARE
  job app.jobs;
  opened record;
  id int;
  n int := jsonb_array_length(p_tasks);
  is_claim boolean := coalesce(n BETWEEN 1 AND p_limit, false);
BEGIN
  PERFORM app.assert_read_committed();
  PERFORM set_config('synchronous_commit', 'off', true);
  SELECT * INTO job FROM app.jobs j WHERE j.job_id = p_job_id FOR UPDATE;
  IF job.attempt = p_attempt AND job.stage = p_stage_no - 1 AND p_stage_no <= job.total_stages
    AND (job.status = 'processing' OR p_stage_no = 1 AND job.status = 'queued')
    AND (p_stage_no = 1 OR EXISTS (SELECT FROM app.stages s WHERE s.job_id = p_job_id AND s.stage_no = p_stage_no - 1
      AND s.retired_at IS NULL AND s.status = 'closed' AND s.outcome <> 'failed'))
    AND n = (SELECT count(DISTINCT t ->> 'key') FROM jsonb_array_elements(p_tasks) t)
  THEN
    INSERT INTO app.stages AS s (job_id, stage_no, name, weight, on_task_failure, max_claims, status, plan_cursor, expected, sealed_at, claim_cursor)
    VALUES (p_job_id, p_stage_no, p_name, p_weight, p_on_task_failure, p_max_claims, 'open', n, n, now(), CASE WHEN is_claim THEN n ELSE 0 END)
    ON CONFLICT (job_id, stage_no) WHERE retired_at IS NULL DO NOTHING RETURNING s.stage_id INTO id;
  END IF;
  IF id IS NOT NULL THEN
    UPDATE app.jobs j SET status = 'processing', stage = p_stage_no, updated_at = now(),
      started_at = CASE job.status WHEN 'queued' THEN now() ELSE j.started_at END,
      start_confirmed_attempt = CASE job.status WHEN 'queued' THEN p_attempt ELSE j.start_confirmed_attempt END
    WHERE j.job_id = p_job_id;
    INSERT INTO app.tasks (stage_id, task_no, task_key, source_key, parameters, status, claims, claimed_by, lease_until, started_at)
    SELECT id, t.ord, t.task ->> 'key', t.task ->> 'source', coalesce(t.task -> 'parameters', '{}'),
      CASE WHEN is_claim THEN 'processing' ELSE 'queued' END, is_claim::int, CASE WHEN is_claim THEN p_worker END,
      CASE WHEN is_claim THEN now() + p_lease END, CASE WHEN is_claim THEN now() END
    FROM jsonb_array_elements(p_tasks) WITH ORDINALITY AS t(task, ord);
    INSERT INTO app.job_events (job_id, event, data, actor)
    SELECT p_job_id, e.event, e.data, 'system' FROM (VALUES
      ('job.started', jsonb_build_object('attempt', p_attempt)),
      ('stage.opened', jsonb_build_object('stage', p_stage_no, 'name', p_name, 'attempt', p_attempt))
    ) AS e(event, data) WHERE job.status = 'queued' OR e.event <> 'job.started';
    IF is_claim THEN
      SELECT jsonb_agg(jsonb_build_object('task_no', t.task_no, 'task_key', t.task_key, 'source_key', t.source_key, 'claims', t.claims,
        'parameters', t.parameters) ORDER BY t.task_no) INTO claimed FROM app.tasks t WHERE t.stage_id = id;
    END IF;
    RETURN QUERY SELECT 'open', NULL, n, CASE WHEN is_claim THEN 0 ELSE n END, n, CASE WHEN is_claim THEN now() + p_lease END, now(),
      CASE WHEN is_claim THEN n ELSE 0 END, claimed;
    RETURN;
  END IF;
  IF p_stage_no = 1 THEN
    PERFORM app.begin_job(p_job_id, p_attempt);
  END IF;
  PERFORM app.advance_job_stage(p_job_id, p_attempt, p_stage_no - 1);
  SELECT * INTO opened FROM app.open_stage(p_job_id, p_attempt, p_stage_no, p_name, p_weight, p_on_task_failure, p_max_claims) o;
  IF opened.status = 'planning' AND opened.plan_cursor IN (0, n) THEN
    IF n > 0 THEN
      PERFORM app.add_tasks(p_job_id, p_attempt, p_stage_no, 0, p_tasks);
    END IF;
    PERFORM app.seal_stage(p_job_id, p_attempt, p_stage_no, n);
  END IF;
  RETURN QUERY SELECT r.*, NULL::jsonb FROM app.stage_readiness(p_job_id, p_stage_no) r;
END $$;
