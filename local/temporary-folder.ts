// Temporary folders that the database user can enter too, so that nothing has to be moved elsewhere.
import { chmodSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A new folder `<system temp>/<prefix>XXXXXX` with mode 0755. */
export function temporaryFolder(prefix: string): string {
  const folder = mkdtempSync(join(tmpdir(), prefix))
  chmodSync(folder, 0o755)
  return folder
}
