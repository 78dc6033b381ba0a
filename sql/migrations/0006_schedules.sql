-- Schedules: jobs that are submitted at due times, and what became of each.
CREATE TABLE app.schedules (
  schedule_id text NOT NULL,
    CONSTRAINT schedules_schedule_id_pattern CHECK (schedule_id ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  job_type text NOT NULL,
    CONSTRAINT schedules_job_type_pattern CHECK (job_type ~ '^[a-z][a-z0-9_]{0,62}$'),
  parameters jsonb NOT NULL,
    CONSTRAINT schedules_parameters_type CHECK (jsonb_typeof(parameters) = 'object'),
  cron text NOT NULL,
    CONSTRAINT schedules_cron_min_length CHECK (char_length(cron) >= 9),
    CONSTRAINT schedules_cron_max_length CHECK (char_length(cron) <= 200),
  time_zone text NOT NULL,
    CONSTRAINT schedules_time_zone_min_length CHECK (char_length(time_zone) >= 1),
    CONSTRAINT schedules_time_zone_max_length CHECK (char_length(time_zone) <= 64),
  missed text NOT NULL DEFAULT 'skip',
    CONSTRAINT schedules_missed_enum CHECK (missed IN ('skip', 'latest')),
  is_paused boolean NOT NULL DEFAULT false,
  next_due_at timestamptz,
  created_by text,
    CONSTRAINT schedules_created_by_max_length CHECK (char_length(created_by) <= 200),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT schedules_pkey PRIMARY KEY (schedule_id)
);
CREATE INDEX schedules_due ON app.schedules (next_due_at) WHERE NOT is_paused;
COMMENT ON INDEX app.schedules_due IS 'what is due, asked every 30 s';
COMMENT ON TABLE app.schedules IS 'Jobs that are submitted at due times.';
COMMENT ON COLUMN app.schedules.schedule_id IS 'chosen by whoever made it';
COMMENT ON COLUMN app.schedules.parameters IS 'as given; {due} and {date} in texts become the due time';
COMMENT ON COLUMN app.schedules.cron IS 'five fields: minute, hour, day of the month, month, day of the week';
COMMENT ON COLUMN app.schedules.time_zone IS 'of the IANA database';
COMMENT ON COLUMN app.schedules.next_due_at IS 'null: there is no further one';
COMMENT ON COLUMN app.schedules.created_at IS 'first version';
COMMENT ON COLUMN app.schedules.updated_at IS 'last change by somebody';

CREATE TABLE app.schedule_runs (
  schedule_id text NOT NULL,
    CONSTRAINT schedule_runs_schedule_id_pattern CHECK (schedule_id ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  due_at timestamptz NOT NULL,
  status text NOT NULL,
    CONSTRAINT schedule_runs_status_enum CHECK (status IN ('started', 'submitted', 'missed', 'refused')),
  job_id text,
    CONSTRAINT schedule_runs_job_id_pattern CHECK (job_id ~ '^[0-9a-f]{64}$'),
  attempt integer,
    CONSTRAINT schedule_runs_attempt_min CHECK (attempt >= 1),
  error_code text,
    CONSTRAINT schedule_runs_error_code_min_length CHECK (char_length(error_code) >= 1),
    CONSTRAINT schedule_runs_error_code_max_length CHECK (char_length(error_code) <= 64),
  error_details text,
    CONSTRAINT schedule_runs_error_details_max_length CHECK (char_length(error_details) <= 2000),
  changed_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT schedule_runs_pkey PRIMARY KEY (schedule_id, due_at)
);
CREATE INDEX schedule_runs_started ON app.schedule_runs (changed_at) WHERE status = 'started';
COMMENT ON INDEX app.schedule_runs_started IS 'taken by a process that died';
COMMENT ON TABLE app.schedule_runs IS 'What became of each due time of a schedule: exactly one row, whatever the number of instances.';
COMMENT ON COLUMN app.schedule_runs.due_at IS 'one row for each';
COMMENT ON COLUMN app.schedule_runs.changed_at IS 'of the status';
