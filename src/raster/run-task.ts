// The four steps of a conversion, over a blob store: what the child process does when it is asked.
import pLimit from 'p-limit'
import { type BlobStore, INTERNAL_CONTAINER } from '../models/blob-store.ts'
import { AppError } from '../rules/errors.ts'
import { assemble, type RegionReport } from './assemble.ts'
import { checkCog } from './check.ts'
import { assertCompression } from './codecs/available.ts'
import { describePyramid } from './describe.ts'
import { readTiff } from './directory.ts'
import { type Pyramid, readPyramid } from './image.ts'
import { assertOptions, compressionOf } from './options.ts'
import { outputFormOf } from './output-form.ts'
import { estimatedBytes, planRaster, RasterPlan } from './plan.ts'
import { blobSource, openBlobSource } from './range-source.ts'
import { buildRegion } from './region.ts'
import { regionPixels } from './region-pixels.ts'
import { type Regions, regionArea } from './regions.ts'
import { digestOf, packPixels, type SideStore } from './side-pixels.ts'
import { mergeMoments, type Moments, NO_MOMENTS } from './statistics.ts'
import type { AssembledRaster, CreatedTiles, PlannedRaster, RasterAnswers, RasterTask, ValidatedRaster } from './tasks.ts'
import { targetPlace, tilesGeoJson } from './tiles-geojson.ts'
import { ImageReader } from './window.ts'
import { MaskReader } from './mask.ts'

type Of<K extends RasterTask['kind']> = Extract<RasterTask, { kind: K }>

/** @throws AppError the refusals of docs/rasters.md, and what storage answers */
export async function runRasterTask<K extends RasterTask['kind']>(blobs: BlobStore, task: Of<K>): Promise<RasterAnswers[K]>
export async function runRasterTask(blobs: BlobStore, task: RasterTask): Promise<RasterAnswers[RasterTask['kind']]> {
  if (task.kind === 'validate') return validateRaster(blobs, task)
  if (task.kind === 'plan') return planTiles(blobs, task)
  if (task.kind === 'tiles') return createTiles(blobs, task)
  return assembleRaster(blobs, task)
}

/** Refuses what can be told from directories, options and one tile of each kind. */
async function validateRaster(blobs: BlobStore, { source: ref, conversion }: Of<'validate'>): Promise<ValidatedRaster> {
  assertOptions(conversion)
  await assertCompression(compressionOf(conversion))
  const source = await openBlobSource(blobs, ref)
  if (source.size === 0) throw new AppError('NOT_TIFF', `${source.name} is empty.`)
  const pyramid = await readPyramid(await readTiff(source))
  const { warnings } = await outputFormOf(pyramid, conversion)
  await probe(pyramid)
  if (conversion.target_crs !== undefined) await planRaster(pyramid, { ...ref, etag: source.etag, size: source.size }, conversion)
  const info = await describePyramid(pyramid)
  return {
    source: { ...ref, etag: source.etag, size: source.size },
    info,
    compression: compressionOf(conversion),
    warnings: [...info.warnings, ...warnings],
  }
}

/** Decodes the middle pixel of every band: codecs and tables that do not work are told in the first stage. */
async function probe({ file, main, mask }: Pyramid): Promise<void> {
  const reader = await ImageReader.open(file, main)
  await reader.window({ x: main.width >> 1, y: main.height >> 1, width: 1, height: 1 })
  if (mask) await MaskReader.open(file, mask)
}

const planName = (folder: string): string => `${folder}/plan.json`

async function planTiles(
  blobs: BlobStore,
  { source, conversion, folder, geoJson, keyPrefix }: Of<'plan'>,
): Promise<PlannedRaster> {
  const pyramid = await readPyramid(await readTiff(blobSource(blobs, source)))
  const plan = await planRaster(pyramid, source, conversion)
  const place = await targetPlace(pyramid, plan)
  await keep(blobs, geoJson, await tilesGeoJson(plan, place, keyPrefix), 'application/geo+json')
  await keep(blobs, planName(folder), plan, 'application/json')
  const base = plan.cuts[0] as Regions
  const { form } = plan
  return {
    tiles: base.columns * base.rows,
    columns: base.columns,
    rows: base.rows,
    k: base.halvings,
    levels: (plan.cuts.at(-1) as Regions).level + (plan.cuts.at(-1) as Regions).halvings + 1,
    output: {
      width: form.width,
      height: form.height,
      bands: form.bands,
      dtype: form.dtype,
      tile_size: form.tile_size,
      compression: form.compression,
      transform: place.transform ? [...place.transform] : null,
      crs: place.epsg === undefined ? null : `EPSG:${place.epsg}`,
    },
    overview_resampling: form.overview_method,
    blocks: plan.blocks,
    read_amplification: plan.read_amplification,
    estimated_bytes: estimatedBytes(plan),
    memory_mb: plan.memory_mb,
    warnings: plan.warnings,
  }
}

async function keep(blobs: BlobStore, name: string, value: unknown, contentType: string): Promise<void> {
  await blobs.write(INTERNAL_CONTAINER, name, Buffer.from(JSON.stringify(value)), { mode: 'overwrite', contentType })
}

/** @throws AppError `SIDE_BLOB_LOST` when the plan is gone */
async function loadPlan(blobs: BlobStore, folder: string): Promise<RasterPlan> {
  const body = await blobs.read({ container: INTERNAL_CONTAINER, blob: planName(folder) }).catch((error: unknown) => {
    throw isMissing(error)
      ? new AppError('SIDE_BLOB_LOST', `The plan ${folder} is gone. Run the job again.`, { cause: error })
      : error
  })
  return RasterPlan.parse(JSON.parse(body.toString('utf8')))
}

const isMissing = (error: unknown): boolean =>
  error instanceof AppError && (error.code === 'BLOB_NOT_FOUND' || error.code === 'CONTAINER_NOT_FOUND')

const pieceName = (folder: string, level: number, row: number, column: number): string => `${folder}/${level}/${row}_${column}`
const reportName = (folder: string, row: number, column: number): string => `${folder}/t/${row}_${column}.json`

const sideBlobs = (blobs: BlobStore, folder: string): SideStore => ({
  async put(level, row, column, bytes) {
    await blobs.write(INTERNAL_CONTAINER, pieceName(folder, level, row, column), bytes, { mode: 'overwrite' })
  },
  get: (level, row, column) => blobs.read({ container: INTERNAL_CONTAINER, blob: pieceName(folder, level, row, column) }),
})

/** What one region leaves for the assembly, as a blob: a job of many files would have to look through the results of all. */
interface StoredReport extends RegionReport {
  readonly moments: readonly Moments[]
}

async function createTiles(blobs: BlobStore, { folder, target, row, column }: Of<'tiles'>): Promise<CreatedTiles> {
  const plan = await loadPlan(blobs, folder)
  const pyramid = await readPyramid(await readTiff(blobSource(blobs, plan.source)))
  const base = plan.cuts[0] as Regions
  const spec = { column, area: regionArea(base, row, column), level: base.level, halvings: base.halvings, writesLevel: true }
  const pixels = await regionPixels(pyramid, plan)
  const { blocks, top, moments } = await buildRegion(pixels, spec, plan.form, (id, bytes) => blobs.stageBlock(target, id, bytes))
  const digest = digestOf(top)
  // A single region has no level above it: nobody reads its small pixels.
  if (plan.cuts.length > 1) await sideBlobs(blobs, folder).put(base.level + base.halvings, row, column, packPixels(top))
  const report: StoredReport = { row, column, blocks, digest, moments }
  await keep(blobs, reportName(folder, row, column), report, 'application/json')
  return {
    blocks: blocks.length,
    bytes: blocks.reduce((sum, b) => sum + b.bytes, 0),
    side: digest,
    stats: moments.map((m) => ({ ...m })),
  }
}

const REPORTS_AT_ONCE = 16

async function loadReports(blobs: BlobStore, folder: string, { rows, columns }: Regions): Promise<StoredReport[]> {
  const places = Array.from({ length: rows * columns }, (_, i) => [Math.floor(i / columns), i % columns] as const)
  return pLimit(REPORTS_AT_ONCE).map(places, async ([row, column]) => {
    const blob = reportName(folder, row, column)
    const body = await blobs.read({ container: INTERNAL_CONTAINER, blob }).catch((error: unknown) => {
      throw isMissing(error)
        ? new AppError('SIDE_BLOB_LOST', `What tile x${column} y${row} left is gone. Run the job again.`, { cause: error })
        : error
    })
    return JSON.parse(body.toString('utf8')) as StoredReport
  })
}

async function assembleRaster(
  blobs: BlobStore,
  { folder, target, metadata, accessTier }: Of<'assemble'>,
): Promise<AssembledRaster> {
  const plan = await loadPlan(blobs, folder)
  const reports = await loadReports(blobs, folder, plan.cuts[0] as Regions)
  const stage = (id: string, bytes: Uint8Array): Promise<void> => blobs.stageBlock(target, id, bytes)
  const { ids, isBig, fileSize, levels } = await assemble(plan.form, plan.cuts, reports, {
    side: sideBlobs(blobs, folder),
    stage,
  })
  const etag = await commit(blobs, target, ids, { metadata, accessTier, fileSize })
  const committed = blobSource(blobs, { ...target, etag, size: fileSize })
  const issues = await checkCog(committed, { tiles: false })
  if (issues.length > 0)
    throw new AppError(
      'OUTPUT_INVALID',
      `${target.container}/${target.blob} breaks its own layout: ${issues.map((i) => `${i.code} (${i.message})`).join('; ')}.`,
    )
  return {
    bytes: fileSize,
    etag,
    bigtiff: isBig,
    levels,
    checks: [
      'ghost_area',
      'ifd_order',
      'level_sizes',
      'tiled',
      'levels_equal',
      'offset_order',
      'no_overlap_or_gap',
      'end_of_file',
    ],
    statistics: statisticsOf(reports, plan.form.bands),
  }
}

interface CommitNeeds {
  readonly metadata: Readonly<Record<string, string>>
  readonly accessTier: 'Hot' | 'Cool'
  readonly fileSize: number
}

/** A commit whose answer was lost is found: same size, same job. @throws AppError `BLOCKS_LOST` */
async function commit(
  blobs: BlobStore,
  target: { container: string; blob: string },
  ids: readonly string[],
  { metadata, accessTier, fileSize }: CommitNeeds,
): Promise<string> {
  const known = await earlierCommit(blobs, target, fileSize, metadata)
  if (known !== undefined) return known
  try {
    const { etag } = await blobs.commitBlocks(target, ids, {
      mode: 'create',
      contentType: 'image/tiff; application=geotiff; profile=cloud-optimized',
      metadata,
      accessTier,
    })
    return etag
  } catch (error) {
    // Of two who assemble at once, one comes second.
    const second = error instanceof AppError && error.code === 'BLOB_EXISTS'
    const others = second ? await earlierCommit(blobs, target, fileSize, metadata) : undefined
    if (others !== undefined) return others
    if (error instanceof AppError && error.code === 'INVALID_BLOCK_LIST')
      throw new AppError('BLOCKS_LOST', `Staged blocks of ${target.container}/${target.blob} are gone. Run the job again.`, {
        cause: error,
      })
    throw error
  }
}

/** Blobs are written once: what is there under this name is an earlier commit of this very plan. Its ETag. */
async function earlierCommit(
  blobs: BlobStore,
  target: { container: string; blob: string },
  fileSize: number,
  metadata: CommitNeeds['metadata'],
): Promise<string | undefined> {
  const there = await blobs.properties(target).catch((error: unknown) => {
    if (isMissing(error)) return undefined
    throw error
  })
  return there && there.size === fileSize && there.metadata['job_id'] === metadata['job_id'] ? (there.etag ?? '') : undefined
}

/** In the order of the tiles, whichever ended first. */
function statisticsOf(reports: readonly StoredReport[], bands: number): AssembledRaster['statistics'] {
  return Array.from({ length: bands }, (_, band) => {
    const { count, min, max, mean, m2 } = reports.reduce((sum, r) => mergeMoments(sum, r.moments[band] ?? NO_MOMENTS), NO_MOMENTS)
    return { band: band + 1, count, min, max, mean, std: count === 0 ? 0 : Math.sqrt(m2 / count) }
  })
}

/** Everything that a conversion kept for itself. */
export async function removeFolder(blobs: BlobStore, folder: string): Promise<void> {
  for await (const page of blobs.list(INTERNAL_CONTAINER, { prefix: `${folder}/` }))
    await pLimit(REPORTS_AT_ONCE).map(page.blobs, ({ name }) => blobs.delete({ container: INTERNAL_CONTAINER, blob: name }))
}
