// Reads of jobs, stages, tasks and events: keyset paging, typed filters, nothing unbounded.
import type { CompletionPoint } from '../engine/progress.ts'
import type { JobStatus, StageOutcome, StageStatus, TaskStatus } from '../models/words.ts'
import type { Database } from './pool.ts'

export interface JobRow {
  readonly job_id: string
  readonly job_type: string
  readonly status: JobStatus
  readonly attempt: number
  readonly stage: number
  readonly total_stages: number
  readonly parameters: Record<string, unknown>
  readonly metadata: Record<string, unknown>
  readonly stage_results: Record<string, unknown>
  readonly result_data: unknown
  readonly error_code: string | null
  readonly error_details: string | null
  readonly submitted_by: string | null
  readonly correlation_id: string | null
  readonly created_at: Date
  readonly started_at: Date | null
  readonly finished_at: Date | null
  readonly updated_at: Date
}

const JOB_COLUMNS = `job_id, job_type, status, attempt, stage, total_stages, parameters, metadata, stage_results, result_data, error_code,
  error_details, submitted_by, correlation_id, created_at, started_at, finished_at, updated_at`

/** The job row, or undefined; an unreachable database throws instead. */
export async function findJob(db: Database, jobId: string): Promise<JobRow | undefined> {
  const rows = await db.query<JobRow>(`SELECT ${JOB_COLUMNS} FROM app.jobs WHERE job_id = $1`, [jobId])
  return rows[0]
}

export interface JobFilter {
  readonly type?: string | undefined
  readonly status?: JobStatus | undefined
  readonly since?: string | undefined
  readonly error_code?: string | undefined
  readonly text?: string | undefined
  readonly after?: { readonly created_at: string; readonly job_id: string } | undefined
  readonly limit: number
}

/** Newest first. `after` is the last row of the page before; `created_at` carries microseconds as text, which a Date would cut. */
export async function listJobs(db: Database, f: JobFilter): Promise<(JobRow & { created_key: string })[]> {
  return db.query(
    `SELECT ${JOB_COLUMNS}, created_at::text AS created_key FROM app.jobs
     WHERE ($1::text IS NULL OR job_type = $1) AND ($2::text IS NULL OR status = $2) AND ($3::timestamptz IS NULL OR created_at >= $3)
       AND ($4::text IS NULL OR error_code = $4)
       AND ($5::text IS NULL OR strpos(lower(concat_ws(' ', job_id, job_type, parameters::text, metadata::text, error_details)), lower($5)) > 0)
       AND ($6::timestamptz IS NULL OR (created_at, job_id) < ($6, $7))
     ORDER BY created_at DESC, job_id DESC LIMIT $8`,
    [f.type, f.status, f.since, f.error_code, f.text, f.after?.created_at, f.after?.job_id, f.limit],
  )
}

export interface StageRow {
  readonly stage: number
  readonly name: string
  readonly status: StageStatus
  readonly outcome: StageOutcome | null
  readonly expected: number
  readonly completed: number
  readonly failed: number
  readonly skipped: number
  readonly running: number
  readonly retrying: number
  readonly open: number
  readonly sealed_at: Date | null
  readonly opened_at: Date
  readonly closed_at: Date | null
  readonly summary: unknown
}

/**
 * Stages of the current attempt with counts. Closed stages answer from their record; of open ones the open rows (up to 200,000)
 * and the failed rows are counted by their partial indexes, and the untouched range is arithmetic.
 */
export async function listStages(db: Database, jobId: string): Promise<StageRow[]> {
  return db.query(
    `SELECT s.stage_no AS stage, s.name, s.status, s.outcome, s.expected, s.sealed_at, s.opened_at, s.closed_at, s.summary,
       CASE WHEN s.status = 'closed' THEN s.completed ELSE s.claim_cursor - o.touched - f.failed - f.skipped END::int AS completed,
       CASE WHEN s.status = 'closed' THEN s.failed ELSE f.failed END::int AS failed,
       CASE WHEN s.status = 'closed' THEN s.skipped ELSE f.skipped END::int AS skipped,
       o.running::int AS running, o.retrying::int AS retrying, (CASE WHEN s.status = 'closed' THEN 0 ELSE s.expected - s.claim_cursor + o.touched END)::int AS open
     FROM app.stages s
     LEFT JOIN LATERAL (SELECT count(*) AS touched, count(*) FILTER (WHERE t.status = 'processing') AS running,
         count(*) FILTER (WHERE t.status = 'retrying') AS retrying
       FROM app.tasks t WHERE s.status <> 'closed' AND t.stage_id = s.stage_id AND t.finished_at IS NULL AND t.task_no <= s.claim_cursor) o ON true
     LEFT JOIN LATERAL (SELECT count(*) FILTER (WHERE t.status = 'failed') AS failed, count(*) FILTER (WHERE t.status = 'skipped') AS skipped
       FROM app.tasks t WHERE s.status <> 'closed' AND t.stage_id = s.stage_id AND t.finished_at IS NOT NULL AND t.error_code IS NOT NULL) f ON true
     WHERE s.job_id = $1 AND s.retired_at IS NULL ORDER BY s.stage_no`,
    [jobId],
  )
}

export interface TaskRow {
  readonly job_id: string
  readonly stage: number
  readonly stage_name: string
  readonly task_no: number
  readonly task_key: string
  readonly source_key: string | null
  readonly status: TaskStatus
  readonly claims: number
  readonly parameters: Record<string, unknown>
  readonly result_data: unknown
  readonly error_code: string | null
  readonly error_details: string | null
  readonly retryable: boolean | null
  readonly not_before: Date | null
  readonly progress: number | null
  readonly progress_note: string | null
  readonly started_at: Date | null
  readonly finished_at: Date | null
  readonly duration_ms: number | null
}

const TASK_COLUMNS = `s.job_id, s.stage_no AS stage, s.name AS stage_name, t.task_no, t.task_key, t.source_key, t.status, t.claims, t.parameters,
  t.result_data, t.error_code, t.error_details, t.retryable, t.not_before, t.progress, t.progress_note, t.started_at, t.finished_at, t.duration_ms`

export interface TaskFilter {
  readonly stage?: number | undefined
  readonly status?: TaskStatus | undefined
  readonly error_code?: string | undefined
  readonly text?: string | undefined
  readonly after?: { readonly stage: number; readonly task_no: number } | undefined
  readonly limit: number
}

/** Tasks of the current attempt, by stage and number. */
export async function listTasks(db: Database, jobId: string, f: TaskFilter): Promise<TaskRow[]> {
  return db.query(
    `SELECT ${TASK_COLUMNS} FROM app.stages s JOIN app.tasks t ON t.stage_id = s.stage_id
     WHERE s.job_id = $1 AND s.retired_at IS NULL AND ($2::int IS NULL OR s.stage_no = $2) AND ($3::text IS NULL OR t.status = $3)
       AND ($4::text IS NULL OR t.error_code = $4) AND ($5::text IS NULL OR strpos(lower(t.task_key), lower($5)) > 0)
       AND ($6::int IS NULL OR (s.stage_no, t.task_no) > ($6, $7::int))
     ORDER BY s.stage_no, t.task_no LIMIT $8`,
    [jobId, f.stage, f.status, f.error_code, f.text, f.after?.stage, f.after?.task_no, f.limit],
  )
}

export interface FailedTaskFilter {
  readonly since: string
  readonly job_type?: string | undefined
  readonly stage_name?: string | undefined
  readonly error_code?: string | undefined
  readonly text?: string | undefined
  readonly after?: { readonly finished_at: string; readonly stage_id: number; readonly task_no: number } | undefined
  readonly limit: number
}

/** Failed tasks across jobs, newest first, by the index over failed tasks; of current attempts only. */
export async function listFailedTasks(
  db: Database,
  f: FailedTaskFilter,
): Promise<(TaskRow & { job_type: string; stage_id: number; finished_key: string })[]> {
  return db.query(
    `SELECT ${TASK_COLUMNS}, j.job_type, t.stage_id, t.finished_at::text AS finished_key
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
    `SELECT j.job_type, s.name AS stage_name, count(*)::int AS tasks, array_agg(DISTINCT j.job_id) AS jobs, min(t.finished_at) AS oldest
     FROM app.tasks t JOIN app.stages s USING (stage_id) JOIN app.jobs j USING (job_id)
     WHERE t.finished_at IS NOT NULL AND t.error_code IS NOT NULL AND t.error_code = 'POISON' AND s.retired_at IS NULL
     GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2`,
  )
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
       (array_agg(t.task_key ORDER BY t.task_no))[1] AS sample_key, (array_agg(t.error_details ORDER BY t.task_no))[1] AS sample_details
     FROM app.stages s JOIN app.tasks t USING (stage_id)
     WHERE s.job_id = $1 AND s.retired_at IS NULL AND t.finished_at IS NOT NULL AND t.error_code IS NOT NULL AND t.status = 'failed'
     GROUP BY 1, 2, 3 ORDER BY count(*) DESC, 1, 3`,
    [jobId],
  )
}

/** One task by its key, or undefined. */
export async function findTask(db: Database, jobId: string, stage: number, key: string): Promise<TaskRow | undefined> {
  const rows = await db.query<TaskRow>(
    `SELECT ${TASK_COLUMNS} FROM app.stages s JOIN app.tasks t ON t.stage_id = s.stage_id
     WHERE s.job_id = $1 AND s.retired_at IS NULL AND s.stage_no = $2 AND md5(t.task_key) = md5($3) AND t.task_key = $3`,
    [jobId, stage, key],
  )
  return rows[0]
}

/** The chain of predecessors of a task, nearest first: `source_key`, or the same key, in the stage before. */
export async function listLineage(db: Database, jobId: string, stage: number, key: string): Promise<TaskRow[]> {
  return db.query(
    `WITH RECURSIVE chain AS (
       SELECT s.stage_no, t.stage_id, t.task_no, coalesce(t.source_key, t.task_key) AS wanted FROM app.stages s JOIN app.tasks t ON t.stage_id = s.stage_id
       WHERE s.job_id = $1 AND s.retired_at IS NULL AND s.stage_no = $2 AND md5(t.task_key) = md5($3) AND t.task_key = $3
       UNION ALL
       SELECT s.stage_no, t.stage_id, t.task_no, coalesce(t.source_key, t.task_key) FROM chain c
       JOIN app.stages s ON s.job_id = $1 AND s.retired_at IS NULL AND s.stage_no = c.stage_no - 1
       JOIN app.tasks t ON t.stage_id = s.stage_id AND md5(t.task_key) = md5(c.wanted) AND t.task_key = c.wanted
     ) SELECT ${TASK_COLUMNS} FROM chain c JOIN app.stages s ON s.stage_id = c.stage_id JOIN app.tasks t ON t.stage_id = c.stage_id AND t.task_no = c.task_no
     WHERE c.stage_no < $2 ORDER BY c.stage_no DESC`,
    [jobId, stage, key],
  )
}

export interface PredecessorRow {
  readonly task_key: string
  readonly status: TaskStatus
  readonly result_data: unknown
}

/** Predecessors of a claimed batch in one query, each by the unique index. */
export async function findPredecessors(
  db: Database,
  jobId: string,
  stage: number,
  keys: readonly string[],
): Promise<PredecessorRow[]> {
  return db.query(
    `SELECT t.task_key, t.status, t.result_data FROM app.stages s, unnest($3::text[]) AS k(key),
       LATERAL (SELECT * FROM app.tasks t WHERE t.stage_id = s.stage_id AND md5(t.task_key) = md5(k.key) AND t.task_key = k.key LIMIT 1) t
     WHERE s.job_id = $1 AND s.retired_at IS NULL AND s.stage_no = $2`,
    [jobId, stage, keys],
  )
}

export interface ResultRow {
  readonly task_no: number
  readonly key: string
  readonly result: unknown
}

/** One page of completed results in task order, for `previous(stage)`. */
export async function completedResults(
  db: Database,
  jobId: string,
  stage: number,
  afterTaskNo: number,
  limit: number,
): Promise<ResultRow[]> {
  return db.query(
    `SELECT t.task_no, t.task_key AS key, t.result_data AS result FROM app.stages s JOIN app.tasks t ON t.stage_id = s.stage_id
     WHERE s.job_id = $1 AND s.retired_at IS NULL AND s.stage_no = $2 AND t.task_no > $3 AND t.status = 'completed' ORDER BY t.task_no LIMIT $4`,
    [jobId, stage, afterTaskNo, limit],
  )
}

export interface EventRow {
  readonly event_id: string
  readonly at: Date
  readonly actor: string
  readonly event: string
  readonly data: Record<string, unknown>
}

/** Events of a job in order. */
export async function listEvents(db: Database, jobId: string, afterId: string, limit: number): Promise<EventRow[]> {
  return db.query(
    'SELECT event_id, at, actor, event, data FROM app.job_events WHERE job_id = $1 AND event_id > $2 ORDER BY event_id LIMIT $3',
    [jobId, afterId, limit],
  )
}

/** How the last 1,000 tasks that were handed out ended: about 20 points in time, bounded by the primary key. */
export async function recentCompletions(db: Database, jobId: string, stage: number): Promise<CompletionPoint[]> {
  return db.query(
    `SELECT at, done, ended FROM (
       SELECT t.finished_at AS at, (row_number() OVER (ORDER BY t.finished_at))::int AS done, (count(*) OVER ())::int AS ended
       FROM app.stages s JOIN app.tasks t ON t.stage_id = s.stage_id AND t.task_no > s.claim_cursor - 1000 AND t.task_no <= s.claim_cursor
       WHERE s.job_id = $1 AND s.retired_at IS NULL AND s.stage_no = $2 AND t.finished_at IS NOT NULL
     ) x WHERE done = 1 OR done = ended OR done % greatest(1, ended / 20) = 0 ORDER BY at, done`,
    [jobId, stage],
  )
}

export interface BreakerRow {
  readonly name: string
  readonly state: 'open' | 'half_open'
  readonly opened_at: Date
}

/** Dependencies that are known to be down. */
export async function listOpenBreakers(db: Database): Promise<BreakerRow[]> {
  return db.query(`SELECT name, state, opened_at FROM app.circuit_breakers WHERE state <> 'closed' ORDER BY name`)
}

/** Was the job resumed by an operator, so that a suspended instance is one whose resume was lost? */
export async function wasResumed(db: Database, jobId: string): Promise<boolean> {
  const rows = await db.query<{ event: string }>(
    `SELECT event FROM app.job_events WHERE job_id = $1 AND event IN ('job.paused', 'job.resumed') ORDER BY event_id DESC LIMIT 1`,
    [jobId],
  )
  return rows[0]?.event === 'job.resumed'
}

/** Stages that are looked at for a rate: newest first, over all job types. */
const RATE_LOOKBACK = 1000

/** Tasks per second over the closed runs of a stage among the newest stages, or undefined without history. */
export async function recentStageRate(db: Database, jobType: string, stageName: string): Promise<number | undefined> {
  const rows = await db.query<{ rate: number | null }>(
    `SELECT sum(s.completed)::float8 / nullif(sum(extract(epoch FROM s.closed_at - s.sealed_at)), 0)::float8 AS rate
     FROM (SELECT * FROM app.stages ORDER BY stage_id DESC LIMIT ${RATE_LOOKBACK}) s JOIN app.jobs j USING (job_id)
     WHERE s.status = 'closed' AND s.name = $2 AND j.job_type = $1 AND s.completed > 0`,
    [jobType, stageName],
  )
  return rows[0]?.rate ?? undefined
}
