-- stage_readiness: how much there is to do now, and when the next task becomes ready: it decides the number of workers.
-- Bounded: the untouched range is arithmetic, of the rest at most 12,500 rows (250 workers x 50 tasks) are looked at.
-- held: leases that live.
-- Locks: none. No row: the stage does not exist.
CREATE FUNCTION app.stage_readiness(p_job_id text, p_stage_no int)
RETURNS TABLE (status text, outcome text, expected int, ready int, open_at_least int, next_ready_at timestamptz, sealed_at timestamptz, held int)
LANGUAGE sql STABLE SET plan_cache_mode = force_custom_plan AS $$
  SELECT s.status, s.outcome, s.expected, (s.expected - s.claim_cursor + o.ready)::int, (s.expected - s.claim_cursor + o.open)::int, o.next_ready_at, s.sealed_at, o.held::int
  FROM app.stages s, LATERAL (
    SELECT count(*) FILTER (WHERE k.ready_at <= now()) AS ready, count(*) AS open, min(k.ready_at) FILTER (WHERE k.ready_at > now()) AS next_ready_at,
      count(*) FILTER (WHERE k.ready_at > now() AND k.held) AS held
    FROM (
      SELECT CASE t.status WHEN 'queued' THEN now() WHEN 'retrying' THEN t.not_before ELSE t.lease_until END AS ready_at, t.status = 'processing' AS held
      FROM app.tasks t WHERE t.stage_id = s.stage_id AND t.finished_at IS NULL AND t.task_no <= s.claim_cursor ORDER BY t.task_no DESC LIMIT 12500
    ) k
  ) o WHERE s.job_id = p_job_id AND s.stage_no = p_stage_no AND s.retired_at IS NULL;
$$;
