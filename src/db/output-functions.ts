// Callers of the SQL functions of published files, and the records that job types get of them.
import type { NewOutput, OutputRecords } from '../models/raster-output.ts'
import { AppError } from '../rules/errors.ts'
import { publishRaster } from './catalogue-functions.ts'
import type { Database } from './pool.ts'
import { only, sqlFunction } from './sql-function.ts'

export const stageOutput = sqlFunction<
  { container: string; blob: string; job_id: string; plan: number; target_name: string; provenance: unknown },
  { stage_output: unknown }
>(
  'stage_output',
  { container: 'text', blob: 'text', job_id: 'text', plan: 'integer', target_name: 'text', provenance: 'jsonb' },
  { stage_output: 'void' },
)

export const commitOutput = sqlFunction<
  { container: string; blob: string; bytes: number; etag: string; facts: unknown },
  { commit_output: unknown }
>(
  'commit_output',
  { container: 'text', blob: 'text', bytes: 'double precision', etag: 'text', facts: 'jsonb' },
  { commit_output: 'void' },
)

export const outputsToRemove = sqlFunction<{ limit: number }, { container: string; blob: string; job_id: string; plan: number }>(
  'outputs_to_remove',
  { limit: 'integer' },
  { container: 'text', blob: 'text', job_id: 'text', plan: 'integer' },
)

export const removeOutput = sqlFunction<{ container: string; blob: string }, { remove_output: boolean }>(
  'remove_output',
  { container: 'text', blob: 'text' },
  { remove_output: 'boolean' },
)

/** What job types may do with the records. */
export function outputRecords(db: Database): OutputRecords {
  return {
    async stage({ container, blob, jobId: job_id, plan, targetName: target_name, provenance }: NewOutput) {
      await stageOutput(db, { container, blob, job_id, plan, target_name, provenance })
    },
    async stagedAt(container, blob) {
      const rows = await db.query<{ staged_at: Date }>(
        'SELECT staged_at FROM app.raster_outputs WHERE container = $1 AND blob = $2',
        [container, blob],
      )
      return rows[0]?.staged_at
    },
    async provenance(container, blob) {
      const rows = await db.query<{ provenance: unknown }>(
        'SELECT provenance FROM app.raster_outputs WHERE container = $1 AND blob = $2',
        [container, blob],
      )
      if (!rows[0]) throw new AppError('SIDE_BLOB_LOST', `Nothing is recorded of ${container}/${blob}. Rerun the job.`)
      return rows[0].provenance
    },
    async commit(container, blob, { bytes, etag, facts }) {
      await commitOutput(db, { container, blob, bytes, etag, facts })
    },
    publish: async (container, blob, { overwrite, collections = [], items = [] }) =>
      only(await publishRaster(db, { container, blob, overwrite, collections, items })),
    async holder(container, targetName) {
      const rows = await db.query<{ job_id: string }>(
        `SELECT job_id FROM app.raster_outputs WHERE container = $1 AND target_name = $2 AND state = 'published'`,
        [container, targetName],
      )
      return rows[0]?.job_id
    },
  }
}
