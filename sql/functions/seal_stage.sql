-- seal_stage: the plan is complete: planning → open. Only a sealed stage can close, so an interrupted plan never does.
-- p_expected must equal the tasks that are stored. Locks: the stage row. Asked again: false, nothing changes.
-- Raises: LL001, LL003, LL004 (assert_job_runs), LL002 no such stage, LL007 another number of tasks is stored.
CREATE FUNCTION app.seal_stage(p_job_id text, p_attempt int, p_stage_no int, p_expected int) RETURNS boolean
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  stage app.stages;
BEGIN
  PERFORM app.assert_job_runs(p_job_id, p_attempt);
  SELECT * INTO stage FROM app.stages s WHERE s.job_id = p_job_id AND s.stage_no = p_stage_no AND s.retired_at IS NULL FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'stage % of job % does not exist', p_stage_no, p_job_id USING ERRCODE = 'LL002', HINT = 'Open the stage first.';
  END IF;
  -- As in add_tasks: what held the stage row may have ended the job.
  PERFORM app.assert_job_runs(p_job_id, p_attempt);
  IF stage.status <> 'planning' THEN
    RETURN false;
  ELSIF stage.plan_cursor <> p_expected THEN
    RAISE EXCEPTION 'stage % of job % holds % tasks, the plan has %', p_stage_no, p_job_id, stage.plan_cursor, p_expected
      USING ERRCODE = 'LL007', HINT = 'Resume planning at the recorded cursor.';
  END IF;
  UPDATE app.stages s SET status = 'open', sealed_at = now() WHERE s.stage_id = stage.stage_id;
  RETURN true;
END $$;
