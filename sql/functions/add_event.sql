-- add_event: appends one audit row. One per event, never one per task.
-- Locks: none. Idempotence: none, callers write it in the transaction of the change that it tells of.
CREATE FUNCTION app.add_event(p_job_id text, p_event text, p_data jsonb, p_actor text DEFAULT 'system') RETURNS void
LANGUAGE sql AS $$
  INSERT INTO app.job_events (job_id, event, data, actor) VALUES (p_job_id, p_event, p_data, left(coalesce(nullif(p_actor, ''), 'system'), 200));
$$;
