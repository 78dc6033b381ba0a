// Small pixels that tasks leave for the levels above theirs: staged blocks cannot be read back, so each region's top level is kept apart.
import { createHash } from 'node:crypto'
import { deflateSync, inflateSync } from 'node:zlib'
import { LRUCache } from 'lru-cache'
import { AppError } from '../rules/errors.ts'
import type { PixelSource } from './region.ts'
import { bytesOfType, bytesOver, type DecodedType, newSamples, type Pixels, samplesOver } from './samples.ts'
import type { Rectangle } from './window.ts'

/** A level cut into regions, row by row. */
export interface SideGrid {
  readonly level: number
  /** Pixels of the level. */
  readonly width: number
  readonly height: number
  /** Pixels of a region; the last of a row or column may have fewer. */
  readonly regionWidth: number
  readonly regionHeight: number
  readonly bands: number
  readonly dtype: DecodedType
  readonly hasMask: boolean
}

/** Keeps bytes by level, row and column of the grid. */
export interface SideStore {
  put(level: number, row: number, column: number, bytes: Uint8Array): Promise<void>
  /** @throws AppError `BLOB_NOT_FOUND` */
  get(level: number, row: number, column: number): Promise<Uint8Array>
}

/** SHA-256 of samples and mask, in hex. */
export function digestOf({ data, mask }: Pixels): string {
  const hash = createHash('sha256').update(bytesOver(data))
  if (mask) hash.update(mask)
  return hash.digest('hex')
}

/** Level 1: small pixels of a large raster are many, and they are read once. */
export function packPixels({ data, mask }: Pixels): Uint8Array {
  return deflateSync(mask ? Buffer.concat([bytesOver(data), mask]) : bytesOver(data), { level: 1 })
}

const CACHE_BYTES = 24 * 1024 * 1024

/**
 * The level as a source of pixels.
 * @param digests of the regions row by row
 * @throws AppError (each window) `SIDE_BLOB_LOST`
 */
export function sidePixels(grid: SideGrid, store: SideStore, digests: ReadonlyMap<string, string>): PixelSource {
  const cache = new LRUCache<string, Pixels>({
    maxSize: CACHE_BYTES,
    maxEntrySize: CACHE_BYTES * 4,
    sizeCalculation: (p) => Math.max(1, p.data.byteLength),
  })
  const load = async (row: number, column: number): Promise<Pixels> => {
    const key = `${row}_${column}`
    const known = cache.get(key)
    if (known) return known
    const pixels = await unpack(grid, store, row, column, digests.get(key))
    cache.set(key, pixels)
    return pixels
  }
  return {
    async window(area) {
      const { bands, dtype, hasMask, regionWidth, regionHeight } = grid
      const data = newSamples(dtype, area.width * area.height * bands)
      const mask = hasMask ? new Uint8Array(area.width * area.height) : undefined
      const target: Pixels = { width: area.width, height: area.height, bands, dtype, data, mask }
      for (let row = Math.floor(area.y / regionHeight); row * regionHeight < area.y + area.height; row++)
        for (let column = Math.floor(area.x / regionWidth); column * regionWidth < area.x + area.width; column++)
          copyInto(target, area, await load(row, column), column * regionWidth, row * regionHeight)
      return target
    },
  }
}

async function unpack(
  grid: SideGrid,
  store: SideStore,
  row: number,
  column: number,
  digest: string | undefined,
): Promise<Pixels> {
  const width = Math.min(grid.regionWidth, grid.width - column * grid.regionWidth)
  const height = Math.min(grid.regionHeight, grid.height - row * grid.regionHeight)
  const samples = width * height * grid.bands * bytesOfType(grid.dtype)
  const length = samples + (grid.hasMask ? width * height : 0)
  const what = `the small pixels of tile x${column} y${row} (level ${grid.level})`
  let bytes: Buffer
  try {
    bytes = inflateSync(await store.get(grid.level, row, column), { maxOutputLength: length + 1 })
  } catch (error) {
    if (error instanceof AppError && error.code !== 'BLOB_NOT_FOUND') throw error
    throw new AppError('SIDE_BLOB_LOST', `${what} are gone or damaged. Run the job again.`, { cause: error })
  }
  const own = new Uint8Array(bytes)
  const pixels: Pixels = {
    width,
    height,
    bands: grid.bands,
    dtype: grid.dtype,
    data: samplesOver(grid.dtype, own.subarray(0, samples)),
    mask: grid.hasMask ? own.subarray(samples) : undefined,
  }
  if (own.length === length && (digest === undefined || digestOf(pixels) === digest)) return pixels
  throw new AppError('SIDE_BLOB_LOST', `${what} are not those that its task made. Run the job again.`)
}

/** Copies where a piece at `left`, `top` meets the area. */
export function copyInto(target: Pixels, area: Rectangle, piece: Pixels, left: number, top: number): void {
  const x0 = Math.max(left, area.x)
  const x1 = Math.min(left + piece.width, area.x + area.width)
  if (x1 <= x0) return
  const [to, from] = [target.data as Uint8Array, piece.data as Uint8Array]
  for (let y = Math.max(top, area.y); y < Math.min(top + piece.height, area.y + area.height); y++) {
    const source = (y - top) * piece.width + (x0 - left)
    const place = (y - area.y) * area.width + (x0 - area.x)
    to.set(from.subarray(source * piece.bands, (source + x1 - x0) * piece.bands), place * piece.bands)
    if (target.mask && piece.mask) target.mask.set(piece.mask.subarray(source, source + x1 - x0), place)
  }
}
