-- complete_task_and_check_stage: complete_tasks for one task, COMMIT, close_stage: for callers outside the orchestrator.
-- A procedure, because the result must be committed before anybody may ask who was last. CALL it outside a transaction.
-- Asked again: already_applied and the same recorded closure. Raises: what the two raise.
CREATE PROCEDURE app.complete_task_and_check_stage(
  p_job_id text, p_attempt int, p_stage_no int, p_worker uuid, p_result jsonb, INOUT p_outcome text DEFAULT NULL, INOUT p_closure jsonb DEFAULT NULL
)
LANGUAGE plpgsql AS $$
BEGIN
  SELECT c.outcome INTO p_outcome FROM app.complete_tasks(p_job_id, p_attempt, p_stage_no, p_worker, jsonb_build_array(p_result)) c;
  COMMIT;
  SELECT to_jsonb(c) INTO p_closure FROM app.close_stage(p_job_id, p_attempt, p_stage_no) c;
END $$;
