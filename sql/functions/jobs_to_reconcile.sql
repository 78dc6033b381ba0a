-- jobs_to_reconcile: jobs whose start was never confirmed, or that are processing with no turn and no lease for p_idle_seconds.
-- Oldest first, bounded. Locks: none: whoever repairs asks Durable and the job's own functions, which decide again.
CREATE FUNCTION app.jobs_to_reconcile(p_limit int, p_idle_seconds double precision)
RETURNS TABLE (job_id text, attempt int, status text, reason text)
LANGUAGE sql STABLE AS $$
  SELECT j.job_id, j.attempt, j.status, CASE WHEN j.start_confirmed_attempt < j.attempt THEN 'start_not_confirmed' ELSE 'no_movement' END
  FROM app.jobs j
  WHERE j.status IN ('queued', 'processing') AND j.updated_at <= now() - p_idle_seconds * interval '1 second'
    AND (j.start_confirmed_attempt < j.attempt OR j.status = 'queued' OR NOT EXISTS (
      SELECT FROM app.stages s JOIN app.tasks t ON t.stage_id = s.stage_id
      WHERE p_idle_seconds > 0 AND s.job_id = j.job_id AND s.retired_at IS NULL AND s.status = 'open' AND t.finished_at IS NULL
        AND t.status = 'processing' AND t.lease_until > now()))
  ORDER BY j.updated_at LIMIT p_limit;
$$;
