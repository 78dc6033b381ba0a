// The design that Lamplighter succeeds, through the same code as `npm run bench -- sql`: SQL alone, no queue and no host around it.
import { openPool } from '../../src/db/pool.ts'
import { prepareStartingDesign, startingDesign } from '../starting-design.ts'
import { CONCURRENCY, type Contender, work } from './contender.ts'

export async function open(url: string): Promise<Contender> {
  const db = openPool({ connectionString: url, max: CONCURRENCY })
  await prepareStartingDesign(db)
  return {
    async runJob(jobId, n, taskMs) {
      for (const stage of [1, 2]) await startingDesign(db, n, `${jobId}-${stage}`, () => work(taskMs))
    },
    async stored(jobId) {
      const [row] = await db.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM old.tasks WHERE starts_with(job_id, $1) AND status = 'completed' AND result IS NOT NULL`,
        [`old-${jobId}`],
      )
      return row?.n ?? 0
    },
    close: () => db.end(),
  }
}
