// Internal masks (NewSubfileType bit 2): one bit or one byte a pixel, 1 where there is data. TIFF 6.0, page 36; GDAL RFC 15.
import { AppError } from '../rules/errors.ts'
import { decodeLzw } from './codecs/lzw.ts'
import { decodePackbits } from './codecs/packbits.ts'
import { inflate } from './codecs/zlib.ts'
import { type ChunkTable, readChunkTable } from './chunk-table.ts'
import type { TiffFile } from './directory.ts'
import type { TiffImage } from './image.ts'
import type { Rectangle } from './window.ts'
import { compressionName, COMPRESSION } from './tags.ts'

export class MaskReader {
  readonly #file: TiffFile
  readonly #image: TiffImage
  readonly #table: ChunkTable

  private constructor(file: TiffFile, image: TiffImage, table: ChunkTable) {
    this.#file = file
    this.#image = image
    this.#table = table
  }

  /** @throws AppError `SAMPLE_UNSUPPORTED`, `CODEC_UNSUPPORTED`, `TIFF_TRUNCATED` */
  static async open(file: TiffFile, image: TiffImage): Promise<MaskReader> {
    const { name, size } = file.source
    const bits = image.bits[0] ?? 1
    if (image.bands !== 1 || (bits !== 1 && bits !== 8))
      throw new AppError(
        'SAMPLE_UNSUPPORTED',
        `${name} has a mask of ${image.bands} bands of ${bits} bits; 1 band of 1 or 8 bits is read.`,
      )
    const known: number[] = [
      COMPRESSION.none,
      COMPRESSION.lzw,
      COMPRESSION.deflate,
      COMPRESSION.deflateOld,
      COMPRESSION.packbits,
      COMPRESSION.zstd,
    ]
    if (!known.includes(image.compression))
      throw new AppError(
        'CODEC_UNSUPPORTED',
        `${name} has a mask compressed with ${compressionName(image.compression)}, which is not read.`,
      )
    return new MaskReader(file, image, await readChunkTable(image, name, size))
  }

  /** 255 where there is data, else 0. */
  async window(area: Rectangle): Promise<Uint8Array> {
    const output = new Uint8Array(area.width * area.height)
    const { across, chunkWidth, chunkHeight } = this.#image
    for (let row = Math.floor(area.y / chunkHeight); row * chunkHeight < area.y + area.height; row++)
      for (let column = Math.floor(area.x / chunkWidth); column * chunkWidth < area.x + area.width; column++) {
        const bits = await this.#chunk(row * across + column, row)
        if (bits) this.#copy(bits, column * chunkWidth, row * chunkHeight, area, output)
      }
    return output
  }

  /** Undefined: left out, all 0. */
  async #chunk(index: number, row: number): Promise<Uint8Array | undefined> {
    const [offset, count] = [this.#table.offsets[index] as number, this.#table.counts[index] as number]
    if (offset === 0 || count === 0) return undefined
    const { chunkHeight, height, compression } = this.#image
    const raw = await this.#file.source.read(offset, count)
    const length = this.#rowBytes * chunkHeight
    const least = this.#rowBytes * Math.min(chunkHeight, height - row * chunkHeight)
    if (compression === COMPRESSION.none) {
      if (raw.length < least) throw new AppError('DECODE_SHORT', `A mask block has ${raw.length} of ${least} bytes.`)
      return raw
    }
    if (compression === COMPRESSION.lzw) return decodeLzw(raw, length, least)
    if (compression === COMPRESSION.packbits) return decodePackbits(raw, length, least)
    return inflate(raw, length, least, compression === COMPRESSION.zstd ? 'zstd' : 'deflate')
  }

  get #rowBytes(): number {
    return Math.ceil((this.#image.chunkWidth * (this.#image.bits[0] ?? 1)) / 8)
  }

  #copy(bits: Uint8Array, left: number, top: number, area: Rectangle, output: Uint8Array): void {
    const { chunkWidth, chunkHeight } = this.#image
    const isBits = (this.#image.bits[0] ?? 1) === 1
    for (let y = Math.max(top, area.y); y < Math.min(top + chunkHeight, area.y + area.height); y++)
      for (let x = Math.max(left, area.x); x < Math.min(left + chunkWidth, area.x + area.width); x++) {
        const column = x - left
        const at = (y - top) * this.#rowBytes
        const is = isBits ? (bits[at + (column >> 3)] as number) & (128 >> (column & 7)) : bits[at + column]
        if (is) output[(y - area.y) * area.width + x - area.x] = 255
      }
  }
}
