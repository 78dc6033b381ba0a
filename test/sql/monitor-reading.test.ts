// Figures for the monitor page: task times, courses and slowest tasks of stages, and the same reads for many jobs at once.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { slowestTasks, stageFigures } from '../../src/db/monitor-reading.ts'
import type { Pool } from '../../src/db/pool.ts'
import { listStages, listStagesOf } from '../../src/db/reading.ts'
import { recentCompletions, recentCompletionsOf } from '../../src/db/reading-tasks.ts'
import { completeTasks } from '../../src/db/task-functions.ts'
import { claim, createDatabase, openStage, type StageKey, type TestDatabase } from '../support/db.ts'

let database: TestDatabase
let db: Pool
beforeAll(async () => {
  database = await createDatabase()
  db = database.pool
})
afterAll(() => database.drop())

/** A stage of so many tasks, all done; the n-th took n ms and ended n s after the first. */
async function doneStage(tasks: number): Promise<StageKey> {
  const key = await openStage(db, { tasks })
  for (;;) {
    const { worker, tasks: claimed } = await claim(db, key, 1000)
    if (claimed.length === 0) break
    const results = claimed.map(({ task_no }) => ({ task_no, status: 'completed' as const, result: {} }))
    await completeTasks(db, { ...key, worker, results })
  }
  await db.query(
    `UPDATE app.tasks t SET duration_ms = t.task_no, finished_at = '2026-01-01T00:00:00Z'::timestamptz + make_interval(secs => t.task_no)
     FROM app.stages s WHERE s.stage_id = t.stage_id AND s.job_id = $1`,
    [key.job_id],
  )
  return key
}

test('half and 95 % of the task times, the longest, the course of ends, and times by powers of two', async () => {
  const { job_id } = await doneStage(96)
  const [figures, ...others] = await stageFigures(db, job_id)
  expect(others).toEqual([])
  expect(figures).toMatchObject({ stage: 1, measured: 96, p50_ms: 48, p95_ms: 92, max_ms: 96 })
  expect([figures?.from.toISOString(), figures?.to.toISOString()]).toEqual([
    '2026-01-01T00:00:01.000Z',
    '2026-01-01T00:01:36.000Z',
  ])
  // Two tasks a point, none lost at either end.
  expect(figures?.ended).toHaveLength(48)
  expect(figures?.ended.reduce((sum, n) => sum + n, 0)).toBe(96)
  expect(Math.min(...(figures?.ended ?? []))).toBeGreaterThan(0)
  // 0 · 1 · 2-3 · 4-7 · … · 64-96 ms
  expect(figures?.durations).toEqual([0, 1, 2, 4, 8, 16, 32, 33])
})

test('a large stage: the 10,000 tasks handed out last are looked at', async () => {
  const { job_id } = await doneStage(12_000)
  const [figures] = await stageFigures(db, job_id)
  expect(figures).toMatchObject({ measured: 10_000, p50_ms: 7000, max_ms: 12_000 })
})

test('nothing has ended: no figures, no slowest task', async () => {
  const { job_id } = await openStage(db, { tasks: 5 })
  expect([await stageFigures(db, job_id), await slowestTasks(db, job_id, { limit: 10 })]).toEqual([[], []])
})

test('the slowest tasks, longest first, of the stage that is asked for', async () => {
  const { job_id } = await doneStage(30)
  const slowest = await slowestTasks(db, job_id, { limit: 3 })
  expect(slowest.map((t) => t.duration_ms)).toEqual([30, 29, 28])
  expect(await slowestTasks(db, job_id, { stage: 2, limit: 3 })).toEqual([])
})

test('many jobs in one query are as each by itself', async () => {
  const keys = [await doneStage(40), await openStage(db, { tasks: 7 }), await doneStage(3)]
  const ids = keys.map((key) => key.job_id)
  const stages = Map.groupBy(await listStagesOf(db, ids), (s) => s.job_id)
  const points = Map.groupBy(
    await recentCompletionsOf(
      db,
      ids.map((job_id) => ({ job_id, stage: 1 })),
    ),
    (p) => p.job_id,
  )
  for (const id of ids) {
    expect(stages.get(id)).toEqual(await listStages(db, id))
    expect(points.get(id) ?? []).toEqual(await recentCompletions(db, id, 1))
  }
  expect(points.get(ids[0] ?? '')?.length).toBeGreaterThan(10)
})
