-- host_alive: a sign of life of a process that runs tasks. Before its first claim, then every few seconds while it has any.
-- Locks: its own row. Asked again: only the time moves.
CREATE FUNCTION app.host_alive(p_host_id text, p_name text) RETURNS boolean
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  INSERT INTO app.hosts AS h (host_id, name) VALUES (p_host_id, p_name)
  ON CONFLICT (host_id) DO UPDATE SET seen_at = now();
  RETURN true;
END $$;
