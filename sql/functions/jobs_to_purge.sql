-- jobs_to_purge: ended jobs that are older than their age allows: completed and cancelled p_days, the others p_days_failed.
-- 0 days: for ever. Those that ended first come first; each half by an index of its own, so that what is kept longer is not read
-- again and again. Locks: none.
CREATE FUNCTION app.jobs_to_purge(p_days double precision, p_days_failed double precision, p_limit int)
RETURNS TABLE (job_id text, job_type text, status text)
LANGUAGE sql STABLE AS $$
  (SELECT j.job_id, j.job_type, j.status FROM app.jobs j
    WHERE p_days > 0 AND j.status IN ('completed', 'cancelled') AND j.finished_at < now() - p_days * interval '1 day'
    ORDER BY j.finished_at LIMIT p_limit)
  UNION ALL
  (SELECT j.job_id, j.job_type, j.status FROM app.jobs j
    WHERE p_days_failed > 0 AND j.status IN ('failed', 'completed_with_errors') AND j.finished_at < now() - p_days_failed * interval '1 day'
    ORDER BY j.finished_at LIMIT p_limit)
  LIMIT p_limit;
$$;
