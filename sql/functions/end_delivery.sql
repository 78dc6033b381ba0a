-- end_delivery: what became of a try. p_retry_in null: not sent again, delivered when p_error is null, else dead.
-- Locks: the delivery's row. False: another try has begun, or it is gone.
CREATE FUNCTION app.end_delivery(
  p_webhook_id text, p_job_id text, p_attempt int, p_tries int, p_answered int, p_error text, p_retry_in interval
) RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
BEGIN
  UPDATE app.webhook_deliveries d SET answered = p_answered, error = left(p_error, 500),
    status = CASE WHEN p_error IS NULL THEN 'delivered' WHEN p_retry_in IS NULL THEN 'dead' ELSE 'pending' END,
    delivered_at = CASE WHEN p_error IS NULL THEN now() END, next_try_at = now() + coalesce(p_retry_in, interval '0')
  WHERE d.webhook_id = p_webhook_id AND d.job_id = p_job_id AND d.attempt = p_attempt AND d.tries = p_tries AND d.status = 'pending';
  RETURN FOUND;
END $$;
