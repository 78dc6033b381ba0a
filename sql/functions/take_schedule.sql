-- take_schedule: one caller in the whole system gets the due times of a schedule: whoever still finds the time that it has read.
-- p_run is the one to be submitted (null: none), p_missed those that nobody ran, p_next_due_at the one after. Only the newest 1,000 runs are kept.
-- Locks: the schedule's row. Asked again with the same p_expected: false.
-- Rejected: an advisory lock around the submission; a process that hangs in it would hold every schedule.
CREATE FUNCTION app.take_schedule(
  p_schedule_id text, p_expected timestamptz, p_run timestamptz, p_missed jsonb, p_next_due_at timestamptz
) RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
BEGIN
  UPDATE app.schedules s SET next_due_at = p_next_due_at
  WHERE s.schedule_id = p_schedule_id AND s.next_due_at = p_expected AND NOT s.is_paused;
  IF NOT FOUND THEN RETURN false; END IF;
  INSERT INTO app.schedule_runs (schedule_id, due_at, status)
  SELECT p_schedule_id, m.due_at::timestamptz, 'missed' FROM jsonb_array_elements_text(p_missed) AS m(due_at)
  UNION ALL SELECT p_schedule_id, p_run, 'started' WHERE p_run IS NOT NULL
  ON CONFLICT (schedule_id, due_at) DO NOTHING;
  DELETE FROM app.schedule_runs r WHERE r.schedule_id = p_schedule_id AND r.due_at <=
    (SELECT o.due_at FROM app.schedule_runs o WHERE o.schedule_id = p_schedule_id ORDER BY o.due_at DESC OFFSET 1000 LIMIT 1);
  RETURN true;
END $$;
