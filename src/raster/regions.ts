// How an output is cut into regions, so that each fits into memory and needs no neighbour.
import { AppError } from '../rules/errors.ts'
import { LIMITS } from './limits.ts'
import { levelSizes } from './overview.ts'
import type { Rectangle } from './window.ts'

export interface Regions {
  readonly level: number
  /** Levels above `level` that each region makes. */
  readonly halvings: number
  /** Pixels of a region of this level: multiples of `tile size * 2 ** halvings`. */
  readonly regionWidth: number
  readonly regionHeight: number
  readonly columns: number
  readonly rows: number
  readonly width: number
  readonly height: number
}

/** Most halvings of one task: 3 makes regions of 8 x 8 tiles. */
const MOST_HALVINGS = 3
/** Of 50,000 that a blob may have, some are left for a header and for luck. */
const MOST_BLOCKS = 45_000

/** Largest number of halvings whose slab fits, or 0. */
export function halvingsThatFit(tile: number, bytesPerPixel: number, most: number): number {
  for (let k = Math.min(MOST_HALVINGS, most); k > 0; k--) if (tile * tile * 2 ** k * bytesPerPixel <= LIMITS.slabBytes) return k
  return 0
}

/**
 * @param size of the level
 * @param above how many levels of the output come above it
 * @param wide how many squares a region may be wide, where the source is read by whole rows
 */
export function cutIntoRegions(
  size: { readonly width: number; readonly height: number },
  level: number,
  above: number,
  { tile, bytesPerPixel, wide = 1 }: { tile: number; bytesPerPixel: number; wide?: number },
): Regions {
  const halvings = Math.max(Math.min(above, 1), halvingsThatFit(tile, bytesPerPixel, above))
  const square = tile * 2 ** halvings
  const needed = Math.ceil(size.width / square)
  // Half of what a square may take: the rows of a wide region are read whole beside it.
  const fitting = Math.max(1, Math.floor(LIMITS.slabBytes / 2 / (tile * square * bytesPerPixel)))
  const regionWidth = square * Math.min(needed, fitting, wide)
  return {
    level,
    halvings,
    regionWidth,
    regionHeight: square,
    columns: Math.ceil(size.width / regionWidth),
    rows: Math.ceil(size.height / square),
    ...size,
  }
}

export function regionArea({ regionWidth, regionHeight, width, height }: Regions, row: number, column: number): Rectangle {
  const [x, y] = [column * regionWidth, row * regionHeight]
  return { x, y, width: Math.min(regionWidth, width - x), height: Math.min(regionHeight, height - y) }
}

/** Every cut from the image to the last level, as tasks and assembly work through them. */
export function cutPyramid(
  size: { readonly width: number; readonly height: number },
  { tile, bytesPerPixel, wide = 1 }: { tile: number; bytesPerPixel: number; wide?: number },
): Regions[] {
  const levels = levelSizes(size.width, size.height, tile)
  const cuts: Regions[] = []
  for (let level = 0; ;) {
    const cut = cutIntoRegions(levels[level] as { width: number; height: number }, level, levels.length - 1 - level, {
      tile,
      bytesPerPixel,
      wide: level === 0 ? wide : 1,
    })
    cuts.push(cut)
    level += cut.halvings
    if (level >= levels.length - 1) return cuts
  }
}

/** Blocks of the finished blob, the header's included. @throws AppError `BLOCK_LIMIT` */
export function countBlocks(cuts: readonly Regions[], tile: number): number {
  let blocks = 1
  for (const [i, cut] of cuts.entries())
    for (let h = i === 0 ? 0 : 1; h <= cut.halvings; h++) blocks += cut.columns * Math.ceil(Math.ceil(cut.height / 2 ** h) / tile)
  if (blocks > MOST_BLOCKS)
    throw new AppError(
      'BLOCK_LIMIT',
      `The output would have ${blocks} blocks, more than ${MOST_BLOCKS}. Choose a larger tile_size.`,
    )
  return blocks
}
