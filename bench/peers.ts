// `npm run bench -- peers [--quick]`: the same work in other systems, interleaved with ours, on the same Postgres.
import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { buildApp } from '../local/build-app.ts'
import { type Backends, startHost } from '../local/cloud.ts'
import { ROOT } from '../local/data-home.ts'
import type { Pool } from '../src/db/pool.ts'
import { median, QUIET, type Row, whole, writeResults } from './measure.ts'
import { OURS, PEERS } from './peer-list.ts'
import { ourRunner, type Runner, startPeer } from './peer-process.ts'
import { type Cell, costTable, goalRows, type Kind, LIMIT_SECONDS, predict, type Sample, speedTable } from './peer-table.ts'
import { cpuSecondsOfTrees } from './process-cpu.ts'

const TASK_MS = 5
const JOBS_AT_ONCE = 50
const WARM_MS = 1500

type Size = Pick<Cell, 'kind' | 'n'>

/** What runs in one visit to a system; between two visits all others have their turn. */
interface Round {
  readonly repetitions: number
  readonly sizes: readonly Size[]
}

const SMALL: readonly Size[] = [
  { kind: 'empty', n: 1 },
  { kind: 'many', n: JOBS_AT_ONCE },
  { kind: 'empty', n: 100 },
  { kind: 'waiting', n: 100 },
  { kind: 'empty', n: 1000 },
  { kind: 'waiting', n: 1000 },
]
const both = (n: number): Size[] => (['empty', 'waiting'] as const).map((kind) => ({ kind, n }))

/** Small jobs are the noisy ones; a large one averages over its own minute. */
const FULL: readonly Round[] = [
  { repetitions: 3, sizes: SMALL },
  { repetitions: 1, sizes: both(10_000) },
  { repetitions: 1, sizes: both(100_000) },
]
const QUICK: readonly Round[] = [{ repetitions: 1, sizes: SMALL }]

interface Bench {
  readonly db: Pool
  readonly postgresPid: number
  readonly start: (name: string) => Promise<Runner>
  readonly cells: Map<string, { -readonly [K in keyof Cell]: Cell[K] } & { samples: Sample[] }>
}

/** Prints the tables and writes every sample; answers with the goals. */
export async function peers(backends: Backends, db: Pool, isQuick: boolean): Promise<Row[]> {
  if (!backends.postgres) throw new Error('The comparison needs a Postgres of its own: run it without DATABASE_URL.')
  await installPeers()
  await buildApp('dist/waiting-app', { main: 'bench/waiting-app/main.ts' })
  const urls = await databasesFor(backends.postgres.url)
  const start = (name: string): Promise<Runner> => {
    const peer = PEERS.find((p) => p.name === name)
    return peer ? startPeer(peer, urls.get(name) ?? '') : startOurs(backends, db)
  }
  const bench: Bench = { db, postgresPid: backends.postgres.keeperPid, start, cells: new Map() }
  for (const { repetitions, sizes } of isQuick ? QUICK : FULL)
    for (let repetition = 0; repetition < repetitions; repetition++)
      for (const name of [OURS, ...PEERS.map((p) => p.name)]) await visit(bench, name, sizes)
  const cells = [...bench.cells.values()]
  console.log(`\nTasks that do nothing:\n\n${speedTable(cells, ['empty', 'many'])}`)
  console.log(`\nTasks of ${TASK_MS} ms:\n\n${speedTable(cells, ['waiting'])}`)
  console.log(`\n${costTable(cells, 1000)}\n`)
  const rows = goalRows(cells)
  writeResults('peers-', { cells, rows })
  return rows
}

/** `npm ci` where the lock file says something else than what is installed. */
async function installPeers(): Promise<void> {
  const folder = join(ROOT, 'bench/peers')
  const [wanted, installed] = await Promise.all(
    ['package-lock.json', 'node_modules/.package-lock.json'].map((file) =>
      readFile(join(folder, file), 'utf8').then(
        (text) => (JSON.parse(text) as { packages: Record<string, { version?: string; optional?: boolean }> }).packages,
        () => undefined,
      ),
    ),
  )
  const isFresh =
    wanted &&
    installed &&
    Object.entries(wanted).every(([path, p]) => path === '' || p.optional || installed[path]?.version === p.version)
  if (isFresh) return
  console.log('Installing the peers: npm ci in bench/peers')
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'inherit' })
  if (status !== 0) throw new Error('The peers could not be installed: see what npm said above.')
}

/** An empty database for each peer, on the server that ours uses. */
async function databasesFor(serverUrl: string): Promise<Map<string, string>> {
  const client = new pg.Client({ connectionString: serverUrl })
  await client.connect()
  const urls = new Map<string, string>()
  for (const [i, { name }] of PEERS.entries()) {
    await client.query(`CREATE DATABASE peer_${i}`)
    const url = new URL(serverUrl)
    url.pathname = `/peer_${i}`
    urls.set(name, url.href)
  }
  await client.end()
  return urls
}

async function startOurs(backends: Backends, db: Pool): Promise<Runner> {
  const host = await startHost(backends, { folder: join(ROOT, 'dist/waiting-app'), port: 0, env: QUIET })
  return { ...ourRunner(host.url, host, db), stop: () => host.stop() }
}

/** Starts a system, warms it, measures the sizes. One that cannot start or fails is noted in its cells and in the exit code; the others go on. */
async function visit(bench: Bench, name: string, sizes: readonly Size[]): Promise<void> {
  const due = sizes.filter((size) => isDue(bench, name, size))
  if (due.length === 0) return
  let runner: Runner | undefined
  let failing: readonly Size[] = due
  try {
    runner = await bench.start(name)
    await warm(runner)
    await runner.check()
    for (const size of due) {
      failing = [size]
      const sample = await measure(bench, runner, size)
      await runner.check()
      cellOf(bench, name, size).samples.push(sample)
      console.log(`${name}, ${size.kind} ${whole(size.n)}: ${sample.seconds.toFixed(3)} s`)
    }
  } catch (error) {
    const note = `failed: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`
    console.error(error)
    process.exitCode = 1
    for (const size of failing) cellOf(bench, name, size).note ??= note
  } finally {
    await runner?.stop()
  }
}

/** Code that was compiled, connections that are open and statements that were planned on each, in every system alike. */
async function warm(runner: Runner): Promise<void> {
  await runner.run(100, 0, 3)
  for (let i = 0; i < 3; i++) await runner.many(JOBS_AT_ONCE)
  for (const until = performance.now() + WARM_MS; performance.now() < until;) await runner.run(1, 0, 1)
}

function cellOf(
  { cells }: Bench,
  name: string,
  { kind, n }: Size,
): { samples: Sample[]; note?: string | undefined; predicted?: number | undefined } {
  const key = `${name} ${kind} ${n}`
  const cell = cells.get(key) ?? { name, kind, n, samples: [] }
  cells.set(key, cell)
  return cell
}

/** False, and noted, where it failed before or would take longer than a cell may. */
function isDue(bench: Bench, name: string, { kind, n }: Size): boolean {
  const cell = cellOf(bench, name, { kind, n })
  if (cell.note) return false
  const smaller = kind === 'many' ? undefined : bench.cells.get(`${name} ${kind} ${n / 10}`)
  // Its process was stopped at another size, so that there is no figure of a tenth either.
  if (smaller?.note?.startsWith('failed') || (smaller && smaller.samples.length === 0 && smaller.predicted === undefined)) {
    cell.note = `not run: stopped at n = ${whole(n / 10)}`
    return false
  }
  const seconds = smaller && predict([smaller], { name, kind, n })
  if (seconds === undefined || seconds <= LIMIT_SECONDS) return true
  cell.predicted = seconds
  cell.note = `not run: ${whole(seconds)} s at its rate of n = ${whole(n / 10)}`
  return false
}

/** One sample; a job of one task is asked several times, and its median taken. */
async function measure(bench: Bench, runner: Runner, { kind, n }: Size): Promise<Sample> {
  const before = await counters(bench, runner)
  const seconds =
    kind === 'many' ? [await runner.many(n)] : await runner.run(n, taskMsOf(kind), n === 1 ? await timesOf(runner) : 1)
  const after = await counters(bench, runner)
  const per = (key: keyof typeof after): number => (after[key] - before[key]) / seconds.length
  return { seconds: median(seconds), cpu: per('cpu'), postgresCpu: per('postgresCpu'), writes: per('writes'), wal: per('wal') }
}

const taskMsOf = (kind: Kind): number => (kind === 'waiting' ? TASK_MS : 0)

/** As many jobs of one task as fit in five seconds: three to thirty. */
async function timesOf(runner: Runner): Promise<number> {
  const [seconds = 1] = await runner.run(1, 0, 1)
  return Math.max(3, Math.min(30, Math.floor(5 / seconds)))
}

async function counters({ db, postgresPid }: Bench, { pids }: Runner): Promise<Omit<Sample, 'seconds'>> {
  // Transactions that wrote took an id; those that only read did not.
  const [row] = await db.query<{ writes: string; wal: string }>(
    `SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS writes, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::text AS wal`,
  )
  return {
    cpu: cpuSecondsOfTrees(pids),
    postgresCpu: cpuSecondsOfTrees([postgresPid]),
    writes: Number(row?.writes),
    wal: Number(row?.wal),
  }
}
