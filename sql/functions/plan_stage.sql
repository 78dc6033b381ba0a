-- plan_stage: a plan that is one batch, in one transaction: the job begins (first stage) or advances, the stage is opened, filled and sealed.
-- Does what begin_job, advance_job_stage, open_stage, add_tasks and seal_stage do one after another, by calling them.
-- It commits asynchronously: a plan lost in a database crash is made again, and no result can be older than its plan in the log.
-- Answers with stage_readiness. Asked again: nothing changes; a stage whose plan is under way elsewhere (a cursor beyond 0) stays in planning.
-- Locks: job row, stage row. Raises: what the five raise; LL002 when the stage before is not closed.
CREATE FUNCTION app.plan_stage(
  p_job_id text, p_attempt int, p_stage_no int, p_name text, p_weight text, p_on_task_failure text, p_max_claims int, p_tasks jsonb
) RETURNS TABLE (status text, outcome text, expected int, ready int, open_at_least int, next_ready_at timestamptz, sealed_at timestamptz, held int)
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  opened record;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  IF p_stage_no = 1 THEN
    PERFORM app.begin_job(p_job_id, p_attempt);
  END IF;
  PERFORM app.advance_job_stage(p_job_id, p_attempt, p_stage_no - 1);
  SELECT * INTO opened FROM app.open_stage(p_job_id, p_attempt, p_stage_no, p_name, p_weight, p_on_task_failure, p_max_claims) o;
  IF opened.status = 'planning' AND opened.plan_cursor IN (0, jsonb_array_length(p_tasks)) THEN
    IF jsonb_array_length(p_tasks) > 0 THEN
      PERFORM app.add_tasks(p_job_id, p_attempt, p_stage_no, 0, p_tasks);
    END IF;
    PERFORM app.seal_stage(p_job_id, p_attempt, p_stage_no, jsonb_array_length(p_tasks));
  END IF;
  RETURN QUERY SELECT r.* FROM app.stage_readiness(p_job_id, p_stage_no) r;
END $$;
