// A build that is left out while every file that it was made of, and every file that it made, is as it was.
import { readFile, rm, stat, writeFile } from 'node:fs/promises'

export interface Built {
  /** What decides how it is made, and what it is made of. */
  readonly from: readonly string[]
  readonly made: readonly string[]
}

/** A file system's clock ticks a few milliseconds late. */
const TICK_MS = 50

/** The states of the files are kept in `note`; answers whether it built. */
export async function buildUnlessFresh(note: string, build: () => Promise<Built>, now = Date.now): Promise<boolean> {
  const noted = await readFile(note, 'utf8').then(
    (text) => JSON.parse(text) as Record<string, string>,
    () => ({}),
  )
  const files = Object.entries(noted)
  const found = await Promise.all(files.map(([path]) => stateOf(path)))
  if (files.length > 0 && files.every(([, state], i) => state === found[i])) return false
  await rm(note, { force: true })
  const before = now() - TICK_MS
  const { from, made } = await build()
  const changed = await Promise.all(from.map((path) => changeOf(path)))
  // What is missing, or changed while it was read: nobody knows what the build saw, so that the next one is not left out.
  if (changed.some((at) => at === undefined || at >= before)) return true
  const states = await Promise.all([...from, ...made].map(async (path) => [path, await stateOf(path)] as const))
  await writeFile(note, JSON.stringify(Object.fromEntries(states)))
  return true
}

/** The inode's own time, which nobody can set back as they can the file's. */
const changeOf = (path: string): Promise<number | undefined> =>
  stat(path).then(
    (file) => file.ctimeMs,
    () => undefined,
  )

const stateOf = (path: string): Promise<string> =>
  stat(path).then(
    ({ size, ctimeMs }) => `${size} ${ctimeMs}`,
    () => 'missing',
  )
