// Rows as years of use leave them, made by SQL alone.
import type { Pool } from '../src/db/pool.ts'

/** Ended jobs of three types, one every 43 seconds before now, as a table that nobody purges has them; every fifth failed. */
export async function fillJobs(db: Pool, from: number, to: number): Promise<void> {
  await db.query(
    `INSERT INTO app.jobs (job_id, job_type, status, stage, total_stages, parameters, metadata, submitted_by, error_code, error_details,
       created_at, started_at, finished_at)
     SELECT lpad(to_hex(i), 64, '0'), (ARRAY['hello_world', 'list_container', 'process_raster'])[1 + i % 3],
       CASE WHEN i % 5 = 0 THEN 'failed' WHEN i % 97 = 0 THEN 'cancelled' ELSE 'completed' END, 1, 2,
       jsonb_build_object('container_name', 'c' || i % 50, 'source_blob', 'scene_' || i || '.tif'), '{}', 'bench',
       CASE WHEN i % 5 = 0 THEN 'BLOB_NOT_FOUND' END, CASE WHEN i % 5 = 0 THEN 'scene_' || i || '.tif does not exist.' END,
       at, at, at + interval '1 minute'
     FROM (SELECT i, now() - i * interval '43 seconds' AS at FROM generate_series($1::int, $2::int) i) made`,
    [from, to],
  )
  await db.query('ANALYZE app.jobs')
}

/** One closed stage of so many tasks for each of these jobs; a hundredth failed, as old as its job. */
export async function fillTasks(db: Pool, from: number, to: number, tasks: number): Promise<void> {
  await db.query(
    `INSERT INTO app.stages (job_id, stage_no, name, status, outcome, expected, completed, failed, plan_cursor, claim_cursor, opened_at, sealed_at, closed_at)
     SELECT job_id, 1, 'filled', 'closed', 'completed_with_errors', $3, $3 - $3 / 100, $3 / 100, $3, $3, created_at, created_at, finished_at
     FROM app.jobs WHERE job_id BETWEEN lpad(to_hex($1::int), 64, '0') AND lpad(to_hex($2::int), 64, '0')`,
    [from, to, tasks],
  )
  await db.query(
    `INSERT INTO app.tasks (stage_id, task_no, task_key, status, claims, result_data, error_code, error_details, retryable, claimed_by, started_at,
       finished_at, duration_ms)
     SELECT s.stage_id, n, 'scene_' || n || '.tif', CASE WHEN n % 100 = 0 THEN 'failed' ELSE 'completed' END, 1, '{"bytes": 123456}',
       CASE WHEN n % 100 = 0 THEN 'BLOB_NOT_FOUND' END, CASE WHEN n % 100 = 0 THEN 'gone' END, CASE WHEN n % 100 = 0 THEN false END,
       gen_random_uuid(), s.opened_at, s.closed_at, 100
     FROM app.stages s CROSS JOIN generate_series(1, $3::int) n
     WHERE s.name = 'filled' AND s.job_id BETWEEN lpad(to_hex($1::int), 64, '0') AND lpad(to_hex($2::int), 64, '0')`,
    [from, to, tasks],
  )
}
