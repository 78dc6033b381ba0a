-- jobs_to_reconcile: jobs whose start was never confirmed, or that are processing with no turn and no lease for p_idle_seconds.
-- Oldest first, a page of p_limit behind p_after (the reconcile_key of the page before; null: from the start). Locks: none: whoever repairs asks Durable and the job's own functions, which decide again.
CREATE FUNCTION app.jobs_to_reconcile(p_limit int, p_idle_seconds double precision, p_after text)
RETURNS TABLE (job_id text, attempt int, status text, reason text, reconcile_key text)
LANGUAGE sql STABLE AS $$
  SELECT j.job_id, j.attempt, j.status, CASE WHEN j.start_confirmed_attempt < j.attempt THEN 'start_not_confirmed' ELSE 'no_movement' END,
    to_char(j.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || ' ' || j.job_id
  FROM app.jobs j
  WHERE j.status IN ('queued', 'processing') AND j.updated_at <= now() - p_idle_seconds * interval '1 second'
    AND (j.start_confirmed_attempt < j.attempt OR j.status = 'queued' OR NOT EXISTS (
      SELECT FROM app.stages s JOIN app.tasks t ON t.stage_id = s.stage_id
      WHERE p_idle_seconds > 0 AND s.job_id = j.job_id AND s.retired_at IS NULL AND s.status = 'open' AND t.finished_at IS NULL
        AND t.status = 'processing' AND t.lease_until > now()))
    AND (p_after IS NULL OR (j.updated_at, j.job_id) > (split_part(p_after, ' ', 1)::timestamptz, split_part(p_after, ' ', 2)))
  ORDER BY j.updated_at, j.job_id LIMIT p_limit;
$$;
