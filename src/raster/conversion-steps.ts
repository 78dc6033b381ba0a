// The four steps of a conversion as job types use them: where things are kept, what is recorded, what goes when.
import { AppError } from '../rules/errors.ts'
import type { BlobStore } from '../models/blob-store.ts'
import type { BlobRef } from '../models/blob.ts'
import { keptFolder, type OutputRecords, type PublishOptions } from '../models/raster-output.ts'
import { assertCompression } from './codecs/available.ts'
import { warpableCrs } from './crs.ts'
import { assertOptions, compressionOf, type Conversion } from './options.ts'
import { conversionPool } from './pools.ts'
import { removeFolder } from './run-task.ts'
import type { AssembledRaster, CreatedTiles, PinnedSource, PlannedRaster, ValidatedRaster, Warning } from './tasks.ts'

/** What a try of a task gives. */
interface StepContext {
  readonly jobId: string
  readonly blobs: BlobStore
  readonly outputs: OutputRecords
  readonly signal: AbortSignal
  readonly now: () => Date
}

/** What can be refused before there is a job. @throws AppError `OPTION_INVALID`, `CODEC_UNAVAILABLE`, `CRS_UNKNOWN`, `CRS_ACCURACY` */
export async function acceptConversion(conversion: Conversion): Promise<void> {
  assertOptions(conversion)
  await assertCompression(compressionOf(conversion))
  if (conversion.target_crs !== undefined) await warpableCrs(Number(conversion.target_crs.slice('EPSG:'.length)))
}

/** Silver or gold. @throws AppError `CONTAINER_READ_ONLY`, `CONTAINER_NOT_FOUND` */
export async function targetContainer(blobs: BlobStore, wanted: string | undefined): Promise<string> {
  const { silver, gold } = blobs.tiers
  const container = wanted ?? silver
  if (container !== silver && container !== gold)
    throw new AppError('CONTAINER_READ_ONLY', `Container '${container}' is not written by jobs; use ${silver} or ${gold}.`, {
      issues: [{ path: 'target_container', message: `must be ${silver} or ${gold}` }],
    })
  await blobs.checkContainer(container)
  return container
}

const targetExists = (holder: string | null, { container, name }: Target): AppError =>
  new AppError(
    'TARGET_EXISTS',
    `Job ${holder} has published ${container}/${name}. Submit with overwrite: true, or with another target_name.`,
  )

/** Early, so that no pixel is read for nothing; publishing decides. @throws AppError `TARGET_EXISTS` */
export async function assertTargetFree(
  { outputs, jobId }: Pick<StepContext, 'outputs' | 'jobId'>,
  target: Target,
  overwrite: boolean,
): Promise<void> {
  const holder = overwrite ? undefined : await outputs.holder(target.container, target.name)
  if (holder !== undefined && holder !== jobId) throw targetExists(holder, target)
}

const SIDECARS = ['.ovr', '.msk', '.aux.xml', '.tfw', '.tifw', '.wld']

/** Directories, limits, one tile of each kind. */
export async function validateStep(ctx: StepContext, source: BlobRef, conversion: Conversion): Promise<ValidatedRaster> {
  const found = await conversionPool().run<'validate'>({ kind: 'validate', source, conversion }, ctx.signal)
  return { ...found, warnings: [...found.warnings, ...(await sidecars(ctx.blobs, source))] }
}

async function sidecars(blobs: BlobStore, { container, blob }: BlobRef): Promise<Warning[]> {
  const stem = blob.replace(/\.[^./]*$/, '')
  const names: string[] = []
  for await (const page of blobs.list(container, { prefix: stem, maxPageSize: 100 })) {
    names.push(...page.blobs.map((b) => b.name))
    break
  }
  const beside = names.filter((name) => SIDECARS.some((s) => name === `${stem}${s}` || name === `${blob}${s}`))
  return beside.map((name) => ({ code: 'SIDECAR_IGNORED', message: `${name} is not read` }))
}

/** The file itself: written once, named by job and plan, so that nothing ever overwrites it. */
export const blobOf = (targetName: string, jobId: string, plan: number): string =>
  `${targetName}/${jobId.slice(0, 16)}-p${plan}.tif`

export interface Target {
  readonly container: string
  readonly name: string
}

/** One of the files of a job: a short name for what is kept of it, and what its tasks' keys begin with. */
export interface FileOfMany {
  readonly id: string
  readonly keyPrefix: string
}

/** Plan and tiles; the file's row is there before its first block. */
export async function planStep(
  ctx: StepContext & { readonly attempt: number },
  source: PinnedSource,
  conversion: Conversion,
  target: Target,
  file?: FileOfMany,
): Promise<PlannedRaster & { blob: string; plan: number; folder: string; tiles_blob: string }> {
  const blob = blobOf(target.name, ctx.jobId, ctx.attempt)
  const folder = keptFolder(ctx.jobId, ctx.attempt, blob)
  const geoJson = `results/${ctx.jobId}/p${ctx.attempt}/${file === undefined ? '' : `${file.id}-`}tiles.json`
  const planned = await conversionPool().run<'plan'>(
    { kind: 'plan', source, conversion, folder, geoJson, keyPrefix: file?.keyPrefix ?? '' },
    ctx.signal,
  )
  await ctx.outputs.stage({
    container: target.container,
    blob,
    jobId: ctx.jobId,
    plan: ctx.attempt,
    targetName: target.name,
    provenance: { source, conversion, output: planned.output, overview_resampling: planned.overview_resampling },
  })
  return { ...planned, blob, plan: ctx.attempt, folder, tiles_blob: geoJson }
}

interface Place {
  readonly container: string
  readonly blob: string
  readonly folder: string
}

export async function tilesStep(
  ctx: StepContext,
  { container, blob, folder }: Place,
  row: number,
  column: number,
): Promise<CreatedTiles> {
  await assertFresh(ctx, container, blob)
  return conversionPool().run<'tiles'>({ kind: 'tiles', folder, target: { container, blob }, row, column }, ctx.signal)
}

/** Blocks that are not committed live a week. */
const BLOCKS_LIVE_MS = 6 * 24 * 3600 * 1000

/** @throws AppError `BLOCKS_EXPIRED` */
async function assertFresh({ outputs, now }: StepContext, container: string, blob: string): Promise<void> {
  const at = await outputs.stagedAt(container, blob)
  if (at && now().getTime() - at.getTime() > BLOCKS_LIVE_MS)
    throw new AppError(
      'BLOCKS_EXPIRED',
      `${container}/${blob} was begun on ${at.toISOString()}: blocks that are not committed live 7 days. Rerun the job.`,
    )
}

export interface PublishNeeds extends Place {
  readonly targetName: string
  readonly overwrite: boolean
  readonly plan: number
  readonly accessTier: 'Hot' | 'Cool'
  /** What the catalogue learns with the name; asked when the file is committed. */
  register?(made: AssembledRaster): Promise<Pick<PublishOptions, 'collections' | 'items'>>
}

/** Assembly, commit, own check, and the name that points to it. @throws AppError `TARGET_EXISTS`, `OUTPUT_INVALID`, `BLOCKS_LOST` */
export async function publishStep(ctx: StepContext, needs: PublishNeeds): Promise<AssembledRaster> {
  const { container, blob, folder, targetName, overwrite, plan, accessTier } = needs
  await assertFresh(ctx, container, blob)
  const metadata = { job_id: ctx.jobId, plan: String(plan) }
  const made = await conversionPool().run<'assemble'>(
    { kind: 'assemble', folder, target: { container, blob }, metadata, accessTier },
    ctx.signal,
  )
  const { bytes, etag, statistics } = made
  await ctx.outputs.commit(container, blob, { bytes, etag, facts: { statistics, levels: made.levels, bigtiff: made.bigtiff } })
  const records = (await needs.register?.(made)) ?? {}
  const { outcome, holder } = await ctx.outputs.publish(container, blob, { overwrite, ...records })
  if (outcome === 'taken') throw targetExists(holder, { container, name: targetName })
  return made
}

/** What was kept on the way is needed no more. */
export const tidyStep = (blobs: BlobStore, folder: string): Promise<void> => removeFolder(blobs, folder)
