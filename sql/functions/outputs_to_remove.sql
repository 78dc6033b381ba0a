-- outputs_to_remove: files that nobody needs any more, oldest first: superseded for a day; of a cancelled job, or one that is gone, for a
-- day; of a failed one for a week (it may be retried until its blocks are too old). Those of running jobs are never among them.
-- Locks: none. Asked again: the same until remove_output.
CREATE FUNCTION app.outputs_to_remove(p_limit int) RETURNS TABLE (container text, blob text, job_id text, plan int)
LANGUAGE sql STABLE AS $$
  SELECT o.container, o.blob, o.job_id, o.plan FROM app.raster_outputs o LEFT JOIN app.jobs j ON j.job_id = o.job_id
  WHERE o.state IN ('staged', 'committed', 'superseded') AND o.changed_at < now() - interval '1 day'
    AND (o.state = 'superseded' OR j.job_id IS NULL OR j.status = 'cancelled' AND j.finished_at < now() - interval '1 day'
      OR j.finished_at < now() - interval '7 days')
  ORDER BY o.changed_at LIMIT p_limit
$$;
