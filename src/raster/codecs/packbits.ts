// PackBits (TIFF 6.0, section 9).
import { AppError } from '../../rules/errors.ts'

/** @throws AppError `DECODE_OVERFLOW`, `DECODE_SHORT` (fewer than `least`) */
export function decodePackbits(input: Uint8Array, length: number, least: number): Uint8Array {
  const output = new Uint8Array(length)
  let written = 0
  for (let at = 0; at < input.length && written < length;) {
    const head = input[at++] as number
    if (head === 128) continue
    const count = head < 128 ? head + 1 : 257 - head
    if (written + count > length) throw new AppError('DECODE_OVERFLOW', `PackBits gives more than ${length} bytes.`)
    if (head < 128) {
      const run = input.subarray(at, at + count)
      output.set(run, written)
      written += run.length
      at += count
    } else if (at < input.length) {
      output.fill(input[at++] as number, written, written + count)
      written += count
    }
  }
  if (written < least) throw new AppError('DECODE_SHORT', `PackBits gives ${written} of ${length} bytes.`)
  return output
}
