-- breaker_report: a dependency was found working (closes its breaker) or broken (opens it, or opens it again after a probe).
-- Processes count failures themselves and report only what changes, so that a healthy dependency costs no write.
-- Locks: the breaker's row. Asked again: the wait begins anew when it is broken.
CREATE FUNCTION app.breaker_report(p_name text, p_ok boolean, p_actor text) RETURNS text
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  was text;
BEGIN
  SELECT b.state INTO was FROM app.circuit_breakers b WHERE b.name = p_name FOR UPDATE;
  IF p_ok THEN
    IF coalesce(was, 'closed') = 'closed' THEN RETURN 'closed'; END IF;
    UPDATE app.circuit_breakers b SET state = 'closed', failures = 0, opened_at = NULL, half_open_lease = NULL, updated_at = now() WHERE b.name = p_name;
    PERFORM app.add_event(NULL, 'breaker.closed', jsonb_build_object('dependency', p_name), p_actor);
    RETURN 'closed';
  END IF;
  INSERT INTO app.circuit_breakers AS b (name, state, failures, opened_at) VALUES (p_name, 'open', 1, now())
  ON CONFLICT (name) DO UPDATE SET state = 'open', failures = b.failures + 1, opened_at = now(), half_open_lease = NULL, updated_at = now();
  IF coalesce(was, 'closed') = 'closed' THEN
    PERFORM app.add_event(NULL, 'breaker.opened', jsonb_build_object('dependency', p_name), p_actor);
  END IF;
  RETURN 'open';
END $$;
