// The SQL core alone: claim (as many as workers claim of quick tasks), run nothing, complete, close. Planning is timed apart.
import { randomUUID } from 'node:crypto'
import * as jobs from '../src/db/job-functions.ts'
import type { Pool } from '../src/db/pool.ts'
import { only } from '../src/db/sql-function.ts'
import { MOST_CLAIM } from '../src/rules/claim-size.ts'
import { addTasks, claimTasks, completeTasks } from '../src/db/task-functions.ts'

export interface CoreFigures {
  readonly perSecond: number
  readonly planPerSecond: number
  /** Commits and WAL bytes per task of claiming, completing and closing. */
  readonly commits: number
  readonly wal: number
}

export async function sqlCore(db: Pool, n: number, workers = 4): Promise<CoreFigures> {
  const job_id = (randomUUID() + randomUUID()).replaceAll('-', '')
  const key = { job_id, attempt: 1, stage_no: 1 }
  await jobs.submitJob(db, {
    job_id,
    job_type: 'bench_job',
    total_stages: 1,
    parameters: {},
    metadata: {},
    on_task_failure: 'fail',
    submitted_by: null,
    correlation_id: null,
    idempotency_key: null,
    force: false,
  })
  await jobs.beginJob(db, { job_id, attempt: 1 })
  await jobs.advanceJobStage(db, { job_id, attempt: 1, from_stage: 0 })
  const planned = performance.now()
  await jobs.openStage(db, { ...key, name: 'bench_stage', weight: 'light', on_task_failure: 'fail', max_claims: 4 })
  for (let cursor = 0; cursor < n; cursor += 2000) {
    await addTasks(db, {
      ...key,
      cursor,
      tasks: Array.from({ length: Math.min(2000, n - cursor) }, (_, i) => ({ key: `k${cursor + i}` })),
    })
  }
  await jobs.sealStage(db, { ...key, expected: n })
  const before = await counters(db)
  const started = performance.now()
  await Promise.all(Array.from({ length: workers }, () => work(db, key)))
  const closure = only(await jobs.closeStage(db, key))
  const seconds = (performance.now() - started) / 1000
  if (closure.completed !== n) throw new Error(`closed with ${closure.completed} of ${n}`)
  const after = await counters(db)
  return {
    perSecond: n / seconds,
    planPerSecond: n / ((started - planned) / 1000),
    commits: (after.commits - before.commits) / n,
    wal: (after.wal - before.wal) / n,
  }
}

async function work(db: Pool, key: { job_id: string; attempt: number; stage_no: number }): Promise<void> {
  const worker = randomUUID()
  for (;;) {
    const claimed = await claimTasks(db, { ...key, limit: MOST_CLAIM, worker, lease: 60_000 })
    if (claimed.length === 0) return
    await completeTasks(db, {
      ...key,
      worker,
      results: claimed.map((t) => ({ task_no: t.task_no, status: 'completed' as const, result: { a: 1 }, duration_ms: 1 })),
    })
  }
}

async function counters(db: Pool): Promise<{ commits: number; wal: number }> {
  await db.query('SELECT pg_stat_force_next_flush()')
  const [row] = await db.query<{ commits: string; wal: string }>(
    `SELECT (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database())::text AS commits, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::text AS wal`,
  )
  return { commits: Number(row?.commits), wal: Number(row?.wal) }
}
