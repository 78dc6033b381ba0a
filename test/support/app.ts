// The running app for tests: a host of its own on a database of its own, spoken to over HTTP only.
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob'
import { randomUUID } from 'node:crypto'
import { inject } from 'vitest'
import { CONTAINERS, startHost } from '../../local/cloud.ts'
import type { HostProcess } from 'functions-host'
import { createDatabase, type TestDatabase } from './db.ts'
import { keptOutput, tellingOutput, until } from 'functions-host/testing'

export interface JobDocument {
  readonly job_id: string
  readonly job_type: string
  readonly status: string
  readonly attempt: number
  readonly stage: number
  readonly runtime_status: string | null
  readonly drift?: string
  readonly stages: readonly {
    stage: number
    name: string
    outcome: string | null
    expected: number
    completed: number
    failed: number
    skipped: number
    summary: unknown
  }[]
  readonly progress: { percent: number; done: number; total: number; estimated: boolean; eta?: string | null; reason?: string }
  readonly result: Record<string, unknown> | null
  readonly error: { code: string; details: string } | null
  readonly links: Record<string, string>
}

export interface Submitted {
  readonly job_id: string
  readonly status: string
  readonly created: boolean
  readonly attempt: number
  readonly parameters: Record<string, unknown>
  readonly links: Record<string, string>
}

export interface TestApp {
  host: HostProcess
  readonly database: TestDatabase
  readonly env: Record<string, string>
  get(path: string): Promise<{ status: number; body: any; headers: Headers }>
  send(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: any; headers: Headers }>
  submit(type: string, parameters?: object, query?: string): Promise<Submitted>
  /** Waits for an end of the job, or for the given status. */
  waitForJob(id: string, status?: string): Promise<JobDocument>
  /** A new container that this app may be asked about. */
  container(): Promise<ContainerClient>
  restart(): Promise<void>
  stop(): Promise<void>
}

const ENDED = new Set(['completed', 'completed_with_errors', 'failed', 'cancelled'])
/** Names made ahead, because the allow-list is read once. */
const POOL = 12

export interface AppOptions {
  readonly folder?: string
  readonly seed?: number
  readonly env?: Record<string, string>
  /** Connection string of the data account, e.g. through a proxy. */
  readonly storage?: string
  /** Of a migrated database, e.g. through a pooler; its rows are looked at elsewhere. */
  readonly databaseUrl?: string
  /** The app may migrate: it knows the owner of its database. */
  readonly owner?: boolean
}

export async function startApp(options: AppOptions = {}): Promise<TestApp> {
  const database = await createDatabase()
  const storage = inject('storage')
  const service = BlobServiceClient.fromConnectionString(storage)
  await Promise.all(CONTAINERS.map((name) => service.getContainerClient(name).createIfNotExists()))
  const names = Array.from({ length: POOL }, () => `t-${randomUUID().slice(0, 18)}`)
  const env = {
    ALLOWED_CONTAINERS: ['bronze', 'silver', 'missing', ...names].join(','),
    LOG_LEVEL: 'error',
    AzureFunctionsJobHost__logging__logLevel__Function: 'Warning',
    LEASE_SECONDS: '3',
    MAX_JOBS_PER_CALLER: '100000',
    MAX_TASKS_PER_CALLER: '10000000',
    PG_POOL_MAX: '10',
    ...(options.owner ? { MIGRATE_DATABASE_URL: database.url } : {}),
    ...options.env,
  }
  const start = (): Promise<HostProcess> =>
    tellingOutput(
      startHost(
        { databaseUrl: options.databaseUrl ?? database.appUrl, storage: options.storage ?? storage },
        {
          port: 0,
          graceMs: 5000,
          traps: 'error',
          output: keptOutput(),
          env,
          ...(options.folder ? { folder: options.folder } : {}),
          ...(options.seed === undefined ? {} : { seed: options.seed }),
        },
      ),
    )
  const app: TestApp = {
    host: await start(),
    database,
    env,
    get: (path) => app.send('GET', path),
    async send(method, path, body, headers = {}) {
      const raw = typeof body === 'string' || body instanceof Uint8Array
      const answer = await fetch(path.startsWith('http') ? path : `${app.host.url}${path}`, {
        method,
        headers: {
          ...(raw || (body === undefined && method !== 'POST') ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: raw ? (body as string) : JSON.stringify(body) }),
      })
      const text = await answer.text()
      return {
        status: answer.status,
        headers: answer.headers,
        body: /^application\/(problem\+)?json/.test(answer.headers.get('content-type') ?? '') ? jsonOr(text) : text,
      }
    },
    async submit(type, parameters = {}, query = '') {
      const { status, body } = await app.send('POST', `/api/jobs/submit/${type}${query}`, parameters)
      if (status !== 202 && status !== 200) throw new Error(`submit ${type}: ${status} ${JSON.stringify(body)}`)
      return body as Submitted
    },
    async waitForJob(id, wanted) {
      return until(`the job ${id} ${wanted ? `is ${wanted}` : 'has ended'}`, async () => {
        const { body } = await app.get(`/api/jobs/${id}`)
        return (wanted ? body.status === wanted : ENDED.has(body.status)) ? (body as JobDocument) : undefined
      })
    },
    async container() {
      const client = service.getContainerClient(names.pop() ?? 'none-left')
      await client.create()
      return client
    },
    async restart() {
      app.host = await start()
    },
    async stop() {
      await app.host.stop()
      await database.drop()
    },
  }
  return app
}

/** A blob is served with the type that it was given, whatever it holds. */
function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Uploads empty or small blobs with bounded concurrency. */
export async function fill(container: ContainerClient, names: readonly string[], body = ''): Promise<void> {
  for (let at = 0; at < names.length; at += 50) {
    await Promise.all(names.slice(at, at + 50).map((name) => container.getBlockBlobClient(name).upload(body, body.length)))
  }
}
