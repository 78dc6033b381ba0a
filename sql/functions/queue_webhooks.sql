-- queue_webhooks: writes down whom to tell that a job has ended, in the transaction that ends it: told once for each attempt, whatever dies.
-- Locks: none beyond the caller's. Asked again for the same attempt: nothing.
CREATE FUNCTION app.queue_webhooks(p_job_id text) RETURNS void LANGUAGE sql SET lock_timeout = '5s' AS $$
  INSERT INTO app.webhook_deliveries (webhook_id, job_id, attempt, payload)
  SELECT w.webhook_id, j.job_id, j.attempt, jsonb_build_object('type', 'job.' || j.status, 'timestamp', j.finished_at, 'data', jsonb_build_object(
    'job_id', j.job_id, 'job_type', j.job_type, 'status', j.status, 'attempt', j.attempt, 'error_code', j.error_code, 'submitted_by', j.submitted_by,
    'created_at', j.created_at, 'finished_at', j.finished_at))
  FROM app.jobs j JOIN app.webhooks w ON w.statuses ? j.status AND (w.job_type IS NULL OR w.job_type = j.job_type)
  WHERE j.job_id = p_job_id
  ON CONFLICT (webhook_id, job_id, attempt) DO NOTHING;
$$;
