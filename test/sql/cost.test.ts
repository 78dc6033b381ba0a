import { expect, test } from 'vitest'
import { closeStage } from '../../src/db/job-functions.ts'
import type { Pool } from '../../src/db/pool.ts'
import { findPredecessors } from '../../src/db/reading-tasks.ts'
import { only } from '../../src/db/sql-function.ts'
import { completeTasks } from '../../src/db/task-functions.ts'
import { buffersOf } from '../support/buffers.ts'
import { claim, openStage, withDb } from '../support/db.ts'

/** Per task, for claiming and completing in batches of 50. */
async function buffersPerTask(db: Pool, n: number): Promise<number> {
  const key = await openStage(db, { tasks: n })
  const touched = await buffersOf(db, async () => {
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
  })
  return touched / n
}

/**
 * The first of three that is near the small one, else the last: a snapshot's xmin is the oldest transaction of all databases, so that an
 * open one of another test file keeps dead versions of rows here, and pages are visited that would have been pruned.
 */
async function undisturbed(db: Pool, n: number, small: number): Promise<number> {
  let found = Number.NaN
  for (let tries = 0; tries < 3; tries++) {
    found = await buffersPerTask(db, n)
    if (found / small < 1.5) break
  }
  return found
}

test('a completion costs the same at 1,000 and at 100,000 tasks: no COUNT, no scan of the stage', async () => {
  // One connection, so that every statistic is that of this test and flushed when asked.
  await withDb(
    async (db) => {
      // Its pages are counted with those of the statements, and when it comes depends on the machine.
      await db.query('ALTER TABLE app.tasks SET (autovacuum_enabled = false)')
      const small = await buffersPerTask(db, 1000)
      const large = await undisturbed(db, 100_000, small)
      expect(small).toBeGreaterThan(1)
      expect(large / small).toBeLessThan(1.5)
      // A stage that the statistics of a used database do not know yet must not be taken for a tiny one.
      await db.query('ANALYZE app.tasks')
      expect((await undisturbed(db, 20_000, small)) / small).toBeLessThan(1.5)
    },
    { max: 1 },
  )
})

test('a plan kept from small stages is not that of a large one, nor dear for small ones among many rows', async () => {
  await withDb(
    async (db) => {
      await db.query('ALTER TABLE app.tasks SET (autovacuum_enabled = false)')
      for (let i = 0; i < 10; i++) await buffersPerTask(db, 100)
      const small = await buffersPerTask(db, 100)
      expect((await undisturbed(db, 20_000, small)) / small).toBeLessThan(1.5)
      await db.query('ANALYZE app.tasks')
      expect((await undisturbed(db, 20_000, small)) / small).toBeLessThan(1.5)
      expect((await undisturbed(db, 100, small)) / small).toBeLessThan(1.5)
    },
    { max: 1 },
  )
})

test('predecessors cost the same on a fresh, on a filled and on an analyzed database', async () => {
  await withDb(
    async (db) => {
      const lookup = async (): Promise<number> => {
        const key = await openStage(db, { tasks: 20_000 })
        const keys = Array.from({ length: 50 }, (_, i) => `task_${i * 400}`)
        return buffersOf(db, async () => expect(await findPredecessors(db, key.job_id, 1, keys)).toHaveLength(50))
      }
      for (const state of ['fresh', 'filled', 'analyzed', 'analyzed again']) {
        expect(await lookup(), state).toBeLessThan(50 * 10)
        if (state !== 'fresh') await db.query('ANALYZE app.tasks')
      }
    },
    { max: 1 },
  )
})
