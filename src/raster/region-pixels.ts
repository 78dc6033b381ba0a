// Pixels of the output's own level, for its regions: those of the source, or warped ones.
import type { Pyramid } from './image.ts'
import type { RasterPlan } from './plan.ts'
import type { PixelSource } from './region.ts'
import { sourcePixels } from './source-pixels.ts'
import { warpPixels } from './warp.ts'

/** @throws AppError what opening the source throws */
export async function regionPixels(pyramid: Pyramid, plan: Pick<RasterPlan, 'form' | 'warp'>): Promise<PixelSource> {
  const plain = await sourcePixels(pyramid, plan.form)
  return plan.warp ? warpPixels(plain, plan.warp, plan.form) : plain
}
