-- jobs_to_purge: ended jobs that are older than their age allows: completed and cancelled p_days, the others p_days_failed.
-- 0 days: for ever. Oldest first by submission, bounded. Locks: none.
CREATE FUNCTION app.jobs_to_purge(p_days double precision, p_days_failed double precision, p_limit int)
RETURNS TABLE (job_id text, job_type text, status text)
LANGUAGE sql STABLE AS $$
  SELECT j.job_id, j.job_type, j.status FROM app.jobs j
  WHERE j.finished_at IS NOT NULL AND (
    p_days > 0 AND j.status IN ('completed', 'cancelled') AND j.finished_at < now() - p_days * interval '1 day'
    OR p_days_failed > 0 AND j.status IN ('failed', 'completed_with_errors') AND j.finished_at < now() - p_days_failed * interval '1 day')
  ORDER BY j.created_at LIMIT p_limit;
$$;
