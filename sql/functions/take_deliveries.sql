-- take_deliveries: hands out messages that are due, each to one caller; one that is not ended within the lease is handed out again.
-- Locks: the rows that it takes; those of others are skipped.
CREATE FUNCTION app.take_deliveries(p_limit int, p_lease interval)
RETURNS TABLE (webhook_id text, job_id text, attempt int, tries int, url text, secret_name text, payload jsonb)
LANGUAGE sql SET lock_timeout = '5s' AS $$
  WITH due AS (
    SELECT d.webhook_id, d.job_id, d.attempt FROM app.webhook_deliveries d JOIN app.webhooks w USING (webhook_id)
    WHERE d.status = 'pending' AND d.next_try_at <= now() AND NOT w.is_paused ORDER BY d.next_try_at LIMIT p_limit FOR UPDATE OF d SKIP LOCKED
  )
  UPDATE app.webhook_deliveries d SET tries = d.tries + 1, next_try_at = now() + p_lease FROM due, app.webhooks w
  WHERE d.webhook_id = due.webhook_id AND d.job_id = due.job_id AND d.attempt = due.attempt AND w.webhook_id = d.webhook_id
  RETURNING d.webhook_id, d.job_id, d.attempt, d.tries, w.url, w.secret_name, d.payload;
$$;
