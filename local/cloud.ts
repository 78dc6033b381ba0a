// A laptop's cloud: Postgres, Azurite, schema, containers, host; in that order, and stopped in the reverse one.
import { openSync } from 'node:fs'
import { join } from 'node:path'
import { BlobServiceClient } from '@azure/storage-blob'
import { type HostOrder, type HostProcess, startHostProcess, WORKER_ARGUMENTS, withWorkerArgument } from 'functions-host'
import pg from 'pg'
import { migrate } from '../src/db/migrate.ts'
import { checkSession } from '../src/db/session-settings.ts'
import { azuriteConnection, type LocalAzurite, startAzurite } from './azurite.ts'
import { prepareDatabase, type RoleUrls } from './database-roles.ts'
import { freePort, tryPort } from './free-port.ts'
import { LocalError } from './local-error.ts'
import { type LocalPostgres, startPostgres } from './postgres.ts'
import { ROOT } from './data-home.ts'

export interface Backends {
  /** Of the role that runs the app. */
  readonly databaseUrl: string
  /** Of the role that owns the schema; the same where the database is the user's own. */
  readonly ownerUrl: string
  readonly storage: string
  readonly postgres: LocalPostgres | undefined
  readonly azurite: LocalAzurite | undefined
  stop(): Promise<void>
}

export interface BackendOptions {
  readonly home: string
  readonly ports?: { readonly postgres?: number; readonly azurite?: number }
  readonly env?: NodeJS.ProcessEnv
}

export const CONTAINERS = ['bronze', 'silver', 'gold', 'lamplighter'] as const

/** Starts what is not given by `DATABASE_URL` and `AzureWebJobsStorage`, migrates, makes the containers. */
export async function startBackends({ home, ports = {}, env = process.env }: BackendOptions): Promise<Backends> {
  const [ownDatabase, ownStorage] = [env['DATABASE_URL'] || undefined, storageOf(env)]
  // Asked first: a database that cannot be used is told before anything is started.
  if (ownDatabase) await attachDatabase(ownDatabase)
  const started = await Promise.allSettled([
    ownDatabase
      ? undefined
      : startPostgres({ folder: join(home, 'postgres'), logFile: join(home, 'logs', 'postgres.log'), ...port(ports.postgres) }),
    ownStorage ? undefined : startAzurite({ folder: join(home, 'azurite'), ...port(ports.azurite) }),
  ])
  const [first, second] = started
  const postgres = first.status === 'fulfilled' ? first.value : undefined
  const azurite = second.status === 'fulfilled' ? second.value : undefined
  const stop = async (): Promise<void> => {
    await azurite?.stop()
    await postgres?.stop()
  }
  try {
    for (const s of started) if (s.status === 'rejected') throw s.reason
    const storage = ownStorage ?? azurite?.connectionString ?? ''
    const { app: databaseUrl, owner: ownerUrl } = postgres
      ? await prepareDatabase(postgres.url, ROOT)
      : await migrated(ownDatabase ?? '', env)
    await makeContainers(storage)
    return { databaseUrl, ownerUrl, storage, postgres, azurite, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The user's own database keeps the roles that it has. */
async function migrated(app: string, env: NodeJS.ProcessEnv): Promise<RoleUrls> {
  const owner = env['MIGRATE_DATABASE_URL'] || app
  await migrate(owner, join(ROOT, 'sql'))
  return { app, owner }
}

const port = (wanted: number | undefined): { port?: number } => (wanted === undefined ? {} : { port: wanted })

function storageOf(env: NodeJS.ProcessEnv): string | undefined {
  const given = env['AzureWebJobsStorage']
  if (given !== 'UseDevelopmentStorage=true') return given || undefined
  return azuriteConnection(10_000)
}

async function attachDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  try {
    await client.connect()
    const { rows } = await client.query<{ version: string }>('SELECT version()')
    await checkSession(client)
    // To standard error: standard output is one JSON object a line where it is no terminal.
    console.error(`Using the Postgres of DATABASE_URL: ${rows[0]?.version.split(' ').slice(0, 2).join(' ')}`)
  } catch (cause) {
    throw new LocalError(
      `The Postgres of DATABASE_URL at ${new URL(url).host} cannot be used: ${cause instanceof Error ? cause.message : 'no answer'}`,
      { cause },
    )
  } finally {
    await client.end().catch(() => undefined)
  }
}

async function makeContainers(storage: string): Promise<void> {
  const service = BlobServiceClient.fromConnectionString(storage, { retryOptions: { maxTries: 3, tryTimeoutInMs: 5000 } })
  await Promise.all(CONTAINERS.map((name) => service.getContainerClient(name).createIfNotExists()))
}

/** The Functions host takes headers of 32 KB, Node's own server 16 KB: between the two nobody would answer. */
const HEADERS_AS_LARGE_AS_THE_HOST_TAKES = '--max-http-header-size=65536'

export interface HostSettings extends Omit<HostOrder, 'folder'> {
  readonly folder?: string
  /** File that takes what host and app print. */
  readonly logFile?: string
  /** Or an open file that takes it. */
  readonly output?: number
  readonly env?: Readonly<Record<string, string>>
}

/** Throws a LocalError when somebody else listens there; 0 stands for any free port. */
export async function checkPort(port: number): Promise<void> {
  if (port !== 0 && (await tryPort(port)) === undefined)
    throw new LocalError(
      `Port ${port} is unavailable. Close the process using that port, or specify another port using --port [-p].`,
    )
}

/** Starts the Functions host on the backends. @throws LocalError when the port is taken */
export async function startHost(
  backends: Pick<Backends, 'databaseUrl' | 'storage'>,
  settings: HostSettings,
): Promise<HostProcess> {
  const { port: wanted, folder = ROOT, logFile, env = {}, ...order } = settings
  await checkPort(wanted)
  const chosen = wanted === 0 ? await freePort() : wanted
  return startHostProcess({
    ...order,
    folder,
    port: chosen,
    env: {
      AZURE_FUNCTIONS_ENVIRONMENT: 'Development',
      FUNCTIONS_WORKER_RUNTIME: 'node',
      FUNCTIONS_EXTENSION_VERSION: '~4',
      TASKHUB_NAME: 'lamplighter',
    },
    started: {
      ...env,
      [WORKER_ARGUMENTS]: withWorkerArgument({ ...process.env, ...env }, HEADERS_AS_LARGE_AS_THE_HOST_TAKES),
      WEBSITE_HOSTNAME: `localhost:${chosen}`,
      DATABASE_URL: backends.databaseUrl,
      AzureWebJobsStorage: backends.storage,
    },
    ...(logFile ? { output: openSync(logFile, 'a', 0o600) } : {}),
  })
}
