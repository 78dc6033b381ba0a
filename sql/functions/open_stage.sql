-- open_stage: makes the stage row of the job's current stage, in status planning, or answers with the one that is there.
-- Locks: the job row (shared), so that no new attempt begins between the look at it and the stage. Asked again: the same row, with the cursor where planning resumes.
-- Raises: LL001, LL003, LL004 (assert_job_runs), LL002 when the stage is not the job's current one.
CREATE FUNCTION app.open_stage(
  p_job_id text, p_attempt int, p_stage_no int, p_name text, p_weight text, p_on_task_failure text, p_max_claims int
) RETURNS TABLE (status text, outcome text, plan_cursor int)
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
BEGIN
  PERFORM 1 FROM app.jobs j WHERE j.job_id = p_job_id FOR SHARE;
  PERFORM app.assert_job_runs(p_job_id, p_attempt);
  PERFORM 1 FROM app.jobs j WHERE j.job_id = p_job_id AND j.stage = p_stage_no;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'stage % is not the current stage of job %', p_stage_no, p_job_id
      USING ERRCODE = 'LL002', HINT = 'Advance the job first.';
  END IF;
  INSERT INTO app.stages (job_id, stage_no, name, weight, on_task_failure, max_claims)
  VALUES (p_job_id, p_stage_no, p_name, p_weight, p_on_task_failure, p_max_claims)
  ON CONFLICT (job_id, stage_no) WHERE retired_at IS NULL DO NOTHING;
  IF FOUND THEN
    PERFORM app.add_event(p_job_id, 'stage.opened', jsonb_build_object('stage', p_stage_no, 'name', p_name, 'attempt', p_attempt));
  END IF;
  RETURN QUERY SELECT s.status, s.outcome, s.plan_cursor FROM app.stages s
    WHERE s.job_id = p_job_id AND s.stage_no = p_stage_no AND s.retired_at IS NULL;
END $$;
