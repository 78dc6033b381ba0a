// A raster that is looked at: directories and readers, kept for the next look at the same version.
import { LRUCache } from 'lru-cache'
import type { BlobStore } from '../models/blob-store.ts'
import { AppError } from '../rules/errors.ts'
import { readTiff } from './directory.ts'
import { describePyramid } from './describe.ts'
import { type DataType, type Pyramid, readPyramid, type TiffImage } from './image.ts'
import { MaskReader } from './mask.ts'
import type { RasterInfo } from '../models/raster.ts'
import { blobSource, countedSource } from './range-source.ts'
import type { PixelSource } from './region.ts'
import { bytesOfType, decodedType } from './samples.ts'
import type { PinnedSource } from './tasks.ts'
import { ImageReader, newChunkCache } from './window.ts'

/** Decoded tiles of all files and levels: the next look mostly needs neighbours of this one's. */
const chunks = newChunkCache(64 * 1024 * 1024)
const FILES = 64
/** Decoded bytes that one look may need: a raster without overviews is too large to be looked at as a whole. */
const LOOK_BYTES = 64 * 1024 * 1024

export interface Level extends PixelSource {
  readonly width: number
  readonly height: number
  /** 0: the image itself. */
  readonly number: number
}

export class OpenedRaster {
  readonly name: string
  readonly pyramid: Pyramid
  readonly info: RasterInfo
  readonly #levels = new Map<string, Promise<PixelSource>>()

  private constructor(name: string, pyramid: Pyramid, info: RasterInfo) {
    this.name = name
    this.pyramid = pyramid
    this.info = info
  }

  static async open(blobs: BlobStore, source: PinnedSource): Promise<OpenedRaster> {
    const counted = countedSource(blobSource(blobs, source))
    const pyramid = await readPyramid(await readTiff(counted))
    const info = await describePyramid(pyramid)
    const { bytesRead: bytes_read, reads } = counted
    return new OpenedRaster(`${source.container}/${source.blob}`, pyramid, { ...info, bytes_read, reads })
  }

  get dtype(): DataType {
    return this.pyramid.main.dtype as DataType
  }

  /**
   * @param bidx 1-based; default all
   * @returns 0-based
   * @throws AppError `BAND_UNKNOWN`
   */
  bandsOf(bidx: readonly number[] | undefined): number[] {
    const { bands } = this.pyramid.main
    const unknown = bidx?.find((b) => b > bands)
    if (unknown !== undefined)
      throw new AppError('BAND_UNKNOWN', `bidx names ${unknown}, but ${this.name} has ${bands} bands.`, {
        issues: [{ path: 'bidx', message: `must be within 1-${bands}` }],
      })
    return bidx?.map((b) => b - 1) ?? Array.from({ length: bands }, (_, i) => i)
  }

  /** Sizes from the image down. */
  get sizes(): { readonly width: number; readonly height: number }[] {
    return [this.pyramid.main, ...this.pyramid.overviews.map((o) => o.image)]
  }

  /**
   * @param number 0: the image; n: its nth overview
   * @param bands 0-based
   * Pixels with a mask: 255 where there is data by the internal mask.
   */
  level(number: number, bands: readonly number[]): Promise<PixelSource> {
    const key = `${number}/${bands.join(',')}`
    const known = this.#levels.get(key)
    if (known) return known
    const opened = this.#open(number, bands)
    this.#levels.set(key, opened)
    opened.catch(() => this.#levels.delete(key))
    return opened
  }

  async #open(number: number, bands: readonly number[]): Promise<PixelSource> {
    const { file, main, mask, overviews } = this.pyramid
    const image: TiffImage = number === 0 ? main : (overviews[number - 1]?.image as TiffImage)
    const maskImage = number === 0 ? mask : overviews[number - 1]?.mask
    const reader = await ImageReader.open(file, image, chunks)
    const masks = maskImage ? await MaskReader.open(file, maskImage) : undefined
    return {
      window: async (area) => {
        this.assertLook(area.width * area.height)
        const pixels = await reader.window(area, bands)
        return { ...pixels, mask: masks ? await masks.window(area) : undefined }
      },
    }
  }

  /** @throws AppError `LOOK_TOO_LARGE` */
  assertLook(pixels: number): void {
    const bytes = pixels * this.pyramid.main.bands * bytesOfType(decodedType(this.dtype))
    if (bytes <= LOOK_BYTES) return
    throw new AppError(
      'LOOK_TOO_LARGE',
      `${this.name}: looking at this would decode ${Math.round(bytes / 1e6)} MB, more than ${Math.round(LOOK_BYTES / 1e6)}. Ask for less, or run process_raster: its output has overviews.`,
    )
  }
}

const opened = new LRUCache<string, Promise<OpenedRaster>>({ max: FILES })

/** By container, blob and ETag: a new version is another raster. */
export function openRaster(blobs: BlobStore, source: PinnedSource): Promise<OpenedRaster> {
  const key = `${source.container}/${source.blob}\n${source.etag}`
  const known = opened.get(key)
  if (known) return known
  const raster = OpenedRaster.open(blobs, source)
  opened.set(key, raster)
  raster.catch(() => opened.delete(key))
  return raster
}
