// `npm run bench [-- sql stack fairness host]`, `-- inline`, `-- containers`, `-- globs`, `-- listing`, `-- eta`, `-- inventory`, `-- stac`, `-- monitor`,
// `-- peers [--quick]`, `-- scaling`, `-- growth`, `-- large-database`, `-- profile`, `-- soak <minutes>`, `-- monitor-hour <minutes>`:
// figures, goals and ratios; writes bench/results/*.json.
import { rmSync } from 'node:fs'
import { type Backends, startBackends } from '../local/cloud.ts'
import { temporaryFolder } from '../local/temporary-folder.ts'
import { openPool, type Pool } from '../src/db/pool.ts'
import { containers } from './containers.ts'
import { recordCompletions } from './eta.ts'
import { hostileGlobs } from './globs.ts'
import { growth } from './growth.ts'
import { activities, idleShare, openHost, roundTrips } from './host.ts'
import { millionBlobs } from './inventory.ts'
import { largeDatabase } from './large-database.ts'
import { listingPages } from './listing.ts'
import { median, type Row, whole, withHost, writeResults } from './measure.ts'
import { monitorHour } from './monitor-hour.ts'
import { monitorPage } from './monitor.ts'
import { peers } from './peers.ts'
import { profile } from './profile.ts'
import { rasterJobs } from './raster-tiles.ts'
import { rasters } from './raster.ts'
import { scaling } from './scaling.ts'
import { stacSearch } from './stac-search.ts'
import { soak } from './soak.ts'
import { sqlCore } from './sql-core.ts'
import { fairness, helloWorld, residentMb } from './stack.ts'
import { prepareStartingDesign, startingDesign } from './starting-design.ts'

const REPETITIONS = 3
const quantile = (values: readonly number[], q: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? Number.NaN

async function benchSql(db: Pool): Promise<Row[]> {
  const figures = new Map<string, number[]>()
  const note = (name: string, value: number): void => void figures.set(name, [...(figures.get(name) ?? []), value])
  await prepareStartingDesign(db)
  // Repetition outermost, designs interleaved: noise of the machine hits both.
  for (let run = 0; run < REPETITIONS; run++) {
    for (const n of [1000, 10_000, 100_000]) {
      const core = await sqlCore(db, n)
      note(`core ${n}`, core.perSecond)
      note(`plan ${n}`, core.planPerSecond)
      note(`commits ${n}`, core.commits)
      note(`wal ${n}`, core.wal)
      // Its cost is quadratic: 10,000 tasks take more than a minute, so once has to do.
      if (n === 1000 || (n === 10_000 && run === 0)) note(`old ${n}`, await startingDesign(db, n, `${n}-${run}`))
    }
  }
  const get = (name: string): number => median(figures.get(name) ?? [])
  const row = (n: number, goal: string, met: boolean): Row => ({
    measure: `SQL core, n = ${whole(n)}`,
    figure: `${whole(get(`core ${n}`))} tasks/s`,
    goal,
    met,
  })
  const ratio = (n: number): number => get(`core ${n}`) / get(`old ${n}`)
  return [
    ...[1000, 10_000].map((n) => ({
      measure: `starting design, n = ${whole(n)}`,
      figure: `${whole(get(`old ${n}`))} tasks/s`,
      goal: '-',
      met: true,
    })),
    row(1000, '-', true),
    row(10_000, '≥ 12,000', get('core 10000') >= 12_000),
    row(100_000, '≥ 12,000', get('core 100000') >= 12_000),
    {
      measure: 'SQL core against the starting design, n = 1,000',
      figure: `${ratio(1000).toFixed(1)} ×`,
      goal: '≥ 15 ×',
      met: ratio(1000) >= 15,
    },
    {
      measure: 'SQL core against the starting design, n = 10,000',
      figure: `${ratio(10_000).toFixed(0)} ×`,
      goal: '-',
      met: true,
    },
    {
      measure: 'time per task, n = 100,000 against 1,000',
      figure: `${(get('core 1000') / get('core 100000')).toFixed(2)} ×`,
      goal: '≤ 1.5 ×',
      met: get('core 1000') / get('core 100000') <= 1.5,
    },
    {
      measure: 'commits per task, n = 1,000',
      figure: get('commits 1000').toFixed(3),
      goal: '≤ 0.1',
      met: get('commits 1000') <= 0.1,
    },
    {
      measure: 'WAL per task, n = 100,000',
      figure: `${(get('wal 100000') / 1024).toFixed(2)} KB`,
      goal: '≤ 1.2 KB',
      met: get('wal 100000') <= 1.2 * 1024,
    },
    { measure: 'planning, n = 100,000', figure: `${whole(get('plan 100000'))} tasks/s`, goal: '-', met: true },
  ]
}

/** Jobs of each size in one repetition: small ones are the noisy ones. */
const STACK_SIZES = [
  [1, 20],
  [100, 10],
  [1000, 4],
  [10_000, 1],
  [100_000, 1],
] as const

async function benchStack(backends: Backends, db: Pool): Promise<Row[]> {
  return withHost(backends, async (url, host) => {
    const first = await helloWorld(url, db, 1, 'first')
    // Code that was compiled and statements that were planned, as with the peers.
    for (const n of [1, 100, 1000]) for (let i = 0; i < 20; i++) await helloWorld(url, db, n, `warm ${n} ${i}`)
    const seconds = new Map<number, number[]>()
    let peak = 0
    for (let run = 0; run < REPETITIONS; run++) {
      for (const [n, times] of STACK_SIZES) {
        for (let i = 0; i < times; i++)
          seconds.set(n, [...(seconds.get(n) ?? []), await helloWorld(url, db, n, `run ${run} ${i}`)])
        peak = Math.max(peak, residentMb(host))
      }
    }
    const get = (n: number): number => median(seconds.get(n) ?? [])
    const p95 = quantile(seconds.get(1) ?? [], 0.95)
    const ms = (s: number): string => `${Math.round(s * 1000)} ms`
    const rate = (n: number, goal: number): Row => ({
      measure: `hello_world, n = ${whole(n)} (${whole(2 * n)} tasks)`,
      figure: `${get(n).toFixed(2)} s, ${whole((2 * n) / get(n))} tasks/s`,
      goal: goal ? `≥ ${whole(goal)} tasks/s` : '-',
      met: (2 * n) / get(n) >= goal,
    })
    return [
      { measure: 'hello_world, n = 1, the first job of a host', figure: ms(first), goal: '-', met: true },
      {
        measure: 'hello_world, n = 1, p50 / p95 of 60',
        figure: `${ms(get(1))} / ${ms(p95)}`,
        goal: '≤ 10 / 20 ms',
        met: get(1) <= 0.01 && p95 <= 0.02,
      },
      rate(100, 0),
      rate(1000, 12_000),
      rate(10_000, 0),
      rate(100_000, 20_000),
      { measure: 'memory of host and worker after each job, most', figure: `${peak} MB`, goal: '≤ 400 MB', met: peak <= 400 },
    ]
  })
}

async function benchFairness(backends: Backends, db: Pool): Promise<Row[]> {
  const waits = await withHost(backends, (url) => fairness(url, db, 100_000, 'fair'))
  const p95 = quantile(waits, 0.95)
  return [
    {
      measure: 'a job of one task while three of 100,000 run, p50 / p95 of 20',
      figure: `${median(waits).toFixed(2)} s / ${p95.toFixed(2)} s`,
      goal: 'p95 ≤ 5 s',
      met: p95 <= 5,
    },
  ]
}

const CPU_GOALS: readonly [n: number, cpu: number][] = [
  [1000, 0.7],
  [10_000, 5],
  [100_000, 48],
]

/** @param inline user code in this process; run it alone, its memory is this process's */
async function benchHost(inline: boolean): Promise<Row[]> {
  const rows: Row[] = []
  const perTask: number[] = []
  const host = await openHost(inline)
  const where = inline ? 'in one process' : 'forked worker'
  await activities(host, 500)
  for (const [n, limit] of CPU_GOALS) {
    const { cpu, seconds, mb } = await activities(host, n)
    const goal = inline ? limit : 2 * limit
    perTask.push(cpu / n)
    rows.push({
      measure: `host alone: ${whole(n)} activities, ${where}`,
      figure: `${cpu.toFixed(2)} CPU-s, ${seconds.toFixed(2)} s, ${mb} MB`,
      goal: `≤ ${goal} CPU-s, ≤ 600 MB`,
      met: cpu <= goal && mb <= 600,
    })
  }
  const ratio = (perTask.at(-1) ?? 0) / (perTask[0] ?? 1)
  const measure = `CPU per activity, 100,000 against 1,000, ${where}`
  rows.push({ measure, figure: `${ratio.toFixed(2)} ×`, goal: '≤ 1.3 ×', met: ratio <= 1.3 })
  if (!inline) rows.push(...(await benchQuietHost(host)))
  await host.stop()
  return rows
}

async function benchQuietHost(host: Awaited<ReturnType<typeof openHost>>): Promise<Row[]> {
  const p50 = median(await roundTrips(host, 200))
  const idle = 100 * (await idleShare(host, 20))
  const trip = {
    measure: 'one activity from start to answer, p50 of 200',
    figure: `${p50.toFixed(1)} ms`,
    goal: '≤ 8 ms',
    met: p50 <= 8,
  }
  return [trip, { measure: 'host and worker idle', figure: `${idle.toFixed(2)} % of a core`, goal: '≤ 1 %', met: idle <= 1 }]
}

async function benchSoak(backends: Backends, db: Pool, minutes: number): Promise<Row[]> {
  const { jobs, tasks, memory } = await withHost(backends, (_url, host) => soak(host, db, minutes))
  const quarter = Math.ceil(memory.length / 4)
  const [second, last] = [median(memory.slice(quarter, 2 * quarter)), median(memory.slice(-quarter))]
  return [
    {
      measure: `${minutes} minutes of mixed load: ${whole(jobs)} jobs, ${whole(tasks)} tasks`,
      figure: `${second} MB in the second quarter, ${last} MB in the last`,
      goal: '≤ 1.1 ×',
      met: last <= 1.1 * second,
    },
  ]
}

const wanted = new Set(process.argv.slice(2))
const home = temporaryFolder('lamplighter-bench-')
const backends = await startBackends({ home, env: {} })
const db = openPool({ connectionString: backends.ownerUrl, max: 30 })
const rows: Row[] = []
try {
  const all = wanted.size === 0
  if (all || wanted.has('sql')) rows.push(...(await benchSql(db)))
  if (all || wanted.has('stack')) rows.push(...(await benchStack(backends, db)))
  if (wanted.has('peers')) rows.push(...(await peers(backends, db, wanted.has('--quick'))))
  if (wanted.has('scaling')) rows.push(...(await scaling(backends, db)))
  if (wanted.has('containers')) rows.push(...(await containers(backends, db)))
  if (wanted.has('raster')) {
    rows.push(...(await rasters(10_000)))
    rows.push(...(await rasterJobs(backends, 10_000)))
  }
  if (wanted.has('profile')) rows.push(...(await profile(backends, db)))
  if (wanted.has('growth')) rows.push(...(await growth(backends, db, wanted)))
  if (wanted.has('large-database')) rows.push(...(await largeDatabase(backends, db)))
  if (wanted.has('listing')) rows.push(...(await listingPages()))
  if (wanted.has('globs')) rows.push(...(await hostileGlobs(backends)))
  if (wanted.has('stac')) rows.push(...(await stacSearch(db, 1_000_000)))
  if (wanted.has('inventory')) rows.push(...(await millionBlobs(1_000_000)))
  if (wanted.has('eta')) rows.push(...(await recordCompletions(backends, db)))
  if (all || wanted.has('fairness')) rows.push(...(await benchFairness(backends, db)))
  if (all || wanted.has('host')) rows.push(...(await benchHost(false)))
  if (wanted.has('inline')) rows.push(...(await benchHost(true)))
  const minutes = [...wanted].map(Number).find((n) => n > 0) ?? 30
  if (wanted.has('monitor')) rows.push(...(await monitorPage(backends, db)))
  if (wanted.has('monitor-hour')) rows.push(...(await monitorHour(backends, minutes)))
  if (wanted.has('soak')) rows.push(...(await benchSoak(backends, db, minutes)))
} finally {
  await db.end()
  await backends.stop()
  rmSync(home, { recursive: true, force: true })
}
console.log('| measure | figure | goal | |\n| --- | --- | --- | --- |')
for (const r of rows)
  console.log(`| ${r.measure} | ${r.figure} | ${r.goal} | ${r.goal === '-' ? '' : r.met ? 'met' : 'missed'} |`)
if (rows.length > 0) writeResults('', rows)
