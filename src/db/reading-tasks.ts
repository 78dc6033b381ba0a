// Reads of tasks: pages, one by its key, chains of predecessors, results in order, the curve of completions.
import type { CompletionPoint } from '../rules/progress.ts'
import type { Row } from '../models/row.ts'
import type { Stage } from '../models/stage.ts'
import type { Task } from '../models/task.ts'
import type { TaskStatus } from '../models/words.ts'
import { type Columns, cutColumns, type ListRow, wholeColumns } from './list-columns.ts'
import type { Database } from './pool.ts'

/** A task with the stage that it belongs to; `stage` is its number. */
export type TaskRow = Omit<Row<typeof Task>, 'stage_id' | 'lease_until' | 'claimed_by'> &
  Pick<Row<typeof Stage>, 'job_id'> & { readonly stage: number; readonly stage_name: string }

/** Of stages `s` and tasks `t`. */
const COLUMNS: Columns = {
  plain: [
    's.job_id, s.stage_no AS stage, s.name AS stage_name, t.task_no, t.task_key, t.source_key, t.status, t.claims, t.error_code, t.retryable',
    't.not_before, t.progress, t.progress_note, t.started_at, t.finished_at, t.duration_ms',
  ],
  json: ['t.parameters', 't.result_data'],
  text: ['t.error_details'],
}
/** A task as a whole. */
export const TASK_COLUMNS = wholeColumns(COLUMNS)
/** A task in a list. */
export const TASK_LIST_COLUMNS = cutColumns(COLUMNS)

export interface TaskFilter {
  readonly stage?: number | undefined
  readonly status?: TaskStatus | undefined
  readonly error_code?: string | undefined
  readonly text?: string | undefined
  readonly after?: { readonly stage: number; readonly task_no: number } | undefined
  readonly limit: number
}

/**
 * Which tasks a filter can mean, in terms of the indexes: without that a page of the few failed tasks reads the whole stage. An error code
 * stands on ended tasks, and on those that wait for another try; each has an index of its own.
 */
function parts({ status, error_code }: TaskFilter): readonly string[] {
  const ended = 't.finished_at IS NOT NULL AND t.error_code IS NOT NULL'
  if (status === 'failed' || status === 'skipped') return [ended]
  if (status === 'completed') return ['t.finished_at IS NOT NULL']
  if (status === 'queued') return ['t.finished_at IS NULL']
  const handedOut = 't.finished_at IS NULL AND t.task_no <= s.claim_cursor'
  if (status !== undefined) return [handedOut]
  return error_code === undefined ? ['true'] : [ended, handedOut]
}

/**
 * Tasks of the current attempt, by stage and number. Stage by stage, each read in the order of its key from where the page begins: a join
 * ordered as a whole reads every task of the job for every page.
 */
export async function listTasks(db: Database, jobId: string, f: TaskFilter): Promise<(TaskRow & ListRow)[]> {
  const pages = parts(f).map(
    (
      part,
    ) => `(SELECT * FROM app.tasks t WHERE t.stage_id = s.stage_id AND t.task_no > CASE WHEN s.stage_no = $6 THEN $7::int ELSE 0 END
         AND ${part} AND ($3::text IS NULL OR t.status = $3) AND ($4::text IS NULL OR t.error_code = $4)
         AND ($5::text IS NULL OR strpos(lower(t.task_key), lower($5)) > 0) ORDER BY t.task_no LIMIT $8)`,
  )
  return db.query(
    `SELECT ${TASK_LIST_COLUMNS} FROM (
       SELECT * FROM app.stages s WHERE s.job_id = $1 AND s.retired_at IS NULL AND ($2::int IS NULL OR s.stage_no = $2)
         AND ($6::int IS NULL OR s.stage_no >= $6) ORDER BY s.stage_no) s,
       LATERAL (${pages.join(' UNION ALL ')}) t
     ORDER BY s.stage_no, t.task_no LIMIT $8`,
    [jobId, f.stage, f.status, f.error_code, f.text, f.after?.stage, f.after?.task_no, f.limit],
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
    `SELECT t.task_no, t.task_key AS key, t.result_data AS result FROM app.tasks t
     WHERE t.stage_id = (SELECT s.stage_id FROM app.stages s WHERE s.job_id = $1 AND s.retired_at IS NULL AND s.stage_no = $2)
       AND t.task_no > $3 AND t.status = 'completed' ORDER BY t.task_no LIMIT $4`,
    [jobId, stage, afterTaskNo, limit],
  )
}

/** How the last 1,000 tasks that were handed out ended: about 20 points in time, bounded by the primary key. */
export const recentCompletions = (db: Database, jobId: string, stage: number): Promise<CompletionPoint[]> =>
  recentCompletionsOf(db, [{ job_id: jobId, stage }])

/** As {@link recentCompletions}, of one stage each of several jobs in one query; a job's points are in order. */
export async function recentCompletionsOf(
  db: Database,
  stages: readonly { readonly job_id: string; readonly stage: number }[],
): Promise<(CompletionPoint & { readonly job_id: string })[]> {
  return db.query(
    `SELECT job_id, at, done, ended FROM unnest($1::text[], $2::int[]) AS w(job_id, stage_no), LATERAL (
       SELECT t.finished_at AS at, (row_number() OVER (ORDER BY t.finished_at))::int AS done, (count(*) OVER ())::int AS ended
       FROM app.stages s JOIN app.tasks t ON t.stage_id = s.stage_id AND t.task_no > s.claim_cursor - 1000 AND t.task_no <= s.claim_cursor
       WHERE s.job_id = w.job_id AND s.retired_at IS NULL AND s.stage_no = w.stage_no AND t.finished_at IS NOT NULL
     ) x WHERE done = 1 OR done = ended OR done % greatest(1, ended / 20) = 0 ORDER BY at, done`,
    [stages.map((s) => s.job_id), stages.map((s) => s.stage)],
  )
}
