// Bytes of a file's directories: few large reads, each kept, bounded in all.
import { AppError } from '../rules/errors.ts'
import { LIMITS } from './limits.ts'
import type { RangeSource } from './range-source.ts'

const FIRST_READ = 32 * 1024

/** Reads grow from 32 KiB by doubling: a COG's directories need one read, out-of-order files about one a directory. */
export class HeaderBytes {
  readonly source: RangeSource
  readonly #pieces: { readonly start: number; readonly bytes: Uint8Array }[] = []
  #next = FIRST_READ
  #total = 0

  constructor(source: RangeSource) {
    this.source = source
  }

  /**
   * @param most what follows is likely to be asked for too: read along, at most so much
   * @throws AppError `TIFF_CORRUPT` outside the file, `TIFF_HEADER_LIMIT`
   */
  async at(offset: number, length: number): Promise<Uint8Array> {
    const { size, name } = this.source
    if (offset < 0 || offset + length > size)
      throw new AppError('TIFF_CORRUPT', `${name}: ${length} bytes at ${offset} lie outside the file of ${size} bytes.`)
    const held = this.#held(offset, length)
    if (held) return held
    // An IFD behind the data is near the end: what stands before it is read along, so that values before it are there too.
    const wanted = Math.min(Math.max(length, this.#next), size)
    const start = Math.max(0, Math.min(offset, size - wanted))
    const end = Math.max(offset + length, start + wanted)
    this.#total += end - start
    if (this.#total > LIMITS.headerBytes)
      throw new AppError('TIFF_HEADER_LIMIT', `${name}: directories need more than ${LIMITS.headerBytes} bytes.`)
    this.#pieces.push({ start, bytes: await this.source.read(start, end - start) })
    this.#next *= 2
    return this.#held(offset, length) as Uint8Array
  }

  #held(offset: number, length: number): Uint8Array | undefined {
    const piece = this.#pieces.find((p) => p.start <= offset && offset + length <= p.start + p.bytes.length)
    return piece?.bytes.subarray(offset - piece.start, offset - piece.start + length)
  }
}
