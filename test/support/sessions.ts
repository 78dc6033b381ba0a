// Sessions whose transactions stay open, and the question whether one waits for a lock of another.
import pg from 'pg'
import type { Pool } from '../../src/db/pool.ts'

export interface Session {
  readonly client: pg.Client
  /** For functions that take a pool: their statements run in this session's transaction. */
  readonly pool: Pool
}

/** A session of its own, its transaction begun. */
export async function session(url: string): Promise<Session> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query('BEGIN')
  return {
    client,
    pool: { query: async (text: string, values?: unknown[]) => (await client.query(text, values)).rows } as unknown as Pool,
  }
}

/** True when Postgres says that the session waits for a lock; false when its call answered without. */
export async function waits(db: Pool, client: pg.Client, call: Promise<unknown>): Promise<boolean> {
  let answered = false
  const settled = call.then(
    () => (answered = true),
    () => (answered = true),
  )
  for (;;) {
    const [row] = await db.query<{ waiting: boolean }>(
      `SELECT coalesce(bool_or(wait_event_type = 'Lock'), false) AS waiting FROM pg_stat_activity WHERE pid = $1`,
      [(client as unknown as { processID: number }).processID],
    )
    if (row?.waiting) return true
    if (answered) return false
    await Promise.race([settled, db.query('SELECT 1')])
  }
}
