// The SQL files of this release: beside the built app, or at the top of the checkout.
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const sqlFolder = (): string => {
  const built = fileURLToPath(new URL('./sql', import.meta.url))
  return existsSync(built) ? built : fileURLToPath(new URL('../../sql', import.meta.url))
}

/** Names of the migrations of this release, in order. */
export const releasedMigrations = async (folder: string): Promise<string[]> =>
  (await readdir(join(folder, 'migrations')))
    .filter((n) => n.endsWith('.sql'))
    .map((n) => basename(n, '.sql'))
    .sort()
