// Host and worker killed with -9 at random moments, again and again, under a mixed load. More by flag: KILLS=30 KILL_SEED=7.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { seeded } from 'functions-host/durable'
import { startApp, type TestApp } from '../support/app.ts'
import { alive } from 'functions-host/testing'
import { until } from 'functions-host/testing'

const KILLS = Number(process.env['KILLS'] ?? 2)
const SEED = Number(process.env['KILL_SEED'] ?? 1)
const SIZES = [1, 50, 3000, 8000]

let app: TestApp
beforeAll(async () => void (app = await startApp()))
afterAll(() => app.stop())

/** A request whose worker is killed is a 500: a client asks again, and the same parameters are the same job. */
async function submitted(parameters: object): Promise<string> {
  return until('the submission is answered', async () => {
    const { status, body } = await app.send('POST', '/api/jobs/submit/hello_world', parameters)
    if (status === 202 || status === 200) return (body as { job_id: string }).job_id
    expect(status).toBe(500)
    return undefined
  })
}

const HANDED_OUT = `SELECT count(*)::int AS n FROM app.tasks WHERE status <> 'queued'`
const PROCESSING = `SELECT count(*)::int AS n FROM app.jobs WHERE status IN ('queued', 'processing')`
const EFFECTS = `SELECT s.job_id, s.stage_no AS stage, count(*)::int AS n, count(DISTINCT t.result_data)::int AS results
  FROM app.stages s JOIN app.tasks t USING (stage_id) WHERE t.status = 'completed' GROUP BY 1, 2 ORDER BY 1, 2`
const count = async (sql: string): Promise<number> => (await app.database.pool.query<{ n: number }>(sql))[0]?.n ?? 0

test(
  `${KILLS} kills, seed ${SEED}: every job completes, every effect exactly once, no process and no port is left`,
  async () => {
    const random = seeded(SEED)
    const jobs = new Map<string, number>()
    const pids: number[] = []
    for (let kill = 0; kill < KILLS; kill++) {
      for (const size of SIZES) {
        jobs.set(await submitted({ n: size, name: `kill ${kill} of ${SEED}` }), size)
      }
      // A random moment: after so many more tasks were handed out, if there are as many.
      const least = (await count(HANDED_OUT)) + Math.floor(random() * 8000)
      while ((await count(HANDED_OUT)) < least && (await count(PROCESSING)) > 0);
      pids.push(app.host.pid, app.host.workerPid)
      if (random() < 0.6) {
        const { url } = app.host
        await app.host.kill()
        await expect(fetch(url)).rejects.toThrow()
        await app.restart()
      } else process.kill(app.host.workerPid, 'SIGKILL')
    }
    for (const [id, n] of jobs)
      expect(await app.waitForJob(id)).toMatchObject({ status: 'completed', result: { greetings: n, replies: n } })
    const rows = await app.database.pool.query<{ job_id: string; stage: number; n: number; results: number }>(EFFECTS)
    const wanted = [...jobs].flatMap(([job_id, n]) => [1, 2].map((stage) => ({ job_id, stage, n, results: n })))
    expect(rows).toEqual(wanted.sort((a, b) => (a.job_id < b.job_id ? -1 : a.job_id > b.job_id ? 1 : a.stage - b.stage)))
    // What ended before a kill is answered from the database afterwards.
    for (const id of jobs.keys())
      expect((await app.get(`/api/jobs/${id}/instance`)).body).toMatchObject({ runtimeStatus: 'Completed' })
    const current = [app.host.pid, app.host.workerPid]
    expect(pids.filter((pid) => !current.includes(pid) && alive(pid))).toEqual([])
  },
  60_000 + KILLS * 60_000,
)
