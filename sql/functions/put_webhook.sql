-- put_webhook: makes a webhook or changes it; its deliveries stay. created is true for the first version.
-- Locks: the webhook's row. Asked again: the same webhook, another event.
CREATE FUNCTION app.put_webhook(
  p_webhook_id text, p_url text, p_secret_name text, p_job_type text, p_statuses jsonb, p_is_paused boolean, p_actor text
) RETURNS TABLE (created boolean) LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
BEGIN
  INSERT INTO app.webhooks AS w (webhook_id, url, secret_name, job_type, statuses, is_paused, created_by)
  VALUES (p_webhook_id, p_url, p_secret_name, p_job_type, p_statuses, p_is_paused, left(p_actor, 200))
  ON CONFLICT (webhook_id) DO UPDATE SET url = p_url, secret_name = p_secret_name, job_type = p_job_type, statuses = p_statuses,
    is_paused = p_is_paused, updated_at = now()
  RETURNING w.created_at = now() AND w.updated_at = now() INTO created;
  PERFORM app.add_event(NULL, 'webhook.put', jsonb_build_object('webhook_id', p_webhook_id, 'url', p_url, 'secret_name', p_secret_name,
    'is_paused', p_is_paused), p_actor);
  RETURN NEXT;
END $$;
