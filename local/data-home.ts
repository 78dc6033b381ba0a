// Where a laptop's cloud keeps its data: made, marked, and removed again.
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LocalError } from './local-error.ts'
import { MOVED_FROM, movedFolder } from './postgres.ts'
import { liveRun } from './run-lock.ts'

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const MARKER = 'lamplighter-data'

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
