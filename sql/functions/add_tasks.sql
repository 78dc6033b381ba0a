-- add_tasks: stores one batch of a plan behind p_cursor and answers with the new cursor.
-- p_tasks is a JSON array of {key, source?, parameters?}; its first element becomes task p_cursor + 1.
-- Locks: the stage row, so that two planners of one stage take turns. Asked again with an old cursor: nothing is added.
-- Raises: LL001, LL003, LL004 (assert_job_runs), LL002 no such stage, LL005 duplicate key, LL006 sealed, LL007 gap in the plan.
CREATE FUNCTION app.add_tasks(p_job_id text, p_attempt int, p_stage_no int, p_cursor int, p_tasks jsonb) RETURNS int
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  stage app.stages;
  duplicate text;
BEGIN
  PERFORM app.assert_job_runs(p_job_id, p_attempt);
  SELECT * INTO stage FROM app.stages s WHERE s.job_id = p_job_id AND s.stage_no = p_stage_no AND s.retired_at IS NULL FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'stage % of job % does not exist', p_stage_no, p_job_id USING ERRCODE = 'LL002', HINT = 'Open the stage first.';
  END IF;
  -- cancel_job, pause_job and a new attempt hold the stage row: a planner that waited for it must see what they did.
  PERFORM app.assert_job_runs(p_job_id, p_attempt);
  IF stage.plan_cursor >= p_cursor + jsonb_array_length(p_tasks) THEN
    RETURN stage.plan_cursor;
  ELSIF stage.status <> 'planning' THEN
    RAISE EXCEPTION 'stage % of job % is sealed', p_stage_no, p_job_id USING ERRCODE = 'LL006', HINT = 'Tasks are added before the seal.';
  ELSIF stage.plan_cursor <> p_cursor THEN
    RAISE EXCEPTION 'plan of stage % of job % stands at %, the batch starts at %', p_stage_no, p_job_id, stage.plan_cursor, p_cursor
      USING ERRCODE = 'LL007', HINT = 'Resume planning at the recorded cursor.';
  END IF;
  BEGIN
    INSERT INTO app.tasks (stage_id, task_no, task_key, source_key, parameters)
    SELECT stage.stage_id, p_cursor + t.ord, t.task ->> 'key', t.task ->> 'source', coalesce(t.task -> 'parameters', '{}')
    FROM jsonb_array_elements(p_tasks) WITH ORDINALITY AS t(task, ord);
  EXCEPTION WHEN unique_violation THEN
    SELECT t.task ->> 'key' INTO duplicate FROM jsonb_array_elements(p_tasks) WITH ORDINALITY AS t(task, ord)
    WHERE EXISTS (SELECT FROM app.tasks o WHERE o.stage_id = stage.stage_id AND md5(o.task_key) = md5(t.task ->> 'key'))
       OR t.ord > (SELECT min(u.ord) FROM jsonb_array_elements(p_tasks) WITH ORDINALITY AS u(task, ord) WHERE u.task ->> 'key' = t.task ->> 'key')
    ORDER BY t.ord LIMIT 1;
    RAISE EXCEPTION 'the plan of stage % (%) yields the key % twice', p_stage_no, stage.name, quote_literal(left(duplicate, 200))
      USING ERRCODE = 'LL005', HINT = 'A task key must be unique in its stage.';
  END;
  UPDATE app.stages s SET plan_cursor = p_cursor + jsonb_array_length(p_tasks), expected = p_cursor + jsonb_array_length(p_tasks)
  WHERE s.stage_id = stage.stage_id;
  RETURN p_cursor + jsonb_array_length(p_tasks);
END $$;
