// `npm run bench -- large-database`: two million task rows of 3,000 ended jobs, and what lists, claims and states take beside them.
import type { Backends } from '../local/cloud.ts'
import type { Pool } from '../src/db/pool.ts'
import { fillJobs, fillTasks } from './fill-tables.ts'
import { callMs, callRow, median, type Row, whole, withHost } from './measure.ts'
import { sqlCore } from './sql-core.ts'
import { ended } from './job-ends.ts'
import { helloWorld, submitJob } from './stack.ts'

const JOBS = 3000
const TASKS = 667
/** Jobs of one statement. */
const SLICE = 100
const N = 10_000

export async function largeDatabase(backends: Backends, db: Pool): Promise<Row[]> {
  await sqlCore(db, N)
  const empty = await coreRate(db)
  await fillJobs(db, 1, JOBS)
  for (let i = 1; i <= JOBS; i += SLICE) await fillTasks(db, i, i + SLICE - 1, TASKS)
  await db.query('VACUUM ANALYZE')
  const [rows] = await db.query<{ tasks: string }>('SELECT count(*)::text AS tasks FROM app.tasks')
  const full = await coreRate(db)
  const title = `${whole(Number(rows?.tasks))} task rows of ${whole(JOBS)} jobs`
  const core: Row = {
    measure: `${title}: SQL core, n = ${whole(N)}`,
    figure: `${whole(full)} tasks/s; empty ${whole(empty)}`,
    goal: '≥ 12,000',
    met: full >= 12_000,
  }
  return [core, ...(await withHost(backends, (url) => calls(url, db)))]
}

/** Tasks a second, median of five. */
async function coreRate(db: Pool): Promise<number> {
  const rates: number[] = []
  for (let i = 0; i < 5; i++) rates.push((await sqlCore(db, N)).perSecond)
  return median(rates)
}

async function calls(url: string, db: Pool): Promise<Row[]> {
  await helloWorld(url, db, 10, 'warm')
  const took: number[] = []
  for (let i = 0; i < 20; i++) took.push((await helloWorld(url, db, 1, `small ${i}`)) * 1000)
  const large = await submitJob(url, 'hello_world', { n: N / 2, name: 'large' })
  await ended(db, large)
  const [old] = await db.query<{ job_id: string }>(
    `SELECT job_id FROM app.jobs WHERE status = 'failed' ORDER BY created_at LIMIT 1`,
  )
  const yesterday = new Date(Date.now() - 86_400_000).toISOString()
  const paths = [
    'jobs?limit=100',
    'jobs?status=failed&limit=100',
    'monitor/jobs?type=process_raster&limit=50',
    `jobs/${large}`,
    `monitor/jobs/${large}`,
    `jobs/${large}/tasks?limit=100`,
    `jobs/${old?.job_id}`,
    `jobs/${old?.job_id}/errors`,
    `jobs/${old?.job_id}/tasks?status=failed&limit=100`,
    `tasks?status=failed&since=${yesterday}&limit=100`,
  ]
  const rows: Row[] = [
    { measure: 'the same: a job of one task, p50 of 20', figure: `${median(took).toFixed(0)} ms`, goal: '-', met: true },
  ]
  for (const path of paths) {
    const told = path
      .replace(large, '{10,000 tasks}')
      .replace(old?.job_id ?? '-', '{oldest}')
      .replace(yesterday, '{yesterday}')
    rows.push(callRow(`the same: ${told}`, (await callMs(`${url}/api/${path}`)).ms))
  }
  return rows
}
