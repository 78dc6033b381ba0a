-- stage_closure: what close_stage answers.
-- next_ready_at counts leases of living workers too, next_retry_at only tasks that wait for their next try.
-- state: closed (recorded, final), open (tasks are open), planning (not sealed), superseded (older attempt).
CREATE TYPE app.stage_closure AS (
  state text, closed_now boolean, outcome text, expected int, completed int, failed int, skipped int, open_at_least int, next_ready_at timestamptz, next_retry_at timestamptz
);
