-- delete_webhook: removes a webhook with its deliveries. False: there was none.
-- Locks: the webhook's row, its deliveries.
CREATE FUNCTION app.delete_webhook(p_webhook_id text, p_actor text) RETURNS boolean
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
BEGIN
  DELETE FROM app.webhooks w WHERE w.webhook_id = p_webhook_id;
  IF NOT FOUND THEN RETURN false; END IF;
  DELETE FROM app.webhook_deliveries d WHERE d.webhook_id = p_webhook_id;
  PERFORM app.add_event(NULL, 'webhook.deleted', jsonb_build_object('webhook_id', p_webhook_id), p_actor);
  RETURN true;
END $$;
