// Figures of a job's stages for the monitor page: how long tasks took, how they came in, which were the slowest.
import type { ListRow } from './list-columns.ts'
import type { Database } from './pool.ts'
import { TASK_LIST_COLUMNS, type TaskRow } from './reading-tasks.ts'

/** Tasks of a stage that are looked at: those that were handed out last, by the primary key, so that a large stage costs no more. */
const SAMPLE = 10_000
/** Points of a curve. */
const POINTS = 48

/** 1, 2, 4 … milliseconds. */
const POWERS = Array.from({ length: 31 }, (_, i) => 2 ** i)

export interface StageFigures {
  readonly stage: number
  /** Ended tasks that were looked at; at most 10,000. */
  readonly measured: number
  readonly p50_ms: number | null
  readonly p95_ms: number | null
  readonly max_ms: number | null
  /** First and last of their ends. */
  readonly from: Date
  readonly to: Date
  /** Ends in each 48th of that time. */
  readonly ended: number[]
  /** Tasks by duration: the i-th counts those of 2^(i-1) up to 2^i ms, the first those below 1 ms. */
  readonly durations: number[]
}

/**
 * Figures of the stages of a job's current attempt that have ended tasks, in order. Each part is made once: a part that is named once would be
 * made again for every point (1 s instead of 30 ms for two stages of 10,000 tasks).
 */
export async function stageFigures(db: Database, jobId: string): Promise<StageFigures[]> {
  return db.query(
    `WITH sample AS MATERIALIZED (
       SELECT s.stage_no, t.finished_at, t.duration_ms FROM app.stages s, LATERAL (
         SELECT t.finished_at, t.duration_ms FROM app.tasks t
         WHERE t.stage_id = s.stage_id AND t.task_no > s.claim_cursor - ${SAMPLE} AND t.task_no <= s.claim_cursor AND t.finished_at IS NOT NULL
           AND t.duration_ms IS NOT NULL) t
       WHERE s.job_id = $1 AND s.retired_at IS NULL
     ), total AS MATERIALIZED (
       SELECT stage_no, count(*)::int AS measured, percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY duration_ms) AS quantile,
         max(duration_ms) AS max_ms, min(finished_at) AS first, max(finished_at) AS last FROM sample GROUP BY 1
     ), curve AS MATERIALIZED (
       SELECT stage_no, least(${POINTS - 1}, floor(${POINTS} * extract(epoch FROM finished_at - first)::float8
         / greatest(0.001, extract(epoch FROM last - first)::float8)))::int AS point, sum(n)::int AS n
       FROM (SELECT stage_no, finished_at, count(*) AS n FROM sample GROUP BY 1, 2) x JOIN total USING (stage_no) GROUP BY 1, 2
     ), spread AS MATERIALIZED (
       SELECT stage_no, width_bucket(duration_ms, $2::int[]) AS point, sum(n)::int AS n
       FROM (SELECT stage_no, duration_ms, count(*) AS n FROM sample GROUP BY 1, 2) x GROUP BY 1, 2
     ) SELECT stage_no AS stage, measured, quantile[1] AS p50_ms, quantile[2] AS p95_ms, max_ms, first AS "from", last AS "to",
       ARRAY(SELECT coalesce((SELECT n FROM curve c WHERE c.stage_no = total.stage_no AND c.point = i), 0)
         FROM generate_series(0, ${POINTS - 1}) i) AS ended,
       ARRAY(SELECT coalesce((SELECT n FROM spread d WHERE d.stage_no = total.stage_no AND d.point = i), 0)
         FROM generate_series(0, (SELECT max(point) FROM spread d WHERE d.stage_no = total.stage_no)) i) AS durations
     FROM total ORDER BY stage_no`,
    [jobId, POWERS],
  )
}

/** The tasks of a job that took longest, longest first; of one stage where it is given. */
export async function slowestTasks(
  db: Database,
  jobId: string,
  { stage, limit }: { readonly stage?: number | undefined; readonly limit: number },
): Promise<(TaskRow & ListRow)[]> {
  return db.query(
    `SELECT ${TASK_LIST_COLUMNS} FROM app.stages s JOIN app.tasks t ON t.stage_id = s.stage_id
     WHERE s.job_id = $1 AND s.retired_at IS NULL AND ($2::int IS NULL OR s.stage_no = $2) AND t.finished_at IS NOT NULL AND t.duration_ms IS NOT NULL
     ORDER BY t.duration_ms DESC, s.stage_no, t.task_no LIMIT $3`,
    [jobId, stage, limit],
  )
}
