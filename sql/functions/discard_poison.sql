-- discard_poison: an operator has seen a job's poisoned tasks and gives them up: they stay failed, under a code of their own.
-- Locks: the job row, then those tasks. Asked again: 0. Raises: LL001 unknown job.
CREATE FUNCTION app.discard_poison(p_job_id text, p_reason text, p_actor text) RETURNS int
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  job app.jobs := app.lock_job(p_job_id);
  n int;
BEGIN
  UPDATE app.tasks t SET error_code = 'POISON_DISCARDED' FROM app.stages s
  WHERE s.job_id = p_job_id AND s.retired_at IS NULL AND t.stage_id = s.stage_id AND t.finished_at IS NOT NULL AND t.error_code = 'POISON';
  GET DIAGNOSTICS n = ROW_COUNT;
  IF n > 0 THEN
    PERFORM app.add_event(p_job_id, 'poison.discarded', jsonb_build_object('reason', p_reason, 'tasks', n, 'attempt', job.attempt), p_actor);
  END IF;
  RETURN n;
END $$;
