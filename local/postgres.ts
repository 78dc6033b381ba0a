// Embedded Postgres: one data folder, one keeper process, one URL.
import { type ChildProcess, fork } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { lchown, mkdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { freePort } from './free-port.ts'
import { LocalError } from './local-error.ts'
import { ownFolder } from './own-folder.ts'
import { findPostgres, othersCanEnter, type PostgresBinaries } from './postgres-binaries.ts'

/** In a moved folder: the folder whose data it holds; `reset` removes nothing that lacks it. */
export const MOVED_FROM = 'moved-from'

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
  /** Takes what the server logs: starts, stops, crashes; bounded. */
  readonly logFile?: string
}

/** What the keeper is told to run. */
export interface KeeperOrder {
  readonly binaries: PostgresBinaries
  readonly data: string
  readonly passwordFile: string
  readonly port: number
  readonly fsync: boolean
  readonly logFile: string | undefined
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
  const order: KeeperOrder = { binaries, data, passwordFile, port, fsync: options.fsync ?? true, logFile: options.logFile }
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
    ended.resolve(`The process that keeps Postgres ended with ${signal ?? code}, and Postgres with it.`)
  })
  return { ready: ready.promise, ended: ended.promise }
}

/** Where the data of a folder lives that the database user cannot reach: in the system's temporary folder, under a name that follows from it. */
export const movedFolder = (wanted: string): string =>
  join(tmpdir(), `lamplighter-${createHash('sha256').update(wanted).digest('hex').slice(0, 8)}`)

/** The wanted folder, or the moved one. Everybody may enter that one's parent, and only this user can change what is in it. */
async function dataFolder(wanted: string, { runAs }: PostgresBinaries): Promise<string> {
  await mkdir(wanted, { recursive: true, mode: 0o700 })
  if (!runAs || (await othersCanEnter(dirname(wanted)))) return givenFolder(wanted, runAs)
  const elsewhere = await ownFolder(movedFolder(wanted), 0o711)
  await writeFile(join(elsewhere, MOVED_FROM), wanted, { mode: 0o600 })
  return givenFolder(join(elsewhere, 'postgres'), runAs)
}

/** Proved first, then given to the database user; the link itself would be given away, never what it points to. */
async function givenFolder(path: string, runAs: PostgresBinaries['runAs']): Promise<string> {
  await ownFolder(path, 0o700, runAs?.uid)
  if (runAs) await lchown(path, runAs.uid, runAs.gid)
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
  // wx: a link of that name is not followed.
  await writeFile(file, password, { mode: 0o600, flag: 'wx' })
  if (runAs) await lchown(file, runAs.uid, runAs.gid)
  return { file, password }
}
