// Reads of what failed: across jobs, grouped by code, poisoned. All by the partial index over failed tasks.
import type { ListRow } from './list-columns.ts'
import type { Database } from './pool.ts'
import { TASK_COLUMNS, TASK_LIST_COLUMNS, type TaskRow } from './reading-tasks.ts'

export interface FailedTaskFilter {
  readonly since: string
  readonly job_type?: string | undefined
  readonly stage_name?: string | undefined
  readonly error_code?: string | undefined
  readonly text?: string | undefined
  readonly after?: { readonly finished_at: string; readonly stage_id: number; readonly task_no: number } | undefined
  readonly limit: number
  /** With everything that a list leaves out. */
  readonly whole?: boolean
}

/** Failed tasks across jobs, newest first, by the index over failed tasks; of current attempts only. */
export async function listFailedTasks(
  db: Database,
  f: FailedTaskFilter,
): Promise<(TaskRow & ListRow & { job_type: string; stage_id: number; finished_key: string })[]> {
  return db.query(
    `SELECT ${f.whole ? TASK_COLUMNS : TASK_LIST_COLUMNS}, j.job_type, t.stage_id, t.finished_at::text AS finished_key
     FROM app.tasks t JOIN app.stages s USING (stage_id) JOIN app.jobs j USING (job_id)
     WHERE t.finished_at IS NOT NULL AND t.error_code IS NOT NULL AND t.status = 'failed' AND s.retired_at IS NULL AND t.finished_at >= $1
       AND ($2::text IS NULL OR j.job_type = $2) AND ($3::text IS NULL OR s.name = $3) AND ($4::text IS NULL OR t.error_code = $4)
       AND ($5::text IS NULL OR strpos(lower(concat_ws(' ', t.task_key, t.error_details)), lower($5)) > 0)
       AND ($6::timestamptz IS NULL OR (t.finished_at, t.stage_id, t.task_no) < ($6, $7::int, $8::int))
     ORDER BY t.finished_at DESC, t.stage_id DESC, t.task_no DESC LIMIT $9`,
    [f.since, f.job_type, f.stage_name, f.error_code, f.text, f.after?.finished_at, f.after?.stage_id, f.after?.task_no, f.limit],
  )
}

export interface PoisonGroup {
  readonly job_type: string
  readonly stage_name: string
  readonly tasks: number
  readonly jobs: string[]
  readonly oldest: Date
}

/** Poisoned tasks by job type and stage, by the index over failed tasks. */
export async function groupPoison(db: Database): Promise<PoisonGroup[]> {
  return db.query(
    `SELECT (SELECT j.job_type FROM app.jobs j WHERE j.job_id = s.job_id) AS job_type, s.name AS stage_name, sum(p.tasks)::int AS tasks,
       array_agg(DISTINCT s.job_id) AS jobs, min(p.oldest) AS oldest
     FROM (SELECT t.stage_id, count(*) AS tasks, min(t.finished_at) AS oldest FROM app.tasks t
         WHERE t.finished_at IS NOT NULL AND t.error_code IS NOT NULL AND t.error_code = 'POISON' GROUP BY 1) p,
       -- Looked up one by one: joined, the planner reads every stage there is.
       LATERAL (SELECT * FROM app.stages s WHERE s.stage_id = p.stage_id AND s.retired_at IS NULL OFFSET 0) s
     GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2`,
  )
}

/** Poisoned tasks of one stage of the current attempt. */
export async function countPoisoned(db: Database, jobId: string, stageNo: number): Promise<number> {
  const [row] = await db.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM app.stages s JOIN app.tasks t USING (stage_id)
     WHERE s.job_id = $1 AND s.stage_no = $2 AND s.retired_at IS NULL AND t.finished_at IS NOT NULL AND t.error_code = 'POISON'`,
    [jobId, stageNo],
  )
  return row?.n ?? 0
}

export interface ErrorGroup {
  readonly stage: number
  readonly stage_name: string
  readonly error_code: string
  readonly count: number
  readonly retryable: boolean
  readonly first_at: Date
  readonly last_at: Date
  readonly sample_key: string
  readonly sample_details: string | null
}

/** Failed tasks of a job by stage and code, most first; one of each is shown. */
export async function groupErrors(db: Database, jobId: string): Promise<ErrorGroup[]> {
  return db.query(
    `SELECT s.stage_no AS stage, s.name AS stage_name, t.error_code, count(*)::int AS count, bool_or(coalesce(t.retryable, false)) AS retryable,
       min(t.finished_at) AS first_at, max(t.finished_at) AS last_at,
       (array_agg(t.task_key ORDER BY t.task_no))[1] AS sample_key, left((array_agg(t.error_details ORDER BY t.task_no))[1], 300) AS sample_details
     FROM app.stages s JOIN app.tasks t USING (stage_id)
     WHERE s.job_id = $1 AND s.retired_at IS NULL AND t.finished_at IS NOT NULL AND t.error_code IS NOT NULL AND t.status = 'failed'
     GROUP BY 1, 2, 3 ORDER BY count(*) DESC, 1, 3`,
    [jobId],
  )
}
