-- release_dead: ends the leases of processes that gave no sign of life for p_silent, or for p_followed when a process of the same
-- name asks (the host was started again). The tasks are claimable at once instead of at the end of their leases; claims and claimed_by
-- stay, so a process that was only slow is fenced as after any lease that ended. Answers with the number of leases.
-- Locks: the rows of dead hosts, then their claims in order; rows that others hold are skipped. Asked again: nothing is left.
-- Bounded by what was handed out and is open. Rejected: a shorter lease; a worker whose event loop stands still would lose its tasks.
CREATE FUNCTION app.release_dead(p_host_id text, p_name text, p_silent interval, p_followed interval) RETURNS int
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan SET lock_timeout = '5s' AS $$
DECLARE
  dead text[];
  released int;
BEGIN
  WITH silent AS (
    SELECT h.host_id FROM app.hosts h
    WHERE h.host_id <> p_host_id AND h.seen_at <= now() - CASE WHEN h.name = p_name THEN least(p_followed, p_silent) ELSE p_silent END
    ORDER BY h.host_id FOR UPDATE SKIP LOCKED
  ), gone AS (DELETE FROM app.hosts h USING silent s WHERE h.host_id = s.host_id RETURNING h.host_id)
  SELECT array_agg(g.host_id) INTO dead FROM gone g;
  IF dead IS NULL THEN RETURN 0; END IF;
  WITH held AS (
    SELECT t.stage_id, t.task_no FROM app.jobs j
    JOIN app.stages s ON s.job_id = j.job_id AND s.retired_at IS NULL AND s.status = 'open'
    JOIN app.tasks t ON t.stage_id = s.stage_id AND t.task_no <= s.claim_cursor AND t.finished_at IS NULL
    WHERE j.status = 'processing' AND t.status = 'processing' AND t.lease_until > now()
      AND left(replace(t.claimed_by::text, '-', ''), 16) = ANY (dead)
    ORDER BY t.stage_id, t.task_no FOR UPDATE OF t SKIP LOCKED
  )
  UPDATE app.tasks t SET lease_until = now() FROM held h WHERE t.stage_id = h.stage_id AND t.task_no = h.task_no;
  GET DIAGNOSTICS released = ROW_COUNT;
  PERFORM app.add_event(NULL, 'hosts.released', jsonb_build_object('hosts', dead, 'leases', released), 'system');
  RETURN released;
END $$;
