-- put_schedule: makes a schedule or changes it; its runs stay. created is true for the first version.
-- Locks: the schedule's row. Asked again: the same schedule, another event.
CREATE FUNCTION app.put_schedule(
  p_schedule_id text, p_job_type text, p_parameters jsonb, p_cron text, p_time_zone text, p_missed text, p_is_paused boolean,
  p_next_due_at timestamptz, p_actor text
) RETURNS TABLE (created boolean) LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
BEGIN
  INSERT INTO app.schedules AS s (schedule_id, job_type, parameters, cron, time_zone, missed, is_paused, next_due_at, created_by)
  VALUES (p_schedule_id, p_job_type, p_parameters, p_cron, p_time_zone, p_missed, p_is_paused, p_next_due_at, left(p_actor, 200))
  ON CONFLICT (schedule_id) DO UPDATE SET job_type = p_job_type, parameters = p_parameters, cron = p_cron, time_zone = p_time_zone,
    missed = p_missed, is_paused = p_is_paused, next_due_at = p_next_due_at, updated_at = now()
  RETURNING s.created_at = now() AND s.updated_at = now() INTO created;
  PERFORM app.add_event(NULL, 'schedule.put', jsonb_build_object('schedule_id', p_schedule_id, 'job_type', p_job_type, 'cron', p_cron,
    'time_zone', p_time_zone, 'is_paused', p_is_paused), p_actor);
  RETURN NEXT;
END $$;
