// The lock that admits one run of the local cloud at a time, and the record of what it started.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LocalError } from './local-error.ts'

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
