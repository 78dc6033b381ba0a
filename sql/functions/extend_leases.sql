-- extend_leases: the heartbeat of one worker: renews the leases of its running tasks, stores their progress, and tells what
-- was lost. p_renew false only asks. p_progress is a JSON object task_no → {fraction, note}, or null.
-- Locks: the job row (shared) when it renews, then rows of its own claims. Asked again: leases only move forward. Raises: LL001 unknown job.
CREATE FUNCTION app.extend_leases(
  p_job_id text, p_attempt int, p_stage_no int, p_worker uuid, p_task_nos int[], p_lease interval, p_renew boolean, p_progress jsonb
) RETURNS TABLE (job_status text, current_attempt int, lost int[])
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  job app.jobs;
  stage int;
BEGIN
  -- A renewal and a pause must not pass each other: a lease would live on in a paused job. Only asking needs no lock.
  IF p_renew THEN
    SELECT * INTO job FROM app.jobs j WHERE j.job_id = p_job_id FOR SHARE;
  ELSE
    SELECT * INTO job FROM app.jobs j WHERE j.job_id = p_job_id;
  END IF;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'job % does not exist', p_job_id USING ERRCODE = 'LL001', HINT = 'It was deleted; stop.';
  END IF;
  SELECT s.stage_id INTO stage FROM app.stages s WHERE s.job_id = p_job_id AND s.stage_no = p_stage_no AND s.retired_at IS NULL;
  -- A job that was paused or cancelled took its leases back.
  IF p_renew AND job.attempt = p_attempt AND job.status = 'processing' THEN
    PERFORM set_config('synchronous_commit', 'off', true);
    UPDATE app.tasks t SET lease_until = now() + p_lease,
      progress = coalesce((p_progress -> t.task_no::text ->> 'fraction')::double precision, t.progress),
      progress_note = coalesce(left(p_progress -> t.task_no::text ->> 'note', 200), t.progress_note)
    WHERE t.stage_id = stage AND t.task_no = ANY (p_task_nos) AND t.claimed_by = p_worker AND t.status = 'processing';
  END IF;
  RETURN QUERY SELECT job.status, job.attempt, coalesce(array_agg(n.task_no) FILTER (WHERE t.task_no IS NULL), '{}')
    FROM unnest(p_task_nos) AS n(task_no)
    LEFT JOIN app.tasks t ON t.stage_id = stage AND t.task_no = n.task_no AND t.claimed_by = p_worker AND t.status = 'processing' AND job.attempt = p_attempt;
END $$;
