// Where the SQL files of this release lie: beside the built app, or at the top of the checkout.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const sqlFolder = (): string => {
  const built = fileURLToPath(new URL('./sql', import.meta.url))
  return existsSync(built) ? built : fileURLToPath(new URL('../../sql', import.meta.url))
}
