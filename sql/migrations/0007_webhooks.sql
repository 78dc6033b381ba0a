-- Webhooks: who is told when a job has ended, and what became of each message.
CREATE TABLE app.webhooks (
  webhook_id text NOT NULL,
    CONSTRAINT webhooks_webhook_id_pattern CHECK (webhook_id ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  url text NOT NULL,
    CONSTRAINT webhooks_url_min_length CHECK (char_length(url) >= 8),
    CONSTRAINT webhooks_url_max_length CHECK (char_length(url) <= 2000),
  secret_name text NOT NULL,
    CONSTRAINT webhooks_secret_name_min_length CHECK (char_length(secret_name) >= 1),
    CONSTRAINT webhooks_secret_name_max_length CHECK (char_length(secret_name) <= 127),
  job_type text,
    CONSTRAINT webhooks_job_type_pattern CHECK (job_type ~ '^[a-z][a-z0-9_]{0,62}$'),
  statuses jsonb NOT NULL,
    CONSTRAINT webhooks_statuses_type CHECK (jsonb_typeof(statuses) = 'array'),
    CONSTRAINT webhooks_statuses_shape CHECK (CASE WHEN jsonb_typeof(statuses) = 'array' THEN jsonb_array_length(statuses) >= 1 AND jsonb_array_length(statuses) <= 4 AND NOT jsonb_path_exists(statuses, '$[*] ? (@.type() != "string" || !(@ == "completed" || @ == "completed_with_errors" || @ == "failed" || @ == "cancelled"))') ELSE true END),
  is_paused boolean NOT NULL DEFAULT false,
  created_by text,
    CONSTRAINT webhooks_created_by_max_length CHECK (char_length(created_by) <= 200),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT webhooks_pkey PRIMARY KEY (webhook_id)
);
COMMENT ON TABLE app.webhooks IS 'Addresses that are told when jobs end.';
COMMENT ON COLUMN app.webhooks.webhook_id IS 'chosen by whoever made it';
COMMENT ON COLUMN app.webhooks.url IS 'without credentials; its host is on the allow-list';
COMMENT ON COLUMN app.webhooks.secret_name IS 'of the secret that messages are signed with: never the secret itself';
COMMENT ON COLUMN app.webhooks.job_type IS 'null: every type';
COMMENT ON COLUMN app.webhooks.statuses IS 'ends that are told';
COMMENT ON COLUMN app.webhooks.created_at IS 'first version';
COMMENT ON COLUMN app.webhooks.updated_at IS 'last change by somebody';

CREATE TABLE app.webhook_deliveries (
  webhook_id text NOT NULL,
    CONSTRAINT webhook_deliveries_webhook_id_pattern CHECK (webhook_id ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  job_id text NOT NULL,
    CONSTRAINT webhook_deliveries_job_id_pattern CHECK (job_id ~ '^[0-9a-f]{64}$'),
  attempt integer NOT NULL,
    CONSTRAINT webhook_deliveries_attempt_min CHECK (attempt >= 1),
  status text NOT NULL DEFAULT 'pending',
    CONSTRAINT webhook_deliveries_status_enum CHECK (status IN ('pending', 'delivered', 'dead')),
  payload jsonb NOT NULL,
    CONSTRAINT webhook_deliveries_payload_type CHECK (jsonb_typeof(payload) = 'object'),
  tries integer NOT NULL DEFAULT 0,
    CONSTRAINT webhook_deliveries_tries_min CHECK (tries >= 0),
  next_try_at timestamptz NOT NULL DEFAULT now(),
  answered integer,
    CONSTRAINT webhook_deliveries_answered_min CHECK (answered >= 100),
    CONSTRAINT webhook_deliveries_answered_max CHECK (answered <= 599),
  error text,
    CONSTRAINT webhook_deliveries_error_max_length CHECK (char_length(error) <= 500),
  created_at timestamptz NOT NULL DEFAULT now(),
  delivered_at timestamptz,
  CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (webhook_id, job_id, attempt)
);
CREATE INDEX webhook_deliveries_due ON app.webhook_deliveries (next_try_at) WHERE status = 'pending';
COMMENT ON INDEX app.webhook_deliveries_due IS 'what is to be sent, asked every 30 s';
CREATE INDEX webhook_deliveries_newest ON app.webhook_deliveries (webhook_id, created_at DESC, job_id, attempt);
COMMENT ON INDEX app.webhook_deliveries_newest IS 'list of one webhook, newest first';
CREATE INDEX webhook_deliveries_job ON app.webhook_deliveries (job_id);
COMMENT ON INDEX app.webhook_deliveries_job IS 'goes with its job';
COMMENT ON TABLE app.webhook_deliveries IS 'Messages to webhooks, written in the transaction that ends the job.';
COMMENT ON COLUMN app.webhook_deliveries.attempt IS 'of the job: each end is told once';
COMMENT ON COLUMN app.webhook_deliveries.payload IS 'the message, as the job ended';
COMMENT ON COLUMN app.webhook_deliveries.next_try_at IS 'not before; while it is sent, the end of the lease';
COMMENT ON COLUMN app.webhook_deliveries.answered IS 'HTTP status of the last answer';
COMMENT ON COLUMN app.webhook_deliveries.error IS 'why the last try failed';
COMMENT ON COLUMN app.webhook_deliveries.created_at IS 'end of the job';
