-- Claims of dead processes are given back before their leases end; bounds per caller without reading every job.
CREATE TABLE app.hosts (
  host_id text NOT NULL,
    CONSTRAINT hosts_host_id_pattern CHECK (host_id ~ '^[0-9a-f]{16}$'),
  name text NOT NULL,
    CONSTRAINT hosts_name_min_length CHECK (char_length(name) >= 1),
    CONSTRAINT hosts_name_max_length CHECK (char_length(name) <= 200),
  started_at timestamptz NOT NULL DEFAULT now(),
  seen_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT hosts_pkey PRIMARY KEY (host_id)
);
COMMENT ON TABLE app.hosts IS 'Processes that run tasks, while they do.';
COMMENT ON COLUMN app.hosts.host_id IS 'begins the uuid of every claim of this process';
COMMENT ON COLUMN app.hosts.name IS 'where it runs: the next process of this name follows it';
COMMENT ON COLUMN app.hosts.started_at IS 'first sign of life';
COMMENT ON COLUMN app.hosts.seen_at IS 'last sign of life, while it runs tasks';
CREATE INDEX jobs_of_caller ON app.jobs (coalesce(submitted_by, '')) WHERE finished_at IS NULL;
COMMENT ON INDEX app.jobs_of_caller IS 'bounds of one caller';
