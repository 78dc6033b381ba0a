-- delete_retired: deletes up to p_limit task rows of retired stages, then the emptied stage rows: the slow half of a rerun.
-- Answers with the number of tasks deleted; 0 means there is nothing left. Locks: the rows it deletes, skipping locked ones.
CREATE FUNCTION app.delete_retired(p_limit int) RETURNS int
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  gone int;
BEGIN
  WITH slice AS (
    SELECT t.stage_id, t.task_no FROM app.stages s JOIN app.tasks t ON t.stage_id = s.stage_id
    WHERE s.retired_at IS NOT NULL LIMIT p_limit FOR UPDATE OF t SKIP LOCKED
  ) DELETE FROM app.tasks t USING slice WHERE t.stage_id = slice.stage_id AND t.task_no = slice.task_no;
  GET DIAGNOSTICS gone = ROW_COUNT;
  DELETE FROM app.stages s WHERE s.retired_at IS NOT NULL AND NOT EXISTS (SELECT FROM app.tasks t WHERE t.stage_id = s.stage_id);
  RETURN gone;
END $$;
