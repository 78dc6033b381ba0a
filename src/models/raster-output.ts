// Files that jobs publish: from the first staged block to their removal. The row is written before the first block.
import { createHash } from 'node:crypto'
import * as z from 'zod'
import { JobId } from './names.ts'
import type { NewCollection, NewItem } from './stac-record.ts'
import { column, instantNow, int32, json, type TableDefinition } from './sql-meta.ts'

export const OutputState = z.enum(['staged', 'committed', 'published', 'superseded', 'deleted'])
export type OutputState = z.infer<typeof OutputState>

export const RasterOutput = z.object({
  container: z.string().min(3).max(63),
  blob: z.string().min(1).max(1024).describe('written once, never overwritten'),
  job_id: JobId,
  plan: int32(1).describe('attempt of the job that planned it'),
  target_name: z.string().min(1).max(1024).describe('logical name: one published file each'),
  state: OutputState.default('staged'),
  bytes: column(z.int().min(0).nullable(), { type: 'bigint' }),
  etag: z.string().max(200).nullable(),
  provenance: column(json(), { type: 'jsonb' }).describe('source, its ETag, options, checks'),
  staged_at: instantNow('before the first block; blocks that are not committed live 7 days'),
  changed_at: instantNow('of the state'),
  note: z.string().max(200).nullable().describe('why it was replaced'),
})
export type RasterOutput = z.infer<typeof RasterOutput>

export const rasterOutputsTable: TableDefinition = {
  name: 'raster_outputs',
  comment: 'Files that jobs write and publish. A published one is what its name means; readers of a superseded one have a day.',
  model: RasterOutput,
  primaryKey: ['container', 'blob'],
  indexes: [
    {
      name: 'raster_outputs_published',
      on: 'container, target_name',
      unique: true,
      where: "state = 'published'",
      why: 'one published file per name',
    },
    { name: 'raster_outputs_job', on: 'job_id', why: 'files of one job' },
    {
      name: 'raster_outputs_unfinished',
      on: 'changed_at',
      where: "state IN ('staged', 'committed', 'superseded')",
      why: 'what may be removed, oldest first',
    },
  ],
}

/** Where a job keeps what one of its files needs on the way: of its own for each, so that removing one takes nothing from the others. */
export const keptFolder = (jobId: string, plan: number, blob: string): string =>
  `raster/${jobId}/p${plan}/${createHash('sha256').update(blob).digest('hex').slice(0, 16)}`

/** What a job says of a file before its first block. */
export interface NewOutput {
  readonly container: string
  readonly blob: string
  readonly jobId: string
  readonly plan: number
  readonly targetName: string
  readonly provenance: unknown
}

export interface PublishedOutput {
  /** `taken`: another job's file has the name. `superseded`: a newer file of the name was published since; nothing was changed. */
  readonly outcome: 'published' | 'taken' | 'superseded'
  /** The job that holds the name, when it is another's. */
  readonly holder: string | null
}

/** Of every pixel that is not missing. */
export interface BandStatistics {
  /** From 1. */
  readonly band: number
  readonly count: number
  readonly min: number
  readonly max: number
  readonly mean: number
  readonly std: number
}

export interface PublishOptions {
  readonly overwrite: boolean
  /** Registered with the name; items of kind bronze only where they are not yet. */
  readonly collections?: readonly NewCollection[]
  readonly items?: readonly NewItem[]
}

/** Records of files, for job types. Every method can be repeated. */
export interface OutputRecords {
  stage(output: NewOutput): Promise<void>
  /** When its first block was about to be staged; undefined: no such row. */
  stagedAt(container: string, blob: string): Promise<Date | undefined>
  /** What was said of it when it was staged, joined by what was said since. @throws AppError `SIDE_BLOB_LOST` when there is no such row */
  provenance(container: string, blob: string): Promise<unknown>
  /** @param file facts: join the provenance */
  commit(
    container: string,
    blob: string,
    file: { readonly bytes: number; readonly etag: string; readonly facts: unknown },
  ): Promise<void>
  /** Name and catalogue change together, or neither. @throws AppError `STAC_ID_COLLISION` */
  publish(container: string, blob: string, options: PublishOptions): Promise<PublishedOutput>
  /** The job whose file has the name now. */
  holder(container: string, targetName: string): Promise<string | undefined>
}
