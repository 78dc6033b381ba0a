-- retry_delivery: an operator has a message sent again, with all its tries. False: there is none, or it is pending.
-- Locks: the delivery's row.
CREATE FUNCTION app.retry_delivery(p_webhook_id text, p_job_id text, p_attempt int, p_actor text) RETURNS boolean
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
BEGIN
  UPDATE app.webhook_deliveries d SET status = 'pending', tries = 0, next_try_at = now(), delivered_at = NULL
  WHERE d.webhook_id = p_webhook_id AND d.job_id = p_job_id AND d.attempt = p_attempt AND d.status <> 'pending';
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM app.add_event(p_job_id, 'webhook.retried', jsonb_build_object('webhook_id', p_webhook_id, 'attempt', p_attempt), p_actor);
  RETURN true;
END $$;
