// Reads of jobs, stages, events and breakers: keyset paging, typed filters, nothing unbounded.
import type { CircuitBreaker } from '../models/circuit-breaker.ts'
import type { JobEvent } from '../models/job-event.ts'
import type { Job } from '../models/job.ts'
import type { Row } from '../models/row.ts'
import type { Stage } from '../models/stage.ts'
import { type Columns, type ListRow, wholeColumns } from './list-columns.ts'
import type { StageReadiness } from './job-functions.ts'
import type { Database } from './pool.ts'

export type JobRow = Omit<Row<typeof Job>, 'on_task_failure' | 'idempotency_key' | 'cancel_reason' | 'start_confirmed_attempt'>

/** What lists of jobs show of one. */
export type JobSummary = Omit<JobRow, 'stage_results' | 'result_data' | 'error_details' | 'correlation_id'> & ListRow

export const JOB_SUMMARY: Columns = {
  plain: [
    'job_id, job_type, status, attempt, stage, total_stages, error_code, submitted_by, created_at, started_at, finished_at, updated_at',
  ],
  json: ['parameters', 'metadata'],
  text: [],
}
const JOB_COLUMNS = `${wholeColumns(JOB_SUMMARY)}, stage_results, result_data, error_details, correlation_id`

/** The job row, or undefined; an unreachable database throws instead. */
export async function findJob(db: Database, jobId: string): Promise<JobRow | undefined> {
  const rows = await db.query<JobRow>(`SELECT ${JOB_COLUMNS} FROM app.jobs WHERE job_id = $1`, [jobId])
  return rows[0]
}

/** What a turn of a job begins with: its row, and the readiness of the stage that it is at. */
export interface JobTurn {
  readonly row: Pick<JobRow, 'status' | 'attempt' | 'stage' | 'job_type' | 'parameters'>
  /** The row tells of no movement for 5 s: begin_job notes this turn. */
  readonly isStale: boolean
  /** Undefined: the stage has no row yet. */
  readonly stage: StageReadiness | undefined
}

/** Both in one statement; undefined when there is no such job. */
export async function findTurn(db: Database, jobId: string): Promise<JobTurn | undefined> {
  const rows = await db.query<
    JobTurn['row'] & Omit<StageReadiness, 'status'> & { is_stale: boolean; stage_status: StageReadiness['status'] | null }
  >(
    `SELECT j.status, j.attempt, j.stage, j.job_type, j.parameters, j.updated_at < now() - interval '5 seconds' AS is_stale,
       r.status AS stage_status, r.outcome, r.expected, r.ready, r.open_at_least, r.next_ready_at, r.sealed_at, r.held
     FROM app.jobs j LEFT JOIN LATERAL (SELECT * FROM app.stage_readiness(j.job_id, j.stage) WHERE j.stage > 0) r ON true WHERE j.job_id = $1`,
    [jobId],
  )
  if (!rows[0]) return undefined
  const { is_stale, stage_status, ...both } = rows[0]
  return { row: both, isStale: is_stale, stage: stage_status === null ? undefined : { ...both, status: stage_status } }
}

/** A stage with its counts; `stage` is its number. */
export type StageRow = Pick<
  Row<typeof Stage>,
  | ('name' | 'status' | 'outcome' | 'expected' | 'completed' | 'failed' | 'skipped')
  | ('sealed_at' | 'opened_at' | 'closed_at' | 'summary')
> & { readonly stage: number; readonly running: number; readonly retrying: number; readonly open: number }

const CLOSED_STAGES = `SELECT s.job_id, s.stage_no AS stage, s.name, s.status, s.outcome, s.expected, s.sealed_at, s.opened_at, s.closed_at, s.summary,
    s.completed, s.failed, s.skipped, 0 AS running, 0 AS retrying, 0 AS open
  FROM app.stages s WHERE s.job_id = ANY($1::text[]) AND s.retired_at IS NULL ORDER BY s.stage_no`

/**
 * Stages of the current attempt with counts. Closed stages answer from their record; of open ones the open rows (up to 200,000)
 * and the failed rows are counted by their partial indexes, and the untouched range is arithmetic.
 */
export const listStages = (db: Database, jobId: string): Promise<StageRow[]> => listStagesOf(db, [jobId])

/** As {@link listStages}, of several jobs at once, each row with the job that it belongs to; in the order of stages. */
export async function listStagesOf(db: Database, jobIds: readonly string[]): Promise<(StageRow & { readonly job_id: string })[]> {
  // Counting what is open is not even planned where nothing is: it costs ten times the look.
  const stages = await db.query<StageRow & { readonly job_id: string }>(CLOSED_STAGES, [jobIds])
  if (stages.every((s) => s.status === 'closed')) return stages
  return db.query(
    `SELECT s.job_id, s.stage_no AS stage, s.name, s.status, s.outcome, s.expected, s.sealed_at, s.opened_at, s.closed_at, s.summary,
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
     WHERE s.job_id = ANY($1::text[]) AND s.retired_at IS NULL ORDER BY s.stage_no`,
    [jobIds],
  )
}

/** `event_id` is a bigint, which the driver gives as text. */
export type EventRow = Pick<Row<typeof JobEvent>, 'at' | 'actor' | 'event' | 'data'> & { readonly event_id: string }

/** Events of a job in order. */
export async function listEvents(db: Database, jobId: string, afterId: string, limit: number): Promise<EventRow[]> {
  return db.query(
    'SELECT event_id, at, actor, event, data FROM app.job_events WHERE job_id = $1 AND event_id > $2 ORDER BY event_id LIMIT $3',
    [jobId, afterId, limit],
  )
}

export type BreakerRow = Pick<Row<typeof CircuitBreaker>, 'name' | 'state' | 'opened_at'>

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
     FROM (SELECT * FROM app.stages ORDER BY stage_id DESC LIMIT ${RATE_LOOKBACK}) s
     WHERE s.status = 'closed' AND s.name = $2 AND s.completed > 0 AND (SELECT j.job_type FROM app.jobs j WHERE j.job_id = s.job_id) = $1`,
    [jobType, stageName],
  )
  return rows[0]?.rate ?? undefined
}
