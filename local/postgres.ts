// Embedded Postgres: one data folder, one keeper process, one URL.
import { type ChildProcess, fork } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { freePort } from './free-port.ts'
import { LocalError } from './local-error.ts'
import { findPostgres, othersCanEnter, type PostgresBinaries } from './postgres-binaries.ts'

/** A running server. */
export interface LocalPostgres {
  /** Of the database `lamplighter`. */
  readonly url: string
  readonly port: number
  readonly keeperPid: number
  readonly dataFolder: string
  /** Resolves with a reason when the server ends by itself. */
  readonly ended: Promise<string>
  stop(): Promise<void>
}

export interface PostgresOptions {
  readonly folder: string
  readonly port?: number
  /** Off only for tests: a crash of the machine may then lose the data. */
  readonly fsync?: boolean
}

/** What the keeper is told to run. */
export interface KeeperOrder {
  readonly binaries: PostgresBinaries
  readonly data: string
  readonly passwordFile: string
  readonly port: number
  readonly fsync: boolean
}

export type KeeperMessage = { readonly ready: true } | { readonly failed: string } | { readonly ended: string }

/**
 * Starts Postgres on 127.0.0.1; the first start makes the data folder.
 * @throws LocalError naming folder, cause and what to do
 */
export async function startPostgres(options: PostgresOptions): Promise<LocalPostgres> {
  const binaries = await findPostgres()
  const data = await dataFolder(options.folder, binaries)
  await refuseForeignVersion(data)
  const { file: passwordFile, password } = await passwordOf(data, binaries)
  const port = await freePort(options.port)
  const order: KeeperOrder = { binaries, data, passwordFile, port, fsync: options.fsync ?? true }
  // Its own process group: Ctrl-C reaches the whole foreground group, and would stop the server while the host still drains.
  const keeper = fork(new URL('./postgres-keeper.ts', import.meta.url), [JSON.stringify(order)], {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const { ready, ended } = watch(keeper)
  await ready
  return {
    url: `postgres://lamplighter:${password}@127.0.0.1:${port}/postgres`,
    port,
    keeperPid: keeper.pid ?? 0,
    dataFolder: data,
    ended,
    async stop() {
      if (keeper.exitCode !== null || keeper.signalCode !== null) return
      const gone = new Promise<void>((resolve) => keeper.once('exit', () => resolve()))
      if (keeper.connected) keeper.send('stop')
      await gone
    },
  }
}

function watch(keeper: ChildProcess): { ready: Promise<void>; ended: Promise<string> } {
  const ready = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<string>()
  keeper.on('message', (message: KeeperMessage) => {
    if ('ready' in message) ready.resolve()
    if ('failed' in message) ready.reject(new LocalError(`Postgres did not start: ${message.failed}`))
    if ('ended' in message) ended.resolve(message.ended)
  })
  keeper.once('exit', (code, signal) => {
    ready.reject(new LocalError(`Postgres' keeper ended with ${signal ?? code}.`))
    ended.resolve(`its keeper ended with ${signal ?? code}`)
  })
  return { ready: ready.promise, ended: ended.promise }
}

/** The wanted folder, or one in the system's temporary folder when the database user cannot reach it. */
async function dataFolder(wanted: string, { runAs }: PostgresBinaries): Promise<string> {
  await mkdir(wanted, { recursive: true })
  if (!runAs || (await othersCanEnter(dirname(wanted)))) return ownedFolder(wanted, runAs)
  const elsewhere = join(tmpdir(), `lamplighter-${createHash('sha256').update(wanted).digest('hex').slice(0, 8)}`)
  await mkdir(elsewhere, { recursive: true, mode: 0o755 })
  await writeFile(join(wanted, 'moved-to'), elsewhere)
  return ownedFolder(join(elsewhere, 'postgres'), runAs)
}

async function ownedFolder(path: string, runAs: PostgresBinaries['runAs']): Promise<string> {
  await mkdir(path, { recursive: true })
  const { uid } = await stat(path)
  const mine = process.getuid?.() ?? uid
  if (uid !== mine && uid !== runAs?.uid)
    throw new LocalError(`${path} belongs to another user (uid ${uid}). Remove it with npm run reset as that user.`)
  if (runAs) await chown(path, runAs.uid, runAs.gid)
  await chmod(path, 0o700)
  return path
}

async function refuseForeignVersion(data: string): Promise<void> {
  const version = await readFile(join(data, 'pgdata', 'PG_VERSION'), 'utf8').catch(() => undefined)
  if (version !== undefined && version.trim() !== '18') {
    throw new LocalError(
      `${data} was made by Postgres ${version.trim()}, this is Postgres 18. Run npm run reset (it deletes the local data).`,
    )
  }
}

async function passwordOf(data: string, { runAs }: PostgresBinaries): Promise<{ file: string; password: string }> {
  const file = join(data, 'password')
  const old = await readFile(file, 'utf8').catch(() => undefined)
  if (old) return { file, password: old }
  const password = randomBytes(18).toString('hex')
  await writeFile(file, password, { mode: 0o600 })
  if (runAs) await chown(file, runAs.uid, runAs.gid)
  return { file, password }
}
