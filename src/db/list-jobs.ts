// The list of jobs: typed filters, keyset paging; a text is searched piece by piece, so that no call reads every job.
import type { JobStatus } from '../models/words.ts'
import { cutColumns } from './list-columns.ts'
import type { Database } from './pool.ts'
import { JOB_SUMMARY, type JobSummary } from './reading.ts'

/** Jobs that one call looks through for a text: their JSON is made text one by one, 2 µs each. */
export const LOOKED_THROUGH = 15_000

/** Behind which job a page begins. `created_at` carries microseconds as text, which a Date would cut. */
export interface JobPosition {
  readonly created_at: string
  readonly job_id: string
}

export interface JobFilter {
  readonly type?: string | undefined
  readonly status?: JobStatus | undefined
  readonly since?: string | undefined
  readonly error_code?: string | undefined
  readonly text?: string | undefined
  /** The last row of the page before, or where its search stopped. */
  readonly after?: JobPosition | undefined
  readonly limit: number
}

export interface FoundJobs {
  readonly rows: readonly (JobSummary & { readonly created_key: string })[]
  /** The last one that was looked through for the text, when there are more and `limit` is not reached: go on behind it. */
  readonly stopped?: JobPosition
}

const FILTERED = `app.jobs WHERE ($1::text IS NULL OR job_type = $1) AND ($2::text IS NULL OR status = $2) AND ($3::timestamptz IS NULL OR created_at >= $3)
    AND ($4::text IS NULL OR error_code = $4) AND ($5::timestamptz IS NULL OR (created_at, job_id) < ($5, $6))
  ORDER BY created_at DESC, job_id DESC`
const HAS_TEXT = `strpos(lower(concat_ws(' ', job_id, job_type, parameters::text, metadata::text, error_details)), lower($7)) > 0`
const SELECT = `SELECT ${cutColumns(JOB_SUMMARY)}, created_at::text AS created_key`

/** Newest first. A search for a text looks through 15,000 jobs of the other filters at most. */
export async function listJobs(db: Database, f: JobFilter): Promise<FoundJobs> {
  const filter = [f.type, f.status, f.since, f.error_code, f.after?.created_at, f.after?.job_id]
  if (f.text === undefined) return { rows: await db.query(`${SELECT} FROM ${FILTERED} LIMIT $7`, [...filter, f.limit]) }
  const rows: FoundJobs['rows'] = await db.query(
    `${SELECT} FROM (SELECT * FROM ${FILTERED} LIMIT ${LOOKED_THROUGH}) j WHERE ${HAS_TEXT} ORDER BY created_at DESC, job_id DESC LIMIT $8`,
    [...filter, f.text, f.limit],
  )
  if (rows.length >= f.limit) return { rows }
  // Not named as the column: ORDER BY would take the text.
  const [stopped] = await db.query<{ created_key: string; job_id: string }>(
    `SELECT created_at::text AS created_key, job_id FROM ${FILTERED} OFFSET ${LOOKED_THROUGH - 1} LIMIT 1`,
    filter,
  )
  return stopped ? { rows, stopped: { created_at: stopped.created_key, job_id: stopped.job_id } } : { rows }
}

/** As {@link listJobs}, however many there are to look through: for orders on all jobs of a filter. */
export async function findJobs(db: Database, filter: Omit<JobFilter, 'after'>): Promise<FoundJobs['rows']> {
  const found: FoundJobs['rows'][number][] = []
  let after: JobPosition | undefined
  do {
    const { rows, stopped } = await listJobs(db, { ...filter, after, limit: filter.limit - found.length })
    found.push(...rows)
    after = stopped
  } while (after)
  return found
}
