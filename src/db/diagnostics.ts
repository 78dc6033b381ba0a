// Reads for administrators: whole rows and counts, as they stand. Table and column names are of this file, never of a caller.
import { tables } from '../models/tables.ts'
import { tableDdl } from './ddl.ts'
import type { Database } from './pool.ts'

/** Jobs submitted or ended within a day, by status. */
export async function countRecentJobs(db: Database): Promise<Record<string, number>> {
  const rows = await db.query<{ status: string; n: number }>(
    `SELECT status, count(*)::int AS n FROM app.jobs WHERE updated_at > now() - interval '1 day' GROUP BY status ORDER BY status`,
  )
  return Object.fromEntries(rows.map((r) => [r.status, r.n]))
}

/** Jobs that have not ended, by status: each of them is there, also with 0. An index holds these alone. */
export async function countActiveJobs(db: Database): Promise<Record<'queued' | 'processing' | 'paused', number>> {
  const rows = await db.query<{ status: 'queued' | 'processing' | 'paused'; n: number }>(
    `SELECT status, count(*)::int AS n FROM app.jobs WHERE finished_at IS NULL GROUP BY status`,
  )
  return { queued: 0, processing: 0, paused: 0, ...Object.fromEntries(rows.map((r) => [r.status, r.n])) }
}

export interface TableStatistics {
  readonly table: string
  /** As the planner knows it; counting would read the table. */
  readonly rows_estimate: number
  readonly dead_rows: number
  /** With indexes and large values. */
  readonly bytes: number
  readonly index_bytes: number
  readonly analyzed_at: Date | null
  readonly vacuumed_at: Date | null
}

export async function readTableStatistics(db: Database): Promise<TableStatistics[]> {
  return db.query(`
    SELECT s.relname AS "table", greatest(s.n_live_tup, 0)::float8 AS rows_estimate, s.n_dead_tup::float8 AS dead_rows,
      pg_total_relation_size(s.relid)::float8 AS bytes, pg_indexes_size(s.relid)::float8 AS index_bytes,
      greatest(s.last_analyze, s.last_autoanalyze) AS analyzed_at, greatest(s.last_vacuum, s.last_autovacuum) AS vacuumed_at
    FROM pg_stat_user_tables s WHERE s.schemaname = 'app' ORDER BY s.relname`)
}

/** All jobs, and the tasks of stages that are not closed, by status. */
export async function countByStatus(db: Database): Promise<{ jobs: Record<string, number>; open_tasks: Record<string, number> }> {
  const rows = await db.query<{ of: 'jobs' | 'open_tasks'; status: string; n: number }>(`
    SELECT 'jobs' AS of, status, count(*)::int AS n FROM app.jobs GROUP BY status
    UNION ALL SELECT 'open_tasks', t.status, count(*)::int FROM app.tasks t JOIN app.stages s USING (stage_id)
    WHERE s.status <> 'closed' AND s.retired_at IS NULL GROUP BY t.status ORDER BY 1, 2`)
  const of = (what: string) => Object.fromEntries(rows.filter((r) => r.of === what).map((r) => [r.status, r.n]))
  return { jobs: of('jobs'), open_tasks: of('open_tasks') }
}

/** What can be asked of rows; each narrows. */
export interface RowFilter {
  readonly job_id?: string | undefined
  readonly job_type?: string | undefined
  readonly status?: string | undefined
  readonly stage_no?: number | undefined
  readonly hours?: number | undefined
  readonly limit: number
}

/** Whole job rows, newest first. */
export const readJobRows = (db: Database, f: RowFilter): Promise<object[]> =>
  db.query(
    `SELECT * FROM app.jobs WHERE ($1::text IS NULL OR job_id = $1) AND ($2::text IS NULL OR job_type = $2) AND ($3::text IS NULL OR status = $3)
       AND ($4::float8 IS NULL OR created_at >= now() - $4 * interval '1 hour') ORDER BY created_at DESC, job_id DESC LIMIT $5`,
    [f.job_id, f.job_type, f.status, f.hours, f.limit],
  )

/** Whole stage rows, also retired ones, newest first. */
export const readStageRows = (db: Database, f: RowFilter): Promise<object[]> =>
  db.query(`SELECT * FROM app.stages WHERE ($1::text IS NULL OR job_id = $1) ORDER BY stage_id DESC LIMIT $2`, [
    f.job_id,
    f.limit,
  ])

/** Whole task rows with the job and number of their stage, newest stage first; `hours` counts from the last change that has a time. */
export const readTaskRows = (db: Database, f: RowFilter): Promise<object[]> =>
  db.query(
    `SELECT s.job_id, s.stage_no, s.name AS stage_name, t.* FROM app.tasks t JOIN app.stages s USING (stage_id)
     WHERE ($1::text IS NULL OR s.job_id = $1) AND ($2::text IS NULL OR t.status = $2) AND ($3::int IS NULL OR s.stage_no = $3)
       AND ($4::float8 IS NULL OR greatest(t.started_at, t.finished_at) >= now() - $4 * interval '1 hour')
     ORDER BY t.stage_id DESC, t.task_no LIMIT $5`,
    [f.job_id, f.status, f.stage_no, f.hours, f.limit],
  )

/** The newest rows of what has no door of its own. */
export const readOtherRows = async (db: Database, limit: number): Promise<Record<string, object[]>> => ({
  events: await db.query(`SELECT * FROM app.job_events ORDER BY event_id DESC LIMIT $1`, [limit]),
  hosts: await db.query(`SELECT * FROM app.hosts ORDER BY seen_at DESC LIMIT $1`, [limit]),
  breakers: await db.query(`SELECT * FROM app.circuit_breakers ORDER BY name LIMIT $1`, [limit]),
})

export interface EnumDiagnosis {
  readonly constraint: string
  /** What this release writes. */
  readonly expected: readonly string[]
  /** What the database takes; null: the constraint is not there. */
  readonly found: readonly string[] | null
  readonly ok: boolean
}

/** The words that columns take, here and in the database: a word that only one side knows is a job that fails. */
export async function diagnoseEnums(db: Database): Promise<EnumDiagnosis[]> {
  const rows = await db.query<{ name: string; definition: string }>(
    `SELECT conname AS name, pg_get_constraintdef(oid) AS definition FROM pg_constraint WHERE connamespace = to_regnamespace('app') AND contype = 'c'`,
  )
  const known = new Map(rows.map((r) => [r.name, words(r.definition)]))
  const constraints = tables.flatMap((t) => [...tableDdl(t).matchAll(/CONSTRAINT (\w+_enum) CHECK \((.*)\),?$/gm)])
  return constraints.map(([, constraint = '', rule = '']) => {
    const [expected, found] = [words(rule), known.get(constraint) ?? null]
    return { constraint, expected, found, ok: found !== null && found.join() === expected.join() }
  })
}

/** Texts within a rule, sorted: `'a'::text` and `'a'` are the same. */
const words = (rule: string): string[] => [...rule.matchAll(/'((?:[^']|'')*)'/g)].map((m) => m[1] ?? '').toSorted()
