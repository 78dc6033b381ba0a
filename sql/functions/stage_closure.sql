-- stage_closure: what close_stage answers.
-- state: closed (recorded, final), open (tasks are open), planning (not sealed), superseded (older attempt).
CREATE TYPE app.stage_closure AS (
  state text, closed_now boolean, outcome text, expected int, completed int, failed int, skipped int, open_at_least int, next_ready_at timestamptz
);
