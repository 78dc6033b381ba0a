// LZW of TIFF 6.0 (section 13): codes of 9 to 12 bits, most significant bit first. Table and output are bounded by construction.
import { AppError } from '../../rules/errors.ts'

const CLEAR = 256
const END = 257
const FIRST = 258
const MOST = 4096

/**
 * @param length bytes that must come out
 * @throws AppError `DECODE_OVERFLOW`, `DECODE_SHORT` (fewer than `least`), `DECODE_FAILED`, `CODEC_UNSUPPORTED` for the old bit order
 */
export function decodeLzw(input: Uint8Array, length: number, least: number): Uint8Array {
  // Old-style LZW (before TIFF 5.0's correction) is least significant bit first: its first code, 256, reads 00 01.
  if (input[0] === 0 && ((input[1] ?? 0) & 1) === 1)
    throw new AppError('CODEC_UNSUPPORTED', 'The LZW is old-style (least significant bit first).')
  const output = new Uint8Array(length)
  // An entry is where its string stands in the output: strings are never copied into the table.
  const starts = new Uint32Array(MOST)
  const lengths = new Uint16Array(MOST)
  let [next, width, at, previous, written] = [FIRST, 9, 0, -1, 0]
  const bits = input.length * 8
  while (at + width <= bits) {
    const byte = at >>> 3
    const three = ((input[byte] as number) << 16) | ((input[byte + 1] ?? 0) << 8) | (input[byte + 2] ?? 0)
    const code = (three >>> (24 - width - (at & 7))) & ((1 << width) - 1)
    at += width
    if (code === END) break
    if (code === CLEAR) {
      ;[next, width, previous] = [FIRST, 9, -1]
      continue
    }
    if (code > next || (code === next && previous < 0) || (code >= FIRST && previous < 0))
      throw new AppError('DECODE_FAILED', `LZW code ${code} is not in the table.`)
    const start = written
    const size = code < 256 ? 1 : code === next ? (lengthOf(previous, lengths) as number) + 1 : (lengths[code] as number)
    if (written + size > length) throw new AppError('DECODE_OVERFLOW', `LZW gives more than ${length} bytes.`)
    if (code < 256) output[written++] = code
    else {
      const from = code === next ? start - size + 1 : (starts[code] as number)
      for (let i = 0; i < size; i++) output[written++] = output[from + i] as number
    }
    if (previous >= 0 && next < MOST) {
      // The string before, and the first byte of this one, which stands right behind it.
      lengths[next] = lengthOf(previous, lengths) + 1
      starts[next] = start - lengthOf(previous, lengths)
      next++
    }
    previous = code
    if (next + 1 >= 1 << width && width < 12) width++
  }
  if (written < least) throw new AppError('DECODE_SHORT', `LZW gives ${written} of ${length} bytes.`)
  return output
}

const lengthOf = (code: number, lengths: Uint16Array): number => (code < 256 ? 1 : (lengths[code] as number))
