-- Files that jobs write and publish: known before their first block, one published file per name, removed when nobody needs them.
CREATE TABLE app.raster_outputs (
  container text NOT NULL,
    CONSTRAINT raster_outputs_container_min_length CHECK (char_length(container) >= 3),
    CONSTRAINT raster_outputs_container_max_length CHECK (char_length(container) <= 63),
  blob text NOT NULL,
    CONSTRAINT raster_outputs_blob_min_length CHECK (char_length(blob) >= 1),
    CONSTRAINT raster_outputs_blob_max_length CHECK (char_length(blob) <= 1024),
  job_id text NOT NULL,
    CONSTRAINT raster_outputs_job_id_pattern CHECK (job_id ~ '^[0-9a-f]{64}$'),
  plan integer NOT NULL,
    CONSTRAINT raster_outputs_plan_min CHECK (plan >= 1),
  target_name text NOT NULL,
    CONSTRAINT raster_outputs_target_name_min_length CHECK (char_length(target_name) >= 1),
    CONSTRAINT raster_outputs_target_name_max_length CHECK (char_length(target_name) <= 1024),
  state text NOT NULL DEFAULT 'staged',
    CONSTRAINT raster_outputs_state_enum CHECK (state IN ('staged', 'committed', 'published', 'superseded', 'deleted')),
  bytes bigint,
    CONSTRAINT raster_outputs_bytes_min CHECK (bytes >= 0),
  etag text,
    CONSTRAINT raster_outputs_etag_max_length CHECK (char_length(etag) <= 200),
  provenance jsonb,
  staged_at timestamptz NOT NULL DEFAULT now(),
  changed_at timestamptz NOT NULL DEFAULT now(),
  note text,
    CONSTRAINT raster_outputs_note_max_length CHECK (char_length(note) <= 200),
  CONSTRAINT raster_outputs_pkey PRIMARY KEY (container, blob)
);
CREATE UNIQUE INDEX raster_outputs_published ON app.raster_outputs (container, target_name) WHERE state = 'published';
COMMENT ON INDEX app.raster_outputs_published IS 'one published file per name';
CREATE INDEX raster_outputs_job ON app.raster_outputs (job_id);
COMMENT ON INDEX app.raster_outputs_job IS 'files of one job';
CREATE INDEX raster_outputs_unfinished ON app.raster_outputs (changed_at) WHERE state IN ('staged', 'committed', 'superseded');
COMMENT ON INDEX app.raster_outputs_unfinished IS 'what may be removed, oldest first';
COMMENT ON TABLE app.raster_outputs IS 'Files that jobs write and publish. A published one is what its name means; readers of a superseded one have a day.';
COMMENT ON COLUMN app.raster_outputs.blob IS 'written once, never overwritten';
COMMENT ON COLUMN app.raster_outputs.plan IS 'attempt of the job that planned it';
COMMENT ON COLUMN app.raster_outputs.target_name IS 'logical name: one published file each';
COMMENT ON COLUMN app.raster_outputs.provenance IS 'source, its ETag, options, checks';
COMMENT ON COLUMN app.raster_outputs.staged_at IS 'before the first block; blocks that are not committed live 7 days';
COMMENT ON COLUMN app.raster_outputs.changed_at IS 'of the state';
COMMENT ON COLUMN app.raster_outputs.note IS 'why it was replaced';
