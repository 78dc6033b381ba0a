// What a call costs, in pages of the schema's tables and indexes: the same on every machine.
import type { Pool } from '../../src/db/pool.ts'

/** Pages that a call touches. The pool has one connection, or statistics of others are counted too. */
export async function buffersOf(db: Pool, call: () => Promise<unknown>): Promise<number> {
  const read = async (): Promise<number> => {
    await db.query('SELECT pg_stat_force_next_flush()')
    const [row] = await db.query<{ n: string }>(
      `SELECT sum(heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read)::text AS n FROM pg_statio_user_tables WHERE schemaname = 'app'`,
    )
    return Number(row?.n)
  }
  const before = await read()
  await call()
  return (await read()) - before
}
