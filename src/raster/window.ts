// Any rectangle of any layout: strips and tiles, chunky and planar, read in few ranges and decoded once.
import { LRUCache } from 'lru-cache'
import pLimit from 'p-limit'
import { AppError } from '../rules/errors.ts'
import { assertCodec, chunkBytes, type ChunkForm, decodeChunk, emptyChunk } from './chunk-decoder.ts'
import { type ChunkTable, readChunkTable } from './chunk-table.ts'
import type { TiffFile } from './directory.ts'
import { assertReadable, bytesPerSample, type DataType, type TiffImage } from './image.ts'
import type { RangeSource } from './range-source.ts'
import { decodedType, newSamples, parseNodata, type Pixels, type Samples, type SampleValue } from './samples.ts'
import { LIMITS } from './limits.ts'
import { COMPRESSION, TAG } from './tags.ts'

export interface Rectangle {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Neighbours this close are one read, and one read is at most so large. */
const GAP = 16 * 1024
/** Between parts of rows: less than what another request costs. */
const ROW_GAP = 64 * 1024
const READ_BYTES = 8 * 1024 * 1024
const READS_AT_ONCE = 4
/** Decoded chunks that the next window is likely to need again. */
const CACHE_BYTES = 24 * 1024 * 1024

interface Wanted {
  readonly index: number
  readonly offset: number
  readonly count: number
}

/** Decoded chunks by reader and number, bounded by their bytes; several readers may share one. */
export type ChunkCache = LRUCache<string, Samples>
export const newChunkCache = (bytes: number): ChunkCache =>
  new LRUCache({
    maxSize: bytes,
    maxEntrySize: Math.max(bytes, LIMITS.blockBytes),
    sizeCalculation: (s) => Math.max(1, s.byteLength),
  })

let readers = 0

/** Reads pixels of one image of a file. */
export class ImageReader {
  readonly image: TiffImage
  readonly nodata: SampleValue | undefined
  readonly #source: RangeSource
  readonly #form: ChunkForm
  readonly #table: ChunkTable
  readonly #cache: ChunkCache
  readonly #id = `${readers++}/`

  private constructor(source: RangeSource, form: ChunkForm, table: ChunkTable, cache: ChunkCache) {
    this.image = form.image
    this.nodata = parseNodata(form.image.nodataText, form.image.dtype as DataType)
    this.#source = source
    this.#form = form
    this.#table = table
    this.#cache = cache
  }

  /** @throws AppError when the image is none that is read; see assertReadable, assertCodec, readChunkTable */
  static async open(file: TiffFile, image: TiffImage, cache?: ChunkCache): Promise<ImageReader> {
    const { name, size } = file.source
    assertReadable(image, name)
    assertCodec(image, name)
    const form = {
      image,
      isLittle: file.encoding.little,
      jpegTables: image.compression === COMPRESSION.jpeg ? await image.directory.bytes(TAG.jpegTables) : undefined,
      step: image.planar === 2 ? 1 : image.bands,
    }
    return new ImageReader(
      file.source,
      form,
      await readChunkTable(image, name, size),
      cache ?? newChunkCache(Math.max(CACHE_BYTES, chunkBytes(form))),
    )
  }

  /**
   * @param bands 0-based, in the order of the answer; default all
   * @throws AppError `WINDOW_OUTSIDE`, `SOURCE_CHANGED`, and the codes of decoding
   */
  async window(area: Rectangle, bands?: readonly number[]): Promise<Pixels> {
    const { image } = this
    const chosen = bands ?? Array.from({ length: image.bands }, (_, i) => i)
    assertWithin(area, image)
    const dtype = decodedType(image.dtype as DataType)
    const data = newSamples(dtype, area.width * area.height * chosen.length)
    const target = { area, bands: chosen, data }
    if (image.compression === COMPRESSION.none && !image.isTiled && image.fillOrder === 1 && image.predictor === 1)
      await this.#rows(target)
    else await this.#chunks(target)
    return { width: area.width, height: area.height, bands: chosen.length, dtype, data }
  }

  async #chunks(target: Target): Promise<void> {
    const wanted = this.#chunksOf(target)
    const missing: Wanted[] = []
    for (const index of wanted) {
      const held = this.#cache.get(this.#id + index)
      const [offset, count] = [this.#table.offsets[index] as number, this.#table.counts[index] as number]
      if (held) this.#copy(index, held, target)
      else if (offset === 0 || count === 0) this.#copy(index, emptyChunk(this.#form, this.nodata ?? 0), target)
      else missing.push({ index, offset, count })
    }
    await pLimit(READS_AT_ONCE).map(grouped(missing), async (group) => {
      const first = group[0] as Wanted
      const last = group.at(-1) as Wanted
      const bytes = await this.#source.read(first.offset, last.offset + last.count - first.offset)
      for (const { index, offset, count } of group) {
        const raw = bytes.subarray(offset - first.offset, offset - first.offset + count)
        const samples = await this.#decode(index, raw)
        this.#cache.set(this.#id + index, samples)
        this.#copy(index, samples, target)
      }
    })
  }

  async #decode(index: number, raw: Uint8Array): Promise<Samples> {
    const { down, across, chunkHeight, height } = this.image
    const row = Math.floor((index % (across * down)) / across)
    try {
      return await decodeChunk(this.#form, raw, Math.min(chunkHeight, height - row * chunkHeight))
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      throw new AppError(error.code, `${this.#source.name}, tile or strip ${index}: ${error.message}`, { cause: error })
    }
  }

  #chunksOf({ area, bands }: Target): number[] {
    const { across, down, chunkWidth, chunkHeight, planar } = this.image
    const found: number[] = []
    for (const plane of planar === 2 ? bands : [0])
      for (let row = Math.floor(area.y / chunkHeight); row * chunkHeight < area.y + area.height; row++)
        for (let column = Math.floor(area.x / chunkWidth); column * chunkWidth < area.x + area.width; column++)
          found.push(plane * across * down + row * across + column)
    return found
  }

  #copy(index: number, chunk: Samples, { area, bands, data }: Target): void {
    const { across, down, chunkWidth, chunkHeight, planar } = this.image
    const plane = Math.floor(index / (across * down))
    const left = ((index % (across * down)) % across) * chunkWidth
    const top = Math.floor((index % (across * down)) / across) * chunkHeight
    const x0 = Math.max(left, area.x)
    const x1 = Math.min(left + chunkWidth, area.x + area.width)
    const y1 = Math.min(top + chunkHeight, area.y + area.height)
    for (let y = Math.max(top, area.y); y < y1; y++) {
      const from = (y - top) * chunkWidth + (x0 - left)
      const to = (y - area.y) * area.width + (x0 - area.x)
      if (planar === 2) copyPlane(chunk, from, { data, to, step: bands.length, band: bands.indexOf(plane) }, x1 - x0)
      else copyPixels(chunk, from * this.#form.step, this.#form.step, { data, to: to * bands.length, bands }, x1 - x0)
    }
  }

  /** Uncompressed strips: rows, or parts of rows, as ranges; the strip as a whole is never needed. */
  async #rows(target: Target): Promise<void> {
    const { image } = this
    const { area, bands } = target
    const step = this.#form.step
    const size = bytesPerSample(image)
    const isWide = area.width * 4 >= image.width
    const [x, width] = isWide ? [0, image.width] : [area.x, area.width]
    const segments: (Wanted & { readonly y: number; readonly plane: number })[] = []
    for (const plane of image.planar === 2 ? bands : [0])
      for (let y = area.y; y < area.y + area.height; y++) {
        const index = plane * image.down + Math.floor(y / image.chunkHeight)
        const start = this.#table.offsets[index] as number
        const inStrip = ((y % image.chunkHeight) * image.width + x) * step * size
        const count = width * step * size
        if (start === 0 || (this.#table.counts[index] as number) === 0) continue
        if (inStrip + count > (this.#table.counts[index] as number))
          throw new AppError('DECODE_SHORT', `${this.#source.name}, strip ${index}: row ${y} lies beyond its byte count.`)
        segments.push({ index, offset: start + inStrip, count, y, plane })
      }
    if (this.nodata !== undefined && segments.length < area.height * (image.planar === 2 ? bands.length : 1))
      (target.data as Uint8Array).fill(this.nodata as number)
    await pLimit(READS_AT_ONCE).map(grouped(segments, ROW_GAP), async (group) => {
      const first = group[0] as Wanted
      const last = group.at(-1) as Wanted
      const bytes = await this.#source.read(first.offset, last.offset + last.count - first.offset)
      for (const { offset, count, y, plane } of group) {
        const row = { ...this.#form, image: { ...image, chunkWidth: width, chunkHeight: 1 } }
        const samples = await decodeChunk(row, bytes.subarray(offset - first.offset, offset - first.offset + count), 1)
        const [from, to] = [area.x - x, (y - area.y) * area.width]
        if (image.planar === 2)
          copyPlane(samples, from, { data: target.data, to, step: bands.length, band: bands.indexOf(plane) }, area.width)
        else copyPixels(samples, from * step, step, { data: target.data, to: to * bands.length, bands }, area.width)
      }
    })
  }
}

interface Target {
  readonly area: Rectangle
  readonly bands: readonly number[]
  readonly data: Samples
}

/** @throws AppError `WINDOW_OUTSIDE` */
function assertWithin({ x, y, width, height }: Rectangle, image: TiffImage): void {
  if (x >= 0 && y >= 0 && width > 0 && height > 0 && x + width <= image.width && y + height <= image.height) return
  throw new AppError(
    'WINDOW_OUTSIDE',
    `The window ${x},${y} of ${width} x ${height} pixels is not within ${image.width} x ${image.height}.`,
  )
}

/** In file order, neighbours together. */
function grouped<T extends Wanted>(wanted: readonly T[], gap = GAP): T[][] {
  const groups: T[][] = []
  let current: T[] = []
  for (const next of [...wanted].sort((a, b) => a.offset - b.offset)) {
    const first = current[0]
    const last = current.at(-1)
    const joins =
      first &&
      last &&
      next.offset - (last.offset + last.count) <= gap &&
      next.offset + next.count - first.offset <= READ_BYTES &&
      next.offset >= last.offset + last.count
    if (joins) current.push(next)
    else groups.push((current = [next]))
  }
  return groups
}

interface PixelTarget {
  readonly data: Samples
  readonly to: number
  readonly bands: readonly number[]
}

function copyPixels(from: Samples, start: number, step: number, { data, to, bands }: PixelTarget, pixels: number): void {
  if (bands.length === step && bands.every((b, i) => b === i)) {
    ;(data as Uint8Array).set((from as Uint8Array).subarray(start, start + pixels * step), to)
    return
  }
  const [d, f] = [data as Uint8Array, from as Uint8Array]
  for (let i = 0; i < pixels; i++)
    for (let b = 0; b < bands.length; b++) d[to + i * bands.length + b] = f[start + i * step + (bands[b] as number)] as number
}

interface PlaneTarget {
  readonly data: Samples
  readonly to: number
  readonly step: number
  readonly band: number
}

function copyPlane(from: Samples, start: number, { data, to, step, band }: PlaneTarget, pixels: number): void {
  const [d, f] = [data as Uint8Array, from as Uint8Array]
  for (let i = 0; i < pixels; i++) d[(to + i) * step + band] = f[start + i] as number
}
