// `npm run bench -- growth`: cost against size, of each kind of size that grows in use, as plots with their exponents.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Backends } from '../local/cloud.ts'
import { temporaryFolder } from '../local/temporary-folder.ts'
import type { Pool } from '../src/db/pool.ts'
import { fillJobs } from './fill-tables.ts'
import { costOfInventory } from './inventory.ts'
import { exponentOf, lastExponentOf, logLogSvg, type Plot, type Point } from './log-log.ts'
import { callMs, median, type Row, whole, withHost } from './measure.ts'
import { cpuSecondsOfTrees } from './process-cpu.ts'
import { child, makeSource } from './raster.ts'
import { helloWorld, peakMb } from './stack.ts'
import { fillItems, searches } from './stac-search.ts'

/** What may grow faster than its size by this much is noise of small sizes and caches. */
const LINEAR = 1.1

interface Grown extends Plot {
  readonly file: string
  /** The largest exponent that is as meant: 1.1 for work on each, 0.2 for a page of many. */
  readonly most: number
  /** Megabytes by size, where the memory of the process that works is looked at, and their bound. */
  readonly memory?: { readonly points: readonly Point[]; readonly most: number }
}

/** @param only some of tasks, blobs, pixels, items, jobs; none: all */
export async function growth(backends: Backends, db: Pool, only: ReadonlySet<string>): Promise<Row[]> {
  const kinds = { tasks, blobs, pixels, items, jobs }
  const named = Object.entries(kinds).filter(([name]) => only.has(name))
  const grown: Grown[] = []
  for (const [, measure] of named.length > 0 ? named : Object.entries(kinds)) grown.push(await measure({ backends, db }))
  for (const plot of grown) writeFileSync(join('bench/growth', plot.file), logLogSvg(plot))
  return grown.flatMap(rowsOf)
}

function rowsOf({ title, series, most, memory }: Grown): Row[] {
  const exponents = series.map(({ name, points }): Row => {
    const [exponent, atEnd] = [exponentOf(points), lastExponentOf(points)]
    const [first, last] = [points[0], points.at(-1)] as [Point, Point]
    return {
      measure: `${title}, ${name}`,
      figure: `${exact(first[1])} at ${whole(first[0])}, ${exact(last[1])} at ${whole(last[0])}: exponent ${exponent.toFixed(2)}, at the end ${atEnd.toFixed(2)}`,
      goal: `≤ ${most}`,
      met: Math.max(exponent, atEnd) <= most,
    }
  })
  if (!memory) return exponents
  const mb = memory.points.map(([, v]) => Math.round(v))
  return [
    ...exponents,
    {
      measure: `${title}, memory`,
      figure: `${mb.join(', ')} MB`,
      goal: `≤ ${memory.most} MB`,
      met: Math.max(...mb) <= memory.most,
    },
  ]
}

const exact = (value: number): string => String(Number(value.toPrecision(3)))

interface Bench {
  readonly backends: Backends
  readonly db: Pool
}

async function tasks({ backends, db }: Bench): Promise<Grown> {
  if (!backends.postgres) throw new Error('Growth needs a Postgres of its own: run it without DATABASE_URL.')
  const pid = backends.postgres.keeperPid
  return withHost(backends, async (url, host) => {
    const roots = [host.pid, host.workerPid]
    for (let i = 0; i < 10; i++) await helloWorld(url, db, 500, `warm ${i}`)
    const app: Point[] = []
    const postgres: Point[] = []
    const wall: Point[] = []
    const memory: Point[] = []
    for (const n of [50, 500, 5000, 50_000]) {
      // Small ones often enough for a clock of 10 ms.
      const times = Math.max(1, Math.round(5000 / n))
      const before = [cpuSecondsOfTrees(roots), cpuSecondsOfTrees([pid])] as const
      let seconds = 0
      for (let i = 0; i < times; i++) seconds += await helloWorld(url, db, n, `growth ${n} ${i}`)
      app.push([2 * n, (cpuSecondsOfTrees(roots) - before[0]) / times])
      postgres.push([2 * n, (cpuSecondsOfTrees([pid]) - before[1]) / times])
      wall.push([2 * n, seconds / times])
      memory.push([2 * n, peakMb(host)])
    }
    return {
      file: 'tasks.svg',
      title: 'A job by its tasks',
      sizes: 'tasks in two stages',
      costs: 'seconds',
      series: [
        { name: 'wall', points: wall },
        { name: 'CPU of host and worker', points: app },
        { name: 'CPU of Postgres', points: postgres },
      ],
      most: LINEAR,
      memory: { points: memory, most: 400 },
    }
  })
}

async function blobs(): Promise<Grown> {
  const cpu: Point[] = []
  const memory: Point[] = []
  for (const n of [100, 1000, 10_000, 100_000, 1_000_000]) {
    const cost = await costOfInventory(n)
    cpu.push([n, cost.cpu])
    memory.push([n, cost.mb])
  }
  return {
    file: 'blobs.svg',
    title: 'An inventory by its blobs',
    sizes: 'blobs, level full, made up',
    costs: 'CPU seconds',
    series: [{ name: 'CPU', points: cpu }],
    most: LINEAR,
    memory: { points: memory, most: 256 },
  }
}

async function pixels(): Promise<Grown> {
  const folder = temporaryFolder('lamplighter-growth-')
  const cpu: Point[] = []
  const memory: Point[] = []
  try {
    for (const side of [1000, 2000, 5000, 10_000, 20_000]) {
      const file = join(folder, `${side}.tif`)
      makeSource(file, side, 'rgb')
      const cost = await child('bench/raster-child.ts', file, '{}')
      cpu.push([side * side, cost.cpu])
      memory.push([side * side, cost.rss])
      rmSync(file)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return {
    file: 'pixels.svg',
    title: 'A COG by its pixels',
    sizes: 'pixels, RGB, DEFLATE',
    costs: 'CPU seconds',
    series: [{ name: 'CPU', points: cpu }],
    most: LINEAR,
    memory: { points: memory, most: 256 },
  }
}

async function items({ db }: Bench): Promise<Grown> {
  await db.query('TRUNCATE app.stac_items')
  const search: Point[] = []
  const insert: Point[] = []
  let filled = 0
  for (const n of [1000, 10_000, 100_000, 1_000_000]) {
    const seconds = await fillItems(db, filled, n)
    insert.push([n, (seconds * 1000) / ((n - filled) / 1000)])
    filled = n
    await searches(db, 10)
    search.push([n, median(await searches(db, 10))])
  }
  await db.query('TRUNCATE app.stac_items')
  return {
    file: 'items.svg',
    title: 'A catalogue by its items',
    sizes: 'items',
    costs: 'milliseconds',
    series: [
      { name: 'newest 10 in a box of 10°, p50', points: search },
      { name: 'insert of 1,000', points: insert },
    ],
    most: 0.35,
  }
}

async function jobs({ backends, db }: Bench): Promise<Grown> {
  await db.query('TRUNCATE app.jobs CASCADE')
  return withHost(backends, async (url) => {
    const list: Point[] = []
    const status: Point[] = []
    const whole: Point[] = []
    let filled = 0
    for (const n of [10_000, 100_000, 1_000_000]) {
      for (; filled < n; filled += 10_000) await fillJobs(db, filled + 1, filled + 10_000)
      await db.query('VACUUM ANALYZE app.jobs')
      const took: number[] = []
      for (let i = 0; i < 20; i++) took.push((await helloWorld(url, db, 1, `among ${n}, ${i}`)) * 1000)
      whole.push([n, median(took)])
      const listed = await callMs(`${url}/api/monitor/jobs?status=failed&limit=50`)
      list.push([n, listed.ms])
      const [first] = await db.query<{ job_id: string }>('SELECT job_id FROM app.jobs ORDER BY created_at DESC LIMIT 1')
      status.push([n, (await callMs(`${url}/api/jobs/${first?.job_id}`)).ms])
    }
    await db.query('TRUNCATE app.jobs CASCADE')
    return {
      file: 'jobs.svg',
      title: 'A database by the jobs in it',
      sizes: 'ended jobs in the tables',
      costs: 'milliseconds',
      series: [
        { name: 'a job of one task, p50', points: whole },
        { name: 'list of failed jobs, a page', points: list },
        { name: 'status of a job', points: status },
      ],
      most: 0.2,
    }
  })
}
