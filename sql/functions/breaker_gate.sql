-- breaker_gate: may tasks that need these dependencies be claimed? closed: yes. open: in wait_ms at the earliest. ready: the wait is
-- over, and a probe may be taken. With p_take, one caller in the whole system gets the probe, for the length of its lease.
-- Locks: the row of a breaker that is to be probed. No row is a closed breaker.
CREATE FUNCTION app.breaker_gate(p_names text[], p_cooldown interval, p_probe interval, p_take boolean)
RETURNS TABLE (state text, wait_ms int)
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  breaker app.circuit_breakers;
BEGIN
  state := 'closed';
  wait_ms := 0;
  FOR breaker IN SELECT * FROM app.circuit_breakers b WHERE b.name = ANY (p_names) AND b.state <> 'closed' ORDER BY b.name LOOP
    wait_ms := greatest(0, ceil(extract(epoch FROM greatest(breaker.opened_at + p_cooldown, breaker.half_open_lease) - now()) * 1000))::int;
    IF wait_ms > 0 THEN
      state := 'open';
    ELSIF NOT p_take THEN
      state := 'ready';
    ELSE
      UPDATE app.circuit_breakers b SET state = 'half_open', half_open_lease = now() + p_probe, updated_at = now()
      WHERE b.name = breaker.name AND b.state <> 'closed' AND b.opened_at + p_cooldown <= now()
        AND (b.half_open_lease IS NULL OR b.half_open_lease <= now());
      state := CASE WHEN FOUND THEN 'probe' ELSE 'open' END;
      wait_ms := CASE WHEN FOUND THEN 0 ELSE 1000 END;
    END IF;
    EXIT WHEN state = 'open';
  END LOOP;
  RETURN NEXT;
END $$;
