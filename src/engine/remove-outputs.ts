// Files that nobody needs any more leave storage: replaced ones a day later, those of jobs that ended badly when they are old enough.
import { outputsToRemove, removeOutput } from '../db/output-functions.ts'
import { INTERNAL_CONTAINER } from '../models/blob-store.ts'
import { keptFolder } from '../models/raster-output.ts'
import type { Deps } from './deps.ts'

/** Files of one pass. */
const FILES = 200

/** One pass; safe when several run at once. @returns how many went */
export async function removeOutputs(deps: Deps): Promise<number> {
  let gone = 0
  for (const { container, blob, job_id, plan } of await outputsToRemove(deps.db, { limit: FILES })) {
    if (deps.stopping.aborted) break
    try {
      await deps.blobs.delete({ container, blob })
      await removeKept(deps, `${keptFolder(job_id, plan, blob)}/`)
      await removeOutput(deps.db, { container, blob })
      gone++
    } catch (error) {
      deps.log.error('output.removal_failed', { container, blob, error })
    }
  }
  if (gone > 0) deps.log.info('outputs.removed', { files: gone })
  return gone
}

/** What its job kept on the way. */
async function removeKept(deps: Deps, prefix: string): Promise<void> {
  for await (const { blobs } of deps.blobs.list(INTERNAL_CONTAINER, { prefix }))
    for (const { name } of blobs) await deps.blobs.delete({ container: INTERNAL_CONTAINER, blob: name })
}
