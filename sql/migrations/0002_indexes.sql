-- Lists of jobs by status and type, and retention, without reading every job. Databases of the first releases also get the key index
-- in the order that the functions ask for: 0001 was changed after its release, which is refused since.
CREATE INDEX jobs_by_status ON app.jobs (status, created_at DESC, job_id DESC);
COMMENT ON INDEX app.jobs_by_status IS 'job list of one status';
CREATE INDEX jobs_by_type ON app.jobs (job_type, created_at DESC, job_id DESC);
COMMENT ON INDEX app.jobs_by_type IS 'job list of one type';
CREATE INDEX jobs_ended_well ON app.jobs (finished_at) WHERE status IN ('completed', 'cancelled');
COMMENT ON INDEX app.jobs_ended_well IS 'retention, RETENTION_DAYS';
CREATE INDEX jobs_ended_badly ON app.jobs (finished_at) WHERE status IN ('failed', 'completed_with_errors');
COMMENT ON INDEX app.jobs_ended_badly IS 'retention, RETENTION_DAYS_FAILED';
DO $$ BEGIN
  IF pg_get_indexdef('app.tasks_key'::regclass) NOT LIKE '%(md5(task_key), stage_id)%' THEN
    DROP INDEX app.tasks_key;
    CREATE UNIQUE INDEX tasks_key ON app.tasks (md5(task_key), stage_id);
    COMMENT ON INDEX app.tasks_key IS 'one key per stage; hashed, because keys pass the 2,704-byte btree limit';
  END IF;
  ALTER TABLE app.tasks ALTER COLUMN stage_id SET STATISTICS 0;
END $$;
