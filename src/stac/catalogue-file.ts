// One file becomes an item: its directories are read by ranges, its description is checked, its record is written.
import type { BlobStore } from '../models/blob-store.ts'
import type { DetectedFormat } from '../models/raster.ts'
import type { CatalogueMode, CatalogueRecords } from '../models/stac-record.ts'
import { detectRaster } from '../raster/detect.ts'
import { AppError } from '../rules/errors.ts'
import type { BandStatistics } from '../models/raster-output.ts'
import { assertItem } from './check-item.ts'
import { bronzeItem, type CataloguedFile } from './item.ts'
import type { TimeOptions } from './item-time.ts'
import { isTiffName } from './sidecars.ts'

interface StepContext {
  readonly jobId: string
  readonly attempt: number
  readonly blobs: BlobStore
  readonly catalogue: CatalogueRecords
  readonly now: () => Date
}

export interface CatalogueOptions extends TimeOptions {
  readonly collectionId: string
  readonly mode: CatalogueMode
  readonly statistics?: readonly BandStatistics[]
}

export interface CataloguedOutcome {
  readonly outcome: 'created' | 'updated' | 'unchanged' | 'gone'
  readonly item_id?: string
  readonly is_raster: boolean
  /** Why the file could not be described. */
  readonly problem?: string
  readonly warnings: readonly string[]
}

/** Findings about a file, not failures of the task. */
const OF_THE_FILE = new Set(['BLOB_ARCHIVED'])

/**
 * Registers the newest version of a file; a file that is gone is told, a broken one is registered with its problem.
 * @throws AppError what storage and database answer; `STAC_INVALID`, `STAC_ID_COLLISION`
 */
export async function catalogueFile(
  ctx: StepContext,
  file: CataloguedFile,
  options: CatalogueOptions,
): Promise<CataloguedOutcome> {
  try {
    return await register(ctx, file, options).catch(async (error: unknown) => {
      if (!isReplaced(error)) throw error
      // Since the listing: what is there now is described. The service says so of a file that is gone, too.
      return register(ctx, { ...file, ...(await listed(ctx.blobs, file)) }, options)
    })
  } catch (error) {
    if (error instanceof AppError && error.code === 'BLOB_NOT_FOUND') return { outcome: 'gone', is_raster: false, warnings: [] }
    throw error
  }
}

const isReplaced = (error: unknown): boolean =>
  error instanceof AppError && (error.code === 'BLOB_CHANGED' || error.code === 'SOURCE_CHANGED')

async function listed(blobs: BlobStore, { container, name }: CataloguedFile): Promise<Partial<CataloguedFile>> {
  const { size, last_modified, etag, content_type, content_md5 } = await blobs.properties({ container, blob: name })
  return { size, last_modified, ...(etag ? { etag } : {}), ...(content_type ? { content_type } : {}), content_md5 }
}

async function register(ctx: StepContext, file: CataloguedFile, options: CatalogueOptions): Promise<CataloguedOutcome> {
  const found = await lookInto(ctx.blobs, file, options.mode)
  const { item, warnings } = await bronzeItem(file, found, { ...options, jobId: ctx.jobId, plan: ctx.attempt })
  const judged = assertItem(item, ctx.now())
  const outcome = await ctx.catalogue.putItem(item)
  const problem = found && 'problem' in found ? found.problem.code : undefined
  return {
    outcome,
    item_id: item.item_id,
    is_raster: Boolean(found && 'width' in found),
    ...(problem === undefined ? {} : { problem }),
    warnings: [...warnings.map((w) => w.code), ...judged],
  }
}

/** Undefined: nothing was to be read. */
async function lookInto(blobs: BlobStore, file: CataloguedFile, mode: CatalogueMode): Promise<DetectedFormat | undefined> {
  if (mode === 'quick' || !isTiffName(file.name)) return undefined
  const { container, name: blob, size, etag = '' } = file
  const broken = (code: string, message: string): DetectedFormat => ({
    format: 'TIFF',
    is_cog: false,
    problem: { code, message },
  })
  try {
    const found = await detectRaster(blobs, { container, blob, size, etag })
    return found ?? broken('NOT_TIFF', 'The name says TIFF, the bytes do not.')
  } catch (error) {
    if (error instanceof AppError && OF_THE_FILE.has(error.code)) return broken(error.code, error.message)
    throw error
  }
}
