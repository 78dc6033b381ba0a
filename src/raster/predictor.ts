// Predictors 2 (horizontal differencing, TIFF 6.0 section 14) and 3 (floating point, Adobe TIFF Technical Note 3), both ways, in place.
import type { Samples } from './samples.ts'

/**
 * Undoes differences of neighbours in native byte order.
 * @param rowSamples samples of a row; `step`: samples of a pixel
 */
export function undoHorizontal(data: Samples, rowSamples: number, step: number): void {
  if (data instanceof BigUint64Array || data instanceof BigInt64Array) return undoWide(data, rowSamples, step)
  const d = data as Uint8Array
  for (let row = 0; row < d.length; row += rowSamples) {
    const end = Math.min(row + rowSamples, d.length)
    for (let i = row + step; i < end; i++) d[i] = (d[i] as number) + (d[i - step] as number)
  }
}

function undoWide(data: BigUint64Array | BigInt64Array, rowSamples: number, step: number): void {
  for (let row = 0; row < data.length; row += rowSamples)
    for (let i = row + step; i < row + rowSamples; i++) data[i] = (data[i] as bigint) + (data[i - step] as bigint)
}

export function applyHorizontal(data: Samples, rowSamples: number, step: number): void {
  if (data instanceof BigUint64Array || data instanceof BigInt64Array) return applyWide(data, rowSamples, step)
  const d = data as Uint8Array
  for (let row = 0; row < d.length; row += rowSamples)
    for (let i = row + rowSamples - 1; i >= row + step; i--) d[i] = (d[i] as number) - (d[i - step] as number)
}

function applyWide(data: BigUint64Array | BigInt64Array, rowSamples: number, step: number): void {
  for (let row = 0; row < data.length; row += rowSamples)
    for (let i = row + rowSamples - 1; i >= row + step; i--) data[i] = (data[i] as bigint) - (data[i - step] as bigint)
}

/**
 * Byte planes, most significant first whatever the file's order, with differences of bytes, into little-endian samples.
 * @param rowSamples samples of a row; `step`: samples of a pixel; `size`: bytes of a sample
 */
export function undoFloatingPoint(bytes: Uint8Array, rowSamples: number, step: number, size: number): Uint8Array {
  const rowBytes = rowSamples * size
  const output = new Uint8Array(bytes.length)
  for (let row = 0; row < bytes.length; row += rowBytes) {
    for (let i = row + step; i < row + rowBytes; i++) bytes[i] = (bytes[i] as number) + (bytes[i - step] as number)
    for (let plane = 0; plane < size; plane++) {
      const from = row + plane * rowSamples
      const to = row + size - 1 - plane
      for (let i = 0; i < rowSamples; i++) output[to + i * size] = bytes[from + i] as number
    }
  }
  return output
}

/** Little-endian samples into byte planes with differences. */
export function applyFloatingPoint(bytes: Uint8Array, rowSamples: number, step: number, size: number): Uint8Array {
  const rowBytes = rowSamples * size
  const output = new Uint8Array(bytes.length)
  for (let row = 0; row < bytes.length; row += rowBytes) {
    for (let plane = 0; plane < size; plane++) {
      const to = row + plane * rowSamples
      const from = row + size - 1 - plane
      for (let i = 0; i < rowSamples; i++) output[to + i] = bytes[from + i * size] as number
    }
    for (let i = row + rowBytes - 1; i >= row + step; i--) output[i] = (output[i] as number) - (output[i - step] as number)
  }
  return output
}
