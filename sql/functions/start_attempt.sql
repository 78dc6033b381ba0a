-- start_attempt: raises the attempt of a finished job and lets it start from nothing. The caller holds the job row.
-- Stage rows of the old attempt are summed up in an event and retired; their tasks are deleted in slices by delete_retired,
-- so that a rerun of 100,000 tasks answers at once. Late writers of the old attempt are fenced out by the number.
-- Locks: none beyond the caller's.
CREATE FUNCTION app.start_attempt(p_job_id text, p_total_stages int, p_idempotency_key text, p_actor text, p_reason text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  old_stages jsonb;
BEGIN
  WITH retired AS (
    UPDATE app.stages s SET retired_at = now() WHERE s.job_id = p_job_id AND s.retired_at IS NULL
    RETURNING s.stage_no, s.name, s.outcome, s.expected, s.completed, s.failed, s.skipped
  ) SELECT coalesce(jsonb_agg(to_jsonb(r) ORDER BY r.stage_no), '[]') INTO old_stages FROM retired r;
  UPDATE app.jobs j SET status = 'queued', attempt = j.attempt + 1, stage = 0, total_stages = p_total_stages, stage_results = '{}', result_data = NULL,
    error_code = NULL, error_details = NULL, cancel_reason = NULL, idempotency_key = p_idempotency_key,
    started_at = NULL, finished_at = NULL, updated_at = now()
  WHERE j.job_id = p_job_id;
  PERFORM app.add_event(p_job_id, 'job.rerun', jsonb_strip_nulls(jsonb_build_object('old_stages', old_stages, 'reason', p_reason)), p_actor);
END $$;
