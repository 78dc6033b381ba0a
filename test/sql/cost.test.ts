import { expect, test } from 'vitest'
import { closeStage } from '../../src/db/job-functions.ts'
import type { Pool } from '../../src/db/pool.ts'
import { only } from '../../src/db/sql-function.ts'
import { completeTasks } from '../../src/db/task-functions.ts'
import { claim, openStage, withDb } from '../support/db.ts'

/** Buffers touched on the tables' and indexes' pages, per task, for claiming and completing in batches of 50. */
async function buffersPerTask(db: Pool, n: number): Promise<number> {
  const read = async (): Promise<number> => {
    const [row] = await db.query<{ n: string }>(
      `SELECT sum(heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read)::text AS n FROM pg_statio_user_tables WHERE schemaname = 'app'`,
    )
    return Number(row?.n)
  }
  const key = await openStage(db, { tasks: n })
  await db.query('SELECT pg_stat_force_next_flush()')
  const before = await read()
  for (;;) {
    const { worker, tasks } = await claim(db, key, 50)
    if (tasks.length === 0) break
    await completeTasks(db, {
      ...key,
      worker,
      results: tasks.map((t) => ({ task_no: t.task_no, status: 'completed' as const, result: {} })),
    })
  }
  expect(only(await closeStage(db, key))).toMatchObject({ closed_now: true, completed: n })
  await db.query('SELECT pg_stat_force_next_flush()')
  return ((await read()) - before) / n
}

test('a completion costs the same at 1,000 and at 100,000 tasks: no COUNT, no scan of the stage', async () => {
  // One connection, so that every statistic is that of this test and flushed when asked.
  await withDb(
    async (db) => {
      const small = await buffersPerTask(db, 1000)
      const large = await buffersPerTask(db, 100_000)
      expect(small).toBeGreaterThan(1)
      expect(large / small).toBeLessThan(1.5)
      // A stage that the statistics of a used database do not know yet must not be taken for a tiny one.
      await db.query('ANALYZE app.tasks')
      expect((await buffersPerTask(db, 20_000)) / small).toBeLessThan(1.5)
    },
    { max: 1 },
  )
})
