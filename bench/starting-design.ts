// The design that this one succeeds, for comparison: per task one transaction with UPDATE, advisory lock and COUNT.
import pLimit from 'p-limit'
import type { Pool } from '../src/db/pool.ts'

const SCHEMA = `CREATE SCHEMA IF NOT EXISTS old;
CREATE TABLE IF NOT EXISTS old.tasks (task_id text PRIMARY KEY, job_id text NOT NULL, stage int NOT NULL, status text NOT NULL, result jsonb);
CREATE INDEX IF NOT EXISTS tasks_job_stage ON old.tasks (job_id, stage);
CREATE OR REPLACE FUNCTION old.complete_task(p_task text, p_job text, p_stage int) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE remaining int;
BEGIN
  UPDATE old.tasks SET status = 'completed', result = '{"a": 1}' WHERE task_id = p_task AND status = 'processing';
  PERFORM pg_advisory_xact_lock(hashtext(p_job || ':stage:' || p_stage));
  SELECT count(*) INTO remaining FROM old.tasks WHERE job_id = p_job AND stage = p_stage AND status NOT IN ('completed', 'failed');
  RETURN remaining = 0;
END $$;`

/** Makes its table and function, once. */
export const prepareStartingDesign = (db: Pool): Promise<unknown> => db.query(SCHEMA)

/** Completes n tasks, 30 at once; answers with tasks per second. @param run names the job; @param work what a task does between start and end */
export async function startingDesign(
  db: Pool,
  n: number,
  run: string,
  work: () => Promise<void> | undefined = () => undefined,
): Promise<number> {
  const job = `old-${run}`
  await db.query(`INSERT INTO old.tasks SELECT $1 || i, $1, 1, 'queued', NULL FROM generate_series(1, $2::int) i`, [job, n])
  const started = performance.now()
  const last = await pLimit(30).map(
    Array.from({ length: n }, (_, i) => i + 1),
    async (i) => {
      await db.query(`UPDATE old.tasks SET status = 'processing' WHERE task_id = $1`, [job + i])
      await work()
      const [row] = await db.query<{ last: boolean }>('SELECT old.complete_task($1, $2, 1) AS last', [job + i, job])
      return row?.last === true
    },
  )
  if (last.filter(Boolean).length !== 1) throw new Error('nobody, or more than one, was last')
  return n / ((performance.now() - started) / 1000)
}
