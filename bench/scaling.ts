// `npm run bench -- scaling`: CPU and WAL of a task with one host and with two on one database, and what the model says of them.
import { availableParallelism } from 'node:os'
import type { HostProcess } from 'functions-host'
import { freshApp } from '../local/build-app.ts'
import { type Backends, startHost } from '../local/cloud.ts'
import type { Pool } from '../src/db/pool.ts'
import { median, QUIET, type Row, whole } from './measure.ts'
import { cpuSecondsOfTrees } from './process-cpu.ts'
import { type Cost, sharedRate } from './scaling-model.ts'
import { ended } from './job-ends.ts'
import { submitJob } from './stack.ts'

/** Tasks a job; each host is given one at the same time. */
const N = 10_000
const ROUNDS = 3

interface Sample extends Cost {
  readonly perSecond: number
}

async function walBytes(db: Pool): Promise<number> {
  const [row] = await db.query<{ bytes: string }>(`SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::text AS bytes`)
  return Number(row?.bytes)
}

/** One job of 2 N tasks for each host, started together. */
async function sample(hosts: readonly HostProcess[], postgresPid: number, db: Pool, name: string): Promise<Sample> {
  const roots = hosts.flatMap((h) => [h.pid, h.workerPid])
  const before = { app: cpuSecondsOfTrees(roots), postgres: cpuSecondsOfTrees([postgresPid]), wal: await walBytes(db) }
  const started = performance.now()
  await Promise.all(
    hosts.map(async ({ url }, i) => ended(db, await submitJob(url, 'hello_world', { n: N, name: `${name} ${i}` }))),
  )
  const seconds = (performance.now() - started) / 1000
  const tasks = 2 * N * hosts.length
  return {
    perSecond: tasks / seconds,
    app: ((cpuSecondsOfTrees(roots) - before.app) * 1000) / tasks,
    postgres: ((cpuSecondsOfTrees([postgresPid]) - before.postgres) * 1000) / tasks,
    wal: ((await walBytes(db)) - before.wal) / 1024 / tasks,
  }
}

const middle = (samples: readonly Sample[]): Sample => ({
  perSecond: median(samples.map((s) => s.perSecond)),
  app: median(samples.map((s) => s.app)),
  postgres: median(samples.map((s) => s.postgres)),
  wal: median(samples.map((s) => s.wal)),
})

/** @throws Error without a Postgres of its own: its CPU could not be read */
export async function scaling(backends: Backends, db: Pool): Promise<Row[]> {
  if (!backends.postgres) throw new Error('Scaling needs a Postgres of its own: run it without DATABASE_URL.')
  await freshApp()
  const postgresPid = backends.postgres.keeperPid
  const hosts = await Promise.all([1, 2].map(() => startHost(backends, { port: 0, env: QUIET })))
  try {
    const found = new Map<number, Sample[]>([
      [1, []],
      [2, []],
    ])
    await sample(hosts, postgresPid, db, 'warm')
    // Repetition outermost: noise of the machine hits both alike.
    for (let round = 0; round < ROUNDS; round++)
      for (const [count, samples] of found)
        samples.push(await sample(hosts.slice(0, count), postgresPid, db, `round ${round} of ${count}`))
    return rowsOf(new Map([...found].map(([count, samples]) => [count, middle(samples)])))
  } finally {
    await Promise.all(hosts.map((h) => h.stop()))
  }
}

/** The model is given the cost with one host, and says the rate of both. */
function rowsOf(found: ReadonlyMap<number, Sample>): Row[] {
  const cost = found.get(1)
  const cores = availableParallelism()
  if (!cost) return []
  const predicted = sharedRate(cost, cores)
  return [...found].flatMap(([count, s]) => [
    {
      measure: `${count} host${count > 1 ? 's' : ''}: CPU of a task, host and worker / Postgres; WAL`,
      figure: `${s.app.toFixed(3)} / ${s.postgres.toFixed(3)} ms; ${s.wal.toFixed(2)} KB`,
      goal: '-',
      met: true,
    },
    {
      measure: `${count} host${count > 1 ? 's' : ''} on ${cores} cores that Postgres shares`,
      figure: `${whole(s.perSecond)} tasks/s, ${(s.perSecond / predicted).toFixed(2)} × the model's ${whole(predicted)}`,
      goal: '0.8 to 1.2 ×',
      met: s.perSecond / predicted >= 0.8 && s.perSecond / predicted <= 1.2,
    },
  ])
}
