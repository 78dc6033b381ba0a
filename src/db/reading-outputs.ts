// Reads of files that jobs published.
import type { BandStatistics } from '../models/raster-output.ts'
import type { Database } from './pool.ts'

/** Statistics of every pixel, recorded when the file was made; undefined for files of others, or another version. */
export async function outputStatistics(
  db: Database,
  container: string,
  blob: string,
  etag: string,
): Promise<readonly BandStatistics[] | undefined> {
  const rows = await db.query<{ statistics: readonly BandStatistics[] | null }>(
    `SELECT provenance->'statistics' AS statistics FROM app.raster_outputs WHERE container = $1 AND blob = $2 AND etag = $3`,
    [container, blob, etag],
  )
  return rows[0]?.statistics ?? undefined
}
