-- delete_schedule: removes a schedule with its runs; the jobs that it submitted stay. False: there was none.
-- Locks: the schedule's row, its runs.
CREATE FUNCTION app.delete_schedule(p_schedule_id text, p_actor text) RETURNS boolean
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
BEGIN
  DELETE FROM app.schedules s WHERE s.schedule_id = p_schedule_id;
  IF NOT FOUND THEN RETURN false; END IF;
  DELETE FROM app.schedule_runs r WHERE r.schedule_id = p_schedule_id;
  PERFORM app.add_event(NULL, 'schedule.deleted', jsonb_build_object('schedule_id', p_schedule_id), p_actor);
  RETURN true;
END $$;
