// Folders in places where others may write: one that somebody planted is refused by name, never followed, trusted or given away.
import { lstat, mkdir } from 'node:fs/promises'
import { LocalError } from './local-error.ts'

/**
 * Makes the folder (its parent must be there), or proves that the one that is there is no link, belongs to this user or `alsoUid`, and
 * cannot be written by anybody else.
 * @throws LocalError naming path and fault
 */
export async function ownFolder(path: string, mode: number, alsoUid?: number): Promise<string> {
  await mkdir(path, { mode }).catch((e: NodeJS.ErrnoException) => {
    if (e.code !== 'EEXIST') throw e
  })
  const fault = await faultOf(path, alsoUid)
  if (fault)
    throw new LocalError(`${path} ${fault}. Remove it if it is not needed, or set DATABASE_URL to a Postgres of your own.`)
  return path
}

/** Why the path is no folder of this user alone, or undefined. */
async function faultOf(path: string, alsoUid?: number): Promise<string | undefined> {
  const found = await lstat(path)
  const mine = process.getuid?.() ?? found.uid
  if (found.isSymbolicLink()) return 'is a link that somebody placed there; it is not followed'
  if (!found.isDirectory()) return 'is not a folder'
  if (found.uid !== mine && found.uid !== alsoUid) return `belongs to another user (uid ${found.uid})`
  if ((found.mode & 0o022) !== 0) return `can be written by others (mode ${(found.mode & 0o777).toString(8)})`
  return undefined
}
