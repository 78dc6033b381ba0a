// Reads for administrators: whole rows and counts, as they stand.
import type { Database } from './pool.ts'

/** Jobs submitted or ended within a day, by status. */
export async function countRecentJobs(db: Database): Promise<Record<string, number>> {
  const rows = await db.query<{ status: string; n: number }>(
    `SELECT status, count(*)::int AS n FROM app.jobs WHERE updated_at > now() - interval '1 day' GROUP BY status ORDER BY status`,
  )
  return Object.fromEntries(rows.map((r) => [r.status, r.n]))
}
