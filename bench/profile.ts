// `npm run bench -- profile`: where the CPU of small and of large jobs goes, by process, function and SQL function.
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import type { Backends } from '../local/cloud.ts'
import { temporaryFolder } from '../local/temporary-folder.ts'
import type { Pool } from '../src/db/pool.ts'
import { type CpuProfile, selfTimes, type Spent } from './cpu-profile.ts'
import { type Row, withHost } from './measure.ts'
import { cpuSecondsOfTrees } from './process-cpu.ts'
import { helloWorld } from './stack.ts'

/** Of the profile: start and warming. */
const SKIPPED = 0.3
const TOP = 6

interface Work {
  readonly name: string
  /** What the figures are given for. */
  readonly per: string
  readonly units: number
  run(url: string, db: Pool): Promise<void>
}

const WORKS: readonly Work[] = [
  {
    name: '300 jobs of one task, one after the other',
    per: 'a job',
    units: 300,
    async run(url, db) {
      for (let i = 0; i < 300; i++) await helloWorld(url, db, 1, `profile ${i}`)
    },
  },
  {
    name: 'a job of 100,000 tasks',
    per: '1,000 tasks',
    units: 100,
    run: async (url, db) => void (await helloWorld(url, db, 50_000, 'profile')),
  },
]

export async function profile(backends: Backends, db: Pool): Promise<Row[]> {
  if (!backends.postgres) throw new Error('A profile needs a Postgres of its own: run it without DATABASE_URL.')
  const admin = new pg.Client({ connectionString: backends.postgres.url })
  await admin.connect()
  await admin.query(`ALTER SYSTEM SET track_functions = 'pl'`)
  await admin.query('SELECT pg_reload_conf()')
  try {
    const rows: Row[] = []
    for (const work of WORKS) rows.push(...(await profileOf(work, { backends, db, admin, pid: backends.postgres.keeperPid })))
    return rows
  } finally {
    await admin.end()
  }
}

interface Bench {
  readonly backends: Backends
  readonly db: Pool
  readonly admin: pg.Client
  readonly pid: number
}

async function profileOf({ name, per, units, run }: Work, { backends, db, admin, pid }: Bench): Promise<Row[]> {
  const folder = temporaryFolder('lamplighter-profile-')
  const row = (what: string, ms: number, top: readonly Spent[], count = units): Row => ({
    measure: `${name}: ${what}`,
    figure: `${(ms / count).toFixed(2)} ms ${per}: ${top.map((t) => `${t.name} ${(t.ms / count).toFixed(2)}`).join(', ')}`,
    goal: '-',
    met: true,
  })
  try {
    const cpu = await withHost(
      backends,
      async (url, host) => {
        for (let i = 0; i < 40; i++) await helloWorld(url, db, 20, `warm ${i}`)
        await admin.query('SELECT pg_stat_reset()')
        const roots = [[host.workerPid], [host.pid], [pid]] as const
        const before = roots.map((r) => cpuSecondsOfTrees(r))
        await run(url, db)
        return roots.map((r, i) => (cpuSecondsOfTrees(r) - (before[i] ?? 0)) * 1000)
      },
      { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${folder}` },
    )
    const [worker = 0, both = 0, postgres = 0] = cpu
    const found = await admin.query<{ name: string; ms: number }>(
      `SELECT funcname AS name, self_time AS ms FROM pg_stat_user_functions WHERE schemaname = 'app' ORDER BY self_time DESC LIMIT $1`,
      [TOP],
    )
    const [ofWorker, ofHost] = profiles(folder)
    return [
      row('worker', worker, shares(ofWorker, worker)),
      row('host', both - worker, shares(ofHost, both - worker)),
      row('Postgres, by self time of its functions', postgres, found.rows),
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Of worker and host: the worker is the one that has the app's code. */
function profiles(folder: string): [worker: Spent[], host: Spent[]] {
  const read = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as CpuProfile)
  const isWorker = (p: CpuProfile): boolean => p.nodes.some((n) => n.callFrame.url.endsWith('dist/app/main.js'))
  const of = (wanted: boolean): Spent[] => {
    const p = read.find((one) => isWorker(one) === wanted)
    return p ? selfTimes(p, SKIPPED) : []
  }
  return [of(true), of(false)]
}

/** The profile has warming in it, so that its shares are taken of the CPU that was measured. */
function shares(spent: readonly Spent[], ms: number): Spent[] {
  const all = spent.reduce((sum, s) => sum + s.ms, 0)
  return spent.slice(0, TOP).map((s) => ({ name: s.name, ms: (s.ms / all) * ms }))
}
