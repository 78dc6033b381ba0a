// How one raster becomes one COG: its form, its regions, what each task needs. Nothing of the pixels is read for it.
import * as z from 'zod'
import { AppError } from '../rules/errors.ts'
import { type Pyramid, type TiffImage } from './image.ts'
import { LIMITS } from './limits.ts'
import type { Conversion } from './options.ts'
import { OutputForm } from './output.ts'
import { type FormWarning, outputFormOf } from './output-form.ts'
import { countBlocks, cutPyramid, type Regions, regionArea } from './regions.ts'
import { bytesOfType } from './samples.ts'
import { COMPRESSION } from './tags.ts'
import { planWarp, sourceWindow, WarpPlan } from './warp-plan.ts'
import type { Rectangle } from './window.ts'

const Cut = z.object({
  level: z.int(),
  halvings: z.int(),
  regionWidth: z.int(),
  regionHeight: z.int(),
  columns: z.int(),
  rows: z.int(),
  width: z.int(),
  height: z.int(),
})

export const RasterPlan = z.object({
  source: z.object({ container: z.string(), blob: z.string(), etag: z.string(), size: z.int() }),
  form: OutputForm,
  /** Of the image first, then what assembly does. */
  cuts: z.array(Cut),
  warp: WarpPlan.nullable(),
  blocks: z.int(),
  read_amplification: z.number(),
  memory_mb: z.int(),
  warnings: z.array(z.object({ code: z.string(), message: z.string() })),
})
export type RasterPlan = z.infer<typeof RasterPlan>

/** A process before it has a pixel, in MB; measured. */
const BASE_MB = 110

/**
 * @throws AppError of the options, `SOURCE_LAYOUT`, `BLOCK_LIMIT`, `CRS_*`, `WARP_*`
 */
export async function planRaster(pyramid: Pyramid, source: RasterPlan['source'], options: Conversion): Promise<RasterPlan> {
  const { form: plain, warnings } = await outputFormOf(pyramid, options)
  const warped = options.target_crs === undefined ? undefined : await planWarp(pyramid, plain, options)
  const form = warped?.form ?? plain
  const bytesPerPixel = form.bands * bytesOfType(form.dtype) + (form.has_mask ? 1 : 0)
  const wide = readsRows(pyramid.main) ? Number.MAX_SAFE_INTEGER : 1
  const cuts = cutPyramid(form, { tile: form.tile_size, bytesPerPixel, wide })
  const blocks = countBlocks(cuts, form.tile_size)
  const base = cuts[0] as Regions
  const read_amplification = amplification(pyramid.main, base, warped?.warp)
  if (read_amplification > LIMITS.readAmplification) throw layoutRefusal(pyramid, read_amplification, warped !== undefined)
  const slab = form.tile_size * Math.min(base.regionWidth, form.width) * bytesPerPixel
  return {
    source,
    form,
    cuts,
    warp: warped?.warp ?? null,
    blocks,
    read_amplification,
    memory_mb: Math.ceil(BASE_MB + (slab * 2.2 + 24 * 2 ** 20) / 1e6),
    warnings: [...warnings, ...(warped?.warnings ?? [])] satisfies FormWarning[],
  }
}

/** Of compressed strips a part of a row costs the whole; of others it is a read of its own for each row. */
const readsRows = (image: TiffImage): boolean => !image.isTiled

function layoutRefusal({ file, main }: Pyramid, times: number, isWarped: boolean): AppError {
  const layout = main.isTiled ? 'tiles' : 'strips'
  const remedy = isWarped ? 'Run once without target_crs, then warp that COG' : 'Rewrite it with tiles'
  return new AppError(
    'SOURCE_LAYOUT',
    `${file.source.name} has ${layout} of ${main.chunkWidth} x ${main.chunkHeight} pixels: its tasks would read it ${times.toFixed(1)} times over, more than ${LIMITS.readAmplification}. ${remedy}.`,
  )
}

/** Decoded bytes that all regions ask for, over those of the image; chunks in a region's reach count whole. */
function amplification(image: TiffImage, cut: Regions, warp: WarpPlan | undefined): number {
  if (image.compression === COMPRESSION.none && !image.isTiled && !warp) return 1
  let chunks = 0
  for (let row = 0; row < cut.rows; row++)
    for (let column = 0; column < cut.columns; column++) {
      const area = regionArea(cut, row, column)
      const reach: Rectangle | undefined = warp ? sourceWindow(warp, area) : area
      if (!reach) continue
      const across = Math.ceil((reach.x + reach.width) / image.chunkWidth) - Math.floor(reach.x / image.chunkWidth)
      const down = Math.ceil((reach.y + reach.height) / image.chunkHeight) - Math.floor(reach.y / image.chunkHeight)
      chunks += across * down
    }
  return Math.round((chunks / (image.across * image.down)) * 100) / 100
}

/** Decoded size of the output, and a guess of what it becomes: half, or a tenth in a lossy picture. */
export function estimatedBytes({ form }: RasterPlan): number {
  const raw = form.width * form.height * form.bands * bytesOfType(form.dtype) * (4 / 3)
  return Math.round(form.compression === 'jpeg' || form.compression === 'webp' ? raw / 10 : raw / 2)
}
