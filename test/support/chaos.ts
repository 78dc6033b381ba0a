// Chaos: random kills of host, worker and Postgres, and storage that fails, breaks off or is slow, under a mixed load; then an audit.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { BlobServiceClient } from '@azure/storage-blob'
import { CONTAINERS, startHost } from '../../local/cloud.ts'
import { seeded } from 'functions-host/durable'
import type { HostProcess } from 'functions-host'
import { type LocalPostgres, startPostgres } from '../../local/postgres.ts'
import { ROOT } from '../../local/data-home.ts'
import { prepareDatabase, roleUrls } from '../../local/database-roles.ts'
import { openPool, type Pool } from '../../src/db/pool.ts'
import { type StorageProxy, startStorageProxy } from './storage-proxy.ts'
import { startTcpRelay, type TcpRelay } from './tcp-relay.ts'

export interface ChaosOrder {
  /** Blob storage that itself stays up: an emulator loses its newest blobs when it is killed, which a real service does not. */
  readonly storage: string
  /** For the data of a Postgres of its own. */
  readonly folder: string
  readonly seed: number
  /** Disturbances; each comes after some of the load was submitted. */
  readonly disturbances: number
  /** Or: go on for so long. */
  readonly minutes?: number
  readonly log: (line: string) => void
  /** File descriptor for what its hosts print. */
  readonly output?: number
}

export interface ChaosReport {
  readonly jobs: number
  readonly disturbances: Readonly<Record<string, number>>
  /** Jobs that used up their tries during an outage and were retried once by their operator. */
  readonly retried: number
  /** Empty, or what is wrong. */
  readonly violations: readonly string[]
}

const FILES = 60
/** A caller waits a little before it asks again. */
const PATIENCE_MS = 100
const KINDS = ['host', 'worker', 'postgres', 'storage down', 'storage cut', 'storage slow', 'network cut'] as const

/** Runs the load under disturbances, heals everything, waits for every job, and audits what the database holds. */
export async function chaos(order: ChaosOrder): Promise<ChaosReport> {
  const world = await World.start(order)
  try {
    await world.run()
    return await world.audit()
  } finally {
    await world.stop()
  }
}

interface Wanted {
  readonly type: string
  readonly parameters: Record<string, unknown>
  /** Members of the result that are known beforehand. */
  readonly result: Record<string, unknown>
}

class World {
  readonly #order: ChaosOrder
  readonly #random: () => number
  readonly #proxy: StorageProxy
  /** The way to Postgres, which comes back on another port after a crash. */
  readonly #relay: TcpRelay
  #postgres: LocalPostgres
  #host: HostProcess
  #db: Pool
  readonly #wanted = new Map<string, Wanted>()
  readonly #done: Record<string, number> = {}
  #kinds: (typeof KINDS)[number][] = []

  private constructor(order: ChaosOrder, proxy: StorageProxy, relay: TcpRelay, postgres: LocalPostgres, host: HostProcess) {
    this.#order = order
    this.#random = seeded(order.seed)
    this.#proxy = proxy
    this.#relay = relay
    this.#postgres = postgres
    this.#host = host
    this.#db = openPool({ connectionString: postgres.url, max: 3 })
  }

  static async start(order: ChaosOrder): Promise<World> {
    const service = BlobServiceClient.fromConnectionString(order.storage)
    for (const name of CONTAINERS) await service.getContainerClient(name).createIfNotExists()
    const files = service.getContainerClient(containerOf(order.seed))
    await files.createIfNotExists()
    await Promise.all(Array.from({ length: FILES }, (_, i) => files.getBlockBlobClient(`d${i % 5}/f${i}.tif`).upload('x', 1)))
    const proxy = await startStorageProxy(order.storage)
    const postgres = await startPostgres({ folder: order.folder, fsync: false })
    await prepareDatabase(postgres.url, ROOT)
    const relay = await startTcpRelay(postgres.port)
    return new World(order, proxy, relay, postgres, await startOn(throughRelay(postgres, relay), proxy, order))
  }

  async run(): Promise<void> {
    const { disturbances, minutes } = this.#order
    const until = minutes === undefined ? undefined : performance.now() + minutes * 60_000
    for (let round = 0; until === undefined ? round < disturbances : performance.now() < until; round++) {
      const before = await this.#handedOut()
      for (const wanted of this.#load(round)) this.#wanted.set(await this.#submit(wanted), wanted)
      // A random moment of the load: after so many more tasks were handed out, or when nothing is left to do.
      const least = before + Math.floor(this.#random() * 6000)
      while ((await this.#handedOut()) < least && (await this.#running()) > 0);
      const kind = this.#nextKind()
      this.#done[kind] = (this.#done[kind] ?? 0) + 1
      this.#order.log(`${round + 1}: ${kind}, ${this.#wanted.size} jobs so far`)
      await this.#disturb(kind)
    }
    this.#heal()
  }

  /** All kinds in a random order, then again in another one: a short run meets as many as it can. */
  #nextKind(): (typeof KINDS)[number] {
    if (this.#kinds.length === 0) this.#kinds = [...KINDS]
    const [kind] = this.#kinds.splice(Math.floor(this.#random() * this.#kinds.length), 1)
    return kind ?? 'host'
  }

  /** Mixed jobs; the round is in their parameters, so that each is another job. */
  #load(round: number): Wanted[] {
    const mark = `${this.#order.seed}/${round}`
    const container = containerOf(this.#order.seed)
    const hello = (n: number): Wanted => ({
      type: 'hello_world',
      parameters: { n, name: `${mark}/${n}` },
      result: { greetings: n, replies: n },
    })
    const metadata_level = round % 2 === 0 ? 'full' : 'standard'
    return [
      ...[1, 60, 2500].map(hello),
      {
        type: 'list_container',
        parameters: { container, metadata_level, max_files: 1000 + round },
        result: { successful: FILES, failed: 0 },
      },
      {
        type: 'inventory_container',
        parameters: { container, label: `${this.#order.seed}-${round}` },
        result: { blob_count: FILES },
      },
    ]
  }

  async #disturb(kind: (typeof KINDS)[number]): Promise<void> {
    this.#heal()
    if (kind === 'host') {
      await this.#host.kill()
      this.#host = await startOn(throughRelay(this.#postgres, this.#relay), this.#proxy, this.#order)
    } else if (kind === 'worker') process.kill(this.#host.workerPid, 'SIGKILL')
    else if (kind === 'postgres') await this.#crashPostgres()
    else if (kind === 'network cut') {
      this.#proxy.cutAll()
      this.#relay.cutAll()
    } else if (kind === 'storage down') this.#proxy.fault = () => ({ status: 503, code: 'ServerBusy' })
    else if (kind === 'storage cut')
      this.#proxy.fault = () => (this.#random() < 0.3 ? { cutAfter: Math.floor(this.#random() * 2000) } : undefined)
    else this.#proxy.wait = () => this.#random() * 300
  }

  #heal(): void {
    this.#proxy.fault = () => undefined
    this.#proxy.wait = () => 0
  }

  /** The whole server with -9; what it had not written is replayed from its log at the next start. */
  async #crashPostgres(): Promise<void> {
    const { dataFolder, ended } = this.#postgres
    process.kill(Number(readFileSync(join(dataFolder, 'pgdata', 'postmaster.pid'), 'utf8').split('\n')[0]), 'SIGKILL')
    await ended
    await this.#db.end()
    this.#postgres = await startPostgres({ folder: this.#order.folder, fsync: false })
    this.#relay.target = this.#postgres.port
    this.#db = openPool({ connectionString: this.#postgres.url, max: 3 })
  }

  /** A caller asks until it is answered: the same parameters are the same job, however often they arrive. */
  async #submit({ type, parameters }: Wanted): Promise<string> {
    for (;;) {
      try {
        const answer = await this.#fetch('POST', `/api/jobs/submit/${type}`, parameters)
        if (answer.status === 202 || answer.status === 200) return ((await answer.json()) as { job_id: string }).job_id
        if (answer.status < 500) throw new Refused(`${type}: ${answer.status} ${await answer.text()}`)
        // An outage that stops submissions is over when a caller has been told of it.
        this.#heal()
        await sleep(PATIENCE_MS)
      } catch (error) {
        if (error instanceof Refused) throw error
        await sleep(PATIENCE_MS)
      }
    }
  }

  #fetch(method: string, path: string, body?: object): Promise<Response> {
    return fetch(`${this.#host.url}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
  }

  /** By the counters of the stages: counting millions of tasks would be a disturbance of its own. */
  async #handedOut(): Promise<number> {
    return this.#number(`SELECT coalesce(sum(claim_cursor), 0)::int AS n FROM app.stages`)
  }
  async #running(): Promise<number> {
    return this.#number(`SELECT count(*)::int AS n FROM app.jobs WHERE status IN ('queued', 'processing')`)
  }
  async #number(sql: string): Promise<number> {
    return (await this.#db.query<{ n: number }>(sql))[0]?.n ?? 0
  }

  async audit(): Promise<ChaosReport> {
    while ((await this.#running()) > 0);
    const bad = await this.#db.query<{ job_id: string }>(`SELECT job_id FROM app.jobs WHERE status <> 'completed'`)
    // Resumable: what gave up during an outage ends well when its operator retries it.
    for (const { job_id } of bad) {
      const answer = await this.#fetch('POST', `/api/jobs/${job_id}/retry`, { reason: 'the outage is over' })
      if (!answer.ok) this.#order.log(`retry of ${job_id}: ${answer.status} ${await answer.text()}`)
    }
    while ((await this.#running()) > 0);
    const violations = [...(await this.#wrongJobs()), ...(await this.#wrongRows())]
    return { jobs: this.#wanted.size, disturbances: this.#done, retried: bad.length, violations }
  }

  async #wrongJobs(): Promise<string[]> {
    const rows = await this.#db.query<{
      job_id: string
      status: string
      error_code: string | null
      result_data: Record<string, unknown> | null
    }>('SELECT job_id, status, error_code, result_data FROM app.jobs')
    const byId = new Map(rows.map((row) => [row.job_id, row]))
    return [...this.#wanted].flatMap(([id, { type, result }]) => {
      const row = byId.get(id)
      if (!row) return [`${type} ${id} is not in the database`]
      if (row.status !== 'completed') return [`${type} ${id} is ${row.status} (${row.error_code})`]
      const wrong = Object.entries(result).filter(([key, value]) => row.result_data?.[key] !== value)
      return wrong.map(
        ([key, value]) =>
          `${type} ${id}: ${key} is ${JSON.stringify(row.result_data?.[key])} instead of ${JSON.stringify(value)}`,
      )
    })
  }

  /** Each query finds what may not be. */
  async #wrongRows(): Promise<string[]> {
    const found: string[] = []
    for (const [what, sql] of Object.entries(NEVER)) {
      const n = await this.#number(`SELECT count(*)::int AS n FROM (${sql}) x`)
      if (n > 0) found.push(`${what}: ${n}`)
    }
    return found
  }

  async stop(): Promise<void> {
    this.#heal()
    await this.#host.stop()
    await this.#db.end()
    await this.#postgres.stop()
    await this.#relay.close()
    await this.#proxy.close()
  }
}

class Refused extends Error {}

const NEVER: Readonly<Record<string, string>> = {
  'leases that live on': `SELECT 1 FROM app.tasks WHERE lease_until > now()`,
  'open tasks of ended jobs': `SELECT 1 FROM app.tasks t JOIN app.stages s USING (stage_id) JOIN app.jobs j USING (job_id)
    WHERE s.retired_at IS NULL AND j.finished_at IS NOT NULL AND t.finished_at IS NULL`,
  'stages whose counts differ from their tasks': `SELECT 1 FROM app.stages s
    WHERE s.retired_at IS NULL AND s.status = 'closed' AND (s.expected, s.completed) IS DISTINCT FROM
      (SELECT (count(*)::int, (count(*) FILTER (WHERE t.status = 'completed'))::int) FROM app.tasks t WHERE t.stage_id = s.stage_id)`,
  'stages with gaps in their task numbers': `SELECT 1 FROM app.stages s JOIN app.tasks t USING (stage_id)
    GROUP BY s.stage_id HAVING max(t.task_no) <> count(*) OR min(t.task_no) <> 1`,
  'stages closed more than once in an attempt': `SELECT 1 FROM app.job_events WHERE event = 'stage.closed'
    GROUP BY job_id, data->>'stage', data->>'attempt' HAVING count(*) > 1`,
  'jobs finished more than once in an attempt': `SELECT 1 FROM app.job_events WHERE event = 'job.finished'
    GROUP BY job_id, data->>'attempt' HAVING count(*) > 1`,
  'tasks without a stage': `SELECT 1 FROM app.tasks t WHERE NOT EXISTS (SELECT FROM app.stages s WHERE s.stage_id = t.stage_id)`,
  'stages without a job': `SELECT 1 FROM app.stages s WHERE NOT EXISTS (SELECT FROM app.jobs j WHERE j.job_id = s.job_id)`,
  'completed tasks without a result': `SELECT 1 FROM app.tasks WHERE status = 'completed' AND result_data IS NULL`,
}

const containerOf = (seed: number): string => `chaos-${seed}`

function throughRelay({ url }: LocalPostgres, { port }: TcpRelay): string {
  const through = new URL(roleUrls(url).app)
  through.port = String(port)
  return through.href
}

function startOn(databaseUrl: string, proxy: StorageProxy, { seed, output }: ChaosOrder): Promise<HostProcess> {
  return startHost(
    { databaseUrl, storage: proxy.connectionString },
    {
      port: 0,
      graceMs: 5000,
      seed,
      ...(output === undefined ? {} : { output }),
      env: {
        ALLOWED_CONTAINERS: `bronze,${containerOf(seed)}`,
        LOG_LEVEL: 'error',
        AzureFunctionsJobHost__logging__logLevel__Function: 'None',
        LEASE_SECONDS: '3',
        MAX_JOBS_PER_CALLER: '100000',
        PG_POOL_MAX: '10',
        BREAKER_COOLDOWN_SECONDS: '2',
      },
    },
  )
}
