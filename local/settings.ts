// Where a laptop's cloud keeps its data, and the lock that admits one at a time.
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LocalError } from './local-error.ts'
import { MOVED_FROM, movedFolder } from './postgres.ts'

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const MARKER = 'lamplighter-data'

/** One process of a run: the pid alone may have been given to another program since. */
export interface RunProcess {
  readonly name: string
  readonly pid: number
  /** Start time and command line, as `ps` tells them. */
  readonly identity: string
}
export interface Run {
  readonly url: string
  readonly ports: { readonly postgres?: number; readonly azurite?: number }
  readonly processes: readonly RunProcess[]
  /** Of what the run started itself, for the user's own tools. The file is closed to others. */
  readonly connections?: { readonly postgres?: string; readonly storage?: string }
}

/** One line each: for psql, and for Storage Explorer, azcopy and the SDKs. */
export function connectionLines(connections: Run['connections']): string[] {
  const { postgres, storage } = connections ?? {}
  return [...(storage ? [`blob storage  ${storage}`] : []), ...(postgres ? [`postgres      ${postgres}`] : [])]
}

/** The data folder, made and marked. `LAMPLIGHTER_HOME` moves it. */
export function dataHome(env: NodeJS.ProcessEnv = process.env): string {
  const home = resolve(env['LAMPLIGHTER_HOME'] ?? join(ROOT, '.lamplighter'))
  // Root's database runs as another user, who must pass through.
  const mode = process.getuid?.() === 0 ? 0o711 : 0o700
  const isNew = mkdirSync(home, { recursive: true, mode }) !== undefined
  if (isNew || existsSync(join(home, MARKER))) chmodSync(home, mode)
  mkdirSync(join(home, 'logs'), { recursive: true, mode: 0o700 })
  writeFileSync(join(home, MARKER), 'Data of a local Lamplighter. Remove it with: npm run reset\n', { mode: 0o600 })
  return home
}

/** Start time and command of a live process, or undefined. */
export function identityOf(pid: number): string | undefined {
  try {
    return (
      execFileSync('ps', ['-o', 'lstart=,command=', '-p', String(pid)], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim() || undefined
    )
  } catch {
    return undefined
  }
}

export const runProcess = (name: string, pid: number): RunProcess => ({ name, pid, identity: identityOf(pid) ?? '' })
const isAlive = (p: RunProcess): boolean => p.identity !== '' && identityOf(p.pid) === p.identity

/** The last run, or undefined when there was none or its record is unreadable. */
export function lastRun(home: string): Run | undefined {
  try {
    return JSON.parse(readFileSync(join(home, 'run.json'), 'utf8')) as Run
  } catch {
    return undefined
  }
}

/** The run that lives, or undefined. */
export function liveRun(home: string): (Run & { readonly pid: number }) | undefined {
  const run = lastRun(home)
  const launcher = run?.processes.find((p) => p.name === 'launcher')
  return run && launcher && isAlive(launcher) ? { ...run, pid: launcher.pid } : undefined
}

export function recordRun(home: string, run: Run): void {
  writeFileSync(join(home, 'run.json'), `${JSON.stringify(run, null, 2)}\n`, { mode: 0o600 })
}

/** Ports stay remembered, processes do not. */
export function recordEnd(home: string): void {
  const run = lastRun(home)
  if (!run) return
  const { connections: _ended, ...rest } = run
  recordRun(home, { ...rest, processes: [] })
}

/**
 * Takes the lock: what a crashed run left is stopped first.
 * @throws LocalError when another run lives
 */
export async function takeLock(home: string): Promise<Run | undefined> {
  const live = liveRun(home)
  if (live && live.pid !== process.pid) throw new LocalError(`Lamplighter is already running at ${live.url} (pid ${live.pid})`)
  const last = lastRun(home)
  for (const p of last?.processes ?? []) if (p.pid !== process.pid) await stopLeftover(p)
  return last
}

async function stopLeftover(p: RunProcess): Promise<void> {
  for (const [signal, tries] of [
    ['SIGTERM', 50],
    ['SIGKILL', 20],
  ] as const) {
    if (!isAlive(p)) return
    process.kill(p.pid, signal)
    for (let i = 0; i < tries && isAlive(p); i++) await new Promise((r) => setTimeout(r, 100))
  }
}

/** Removes the data folder and what it moved elsewhere. @throws LocalError while running, or without the marker */
export function reset(env: NodeJS.ProcessEnv = process.env): string {
  const home = resolve(env['LAMPLIGHTER_HOME'] ?? join(ROOT, '.lamplighter'))
  const live = liveRun(home)
  if (live) throw new LocalError(`Lamplighter is running at ${live.url} (pid ${live.pid}). Stop it first.`)
  const read = (path: string): string | undefined => {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      return undefined
    }
  }
  if (read(join(home, MARKER)) === undefined)
    throw new LocalError(`${home} is not a data folder of Lamplighter (it lacks ${MARKER}); nothing was removed.`)
  // Recomputed, never read from a file, and only with the marker that says whose data it is.
  const data = join(home, 'postgres')
  const elsewhere = movedFolder(data)
  if (lstatSync(elsewhere, { throwIfNoEntry: false })?.isDirectory() && read(join(elsewhere, MOVED_FROM)) === data)
    rmSync(elsewhere, { recursive: true, force: true })
  rmSync(home, { recursive: true, force: true })
  return home
}
