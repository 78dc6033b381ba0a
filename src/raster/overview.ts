// Halving an image: 2 x 2 pixels become one; at an odd edge only those that exist count. Rounding follows GDAL (gcore/overview.cpp).
import { isFloat, isSigned, isWide, newSamples, type Pixels, rangeOf, type Samples, type SampleValue } from './samples.ts'

export type OverviewMethod = 'nearest' | 'average' | 'mode'

export interface OverviewRules {
  readonly method: OverviewMethod
  /** In the type of the samples; such a sample is missing. */
  readonly nodata: SampleValue | undefined
  /** 0-based alpha band: colours count where it is above 0. */
  readonly alpha: number | undefined
}

/**
 * @param pixels its first row and column are even ones of the level
 * @returns `ceil(width / 2)` x `ceil(height / 2)` pixels; a mask where there was one: 255 where any of the four is valid
 */
export function halve(pixels: Pixels, rules: OverviewRules): Pixels {
  const width = Math.ceil(pixels.width / 2)
  const height = Math.ceil(pixels.height / 2)
  const half: Pixels = {
    width,
    height,
    bands: pixels.bands,
    dtype: pixels.dtype,
    data: newSamples(pixels.dtype, width * height * pixels.bands),
    mask: pixels.mask ? halveMask(pixels.mask, pixels.width, pixels.height) : undefined,
  }
  if (rules.method === 'nearest') nearest(pixels, half)
  else if (rules.method === 'mode') mode(pixels, half, rules.nodata)
  else if (isWide(pixels.dtype)) throw new RangeError('64-bit integers are not averaged')
  else average(pixels, half, rules)
  return half
}

function halveMask(mask: Uint8Array, width: number, height: number): Uint8Array {
  const [w, h] = [Math.ceil(width / 2), Math.ceil(height / 2)]
  const output = new Uint8Array(w * h)
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) if (mask[y * width + x]) output[(y >> 1) * w + (x >> 1)] = 255
  return output
}

function nearest({ width, bands, data }: Pixels, half: Pixels): void {
  const [from, to] = [data as Uint8Array, half.data as Uint8Array]
  for (let y = 0; y < half.height; y++)
    for (let x = 0; x < half.width; x++) {
      const [f, t] = [(y * 2 * width + x * 2) * bands, (y * half.width + x) * bands]
      for (let b = 0; b < bands; b++) to[t + b] = from[f + b] as number
    }
}

/** The value that first reaches the highest count in order TL, TR, BL, BR; missing ones are passed over. */
function mode({ width, height, bands, data, mask }: Pixels, half: Pixels, nodata: SampleValue | undefined): void {
  const [from, to] = [data as Uint8Array, half.data as Uint8Array]
  const isMissing = missingTest(nodata)
  const values: number[] = []
  for (let y = 0; y < half.height; y++)
    for (let x = 0; x < half.width; x++)
      for (let b = 0; b < bands; b++) {
        values.length = 0
        for (let k = 0; k < 4; k++) {
          const [px, py] = [x * 2 + (k & 1), y * 2 + (k >> 1)]
          if (px >= width || py >= height || (mask && mask[py * width + px] === 0)) continue
          const value = from[(py * width + px) * bands + b] as number
          if (!isMissing(value)) values.push(value)
        }
        to[(y * half.width + x) * bands + b] =
          values.length === 0 ? ((nodata ?? from[(y * 2 * width + x * 2) * bands + b]) as number) : commonest(values)
      }
}

function commonest(values: readonly number[]): number {
  let [best, most] = [values[0] as number, 1]
  for (let i = 1; i < values.length; i++) {
    let count = 1
    for (let j = 0; j < i; j++) if (Object.is(values[j], values[i])) count++
    if (count > most) [best, most] = [values[i] as number, count]
  }
  return best
}

/** NaN is missing only where nodata is NaN. */
export function missingTest(nodata: SampleValue | undefined): (value: SampleValue) => boolean {
  if (nodata === undefined) return () => false
  return Number.isNaN(nodata) ? (value) => Number.isNaN(value) : (value) => value === nodata
}

function average(pixels: Pixels, half: Pixels, rules: OverviewRules): void {
  const isPlain = !pixels.mask && rules.nodata === undefined && rules.alpha === undefined
  if (isPlain && pixels.dtype === 'uint8') return averageBytes(pixels, half)
  const store = storeOf(pixels.dtype, rules.nodata)
  if (isPlain) averagePlain(pixels, half, store)
  else if (rules.alpha !== undefined) averageByAlpha(pixels, half, store, rules.alpha)
  else averageValid(pixels, half, store, rules.nodata)
}

/** The hot path: unsigned bytes, all of them valid. */
function averageBytes({ width, height, bands, data }: Pixels, half: Pixels): void {
  const [from, to] = [data as Uint8Array, half.data as Uint8Array]
  const wide = width >> 1
  let t = 0
  for (let y = 0; y < half.height; y++) {
    const top = y * 2 * width * bands
    // The last row of an odd height stands for both.
    const low = y * 2 + 1 < height ? top + width * bands : top
    let f = 0
    for (let x = 0; x < wide; x++) {
      for (let b = 0; b < bands; b++) {
        const i = f + b
        to[t++] =
          ((from[top + i] as number) +
            (from[top + i + bands] as number) +
            (from[low + i] as number) +
            (from[low + i + bands] as number) +
            2) >>
          2
      }
      f += bands * 2
    }
    if (width & 1)
      for (let b = 0; b < bands; b++) to[t++] = ((from[top + f + b] as number) + (from[low + f + b] as number) + 1) >> 1
  }
}

type Store = (to: Samples, at: number, sum: number, count: number) => void

/** Divides and rounds: unsigned half up, signed half away from zero, floats once at the store. */
function storeOf(dtype: Pixels['dtype'], nodata: SampleValue | undefined): Store {
  const fix = awayFrom(dtype, nodata)
  if (isFloat(dtype))
    return (to, at, sum, count) => {
      ;(to as Float64Array)[at] = sum / count
      if ((to as Float64Array)[at] === nodata) (to as Float64Array)[at] = fix
    }
  const signed = isSigned(dtype)
  return (to, at, sum, count) => {
    const value = signed && sum < 0 ? -Math.floor((-2 * sum + count) / (2 * count)) : Math.floor((2 * sum + count) / (2 * count))
    ;(to as Int32Array)[at] = value === nodata ? fix : value
  }
}

/** A computed value that happens to be nodata becomes the next one: else a pixel would vanish. */
export function awayFrom(dtype: Pixels['dtype'], nodata: SampleValue | undefined): number {
  if (nodata === undefined || Number.isNaN(nodata)) return 0
  if (isFloat(dtype)) return nextUp(Number(nodata), dtype === 'float32')
  const [, most] = rangeOf(dtype)
  return BigInt(nodata) >= most ? Number(nodata) - 1 : Number(nodata) + 1
}

export function nextUp(value: number, isSingle: boolean): number {
  if (!Number.isFinite(value)) return value === -Infinity ? -(isSingle ? 3.402_823_466_385_288_6e38 : Number.MAX_VALUE) : value
  if (isSingle) {
    const floats = new Float32Array([value])
    const bits = new Int32Array(floats.buffer)
    if (value === 0) bits[0] = 1
    else bits[0] = (bits[0] as number) + (value > 0 ? 1 : -1)
    return floats[0] as number
  }
  const doubles = new Float64Array([value])
  const bits = new BigInt64Array(doubles.buffer)
  bits[0] = value === 0 ? 1n : (bits[0] as bigint) + (value > 0 ? 1n : -1n)
  return doubles[0] as number
}

function averagePlain({ width, height, bands, data }: Pixels, half: Pixels, store: Store): void {
  const from = data as Float64Array
  let t = 0
  for (let y = 0; y < half.height; y++) {
    const top = y * 2 * width * bands
    const isLow = y * 2 + 1 < height
    for (let x = 0; x < half.width; x++) {
      const isRight = x * 2 + 1 < width
      for (let b = 0; b < bands; b++) {
        const i = top + x * 2 * bands + b
        let [sum, count] = [from[i] as number, 1]
        if (isRight) [sum, count] = [sum + (from[i + bands] as number), 2]
        if (isLow) {
          sum += from[i + width * bands] as number
          if (isRight) sum += from[i + (width + 1) * bands] as number
          count *= 2
        }
        store(half.data, t++, sum, count)
      }
    }
  }
}

/** Missing samples are left out; none left: nodata, or 0 under a mask. */
function averageValid(pixels: Pixels, half: Pixels, store: Store, nodata: SampleValue | undefined): void {
  const { width, height, bands, data, mask } = pixels
  const from = data as Float64Array
  const isBytes = pixels.dtype === 'uint8' && nodata === undefined
  const isMissing = missingTest(nodata)
  const low = width * bands
  let t = 0
  for (let y = 0; y < half.height; y++)
    for (let x = 0; x < half.width; x++) {
      const first = y * 2 * width + x * 2
      const isRight = x * 2 + 1 < width
      const isLow = y * 2 + 1 < height
      // A bit for each of the four.
      const valid =
        (!mask || mask[first] ? 1 : 0) |
        (isRight && (!mask || mask[first + 1]) ? 2 : 0) |
        (isLow && (!mask || mask[first + width]) ? 4 : 0) |
        (isRight && isLow && (!mask || mask[first + width + 1]) ? 8 : 0)
      for (let i = first * bands; i < (first + 1) * bands; i++, t++)
        if (isBytes && valid === 15) (half.data as Uint8Array)[t] = roundedMean(from, i, bands, low)
        else meanOfValid(from, i, bands, low, valid)
    }

  function meanOfValid(source: Float64Array, i: number, step: number, below: number, valid: number): void {
    let sum = 0
    let count = 0
    for (let n = 0; n < 4; n++) {
      if ((valid & (1 << n)) === 0) continue
      const value = source[i + (n & 1) * step + (n >> 1) * below] as number
      if (isMissing(value)) continue
      sum += value
      count++
    }
    if (count > 0) store(half.data, t, sum, count)
    else (half.data as Float64Array)[t] = (nodata ?? 0) as number
  }
}

const roundedMean = (from: Float64Array, i: number, step: number, below: number): number =>
  ((from[i] as number) + (from[i + step] as number) + (from[i + below] as number) + (from[i + below + step] as number) + 2) >> 2

/** Colours over pixels with alpha above 0, or 0; alpha over the alphas that are not 0. */
function averageByAlpha({ width, height, bands, data }: Pixels, half: Pixels, store: Store, alpha: number): void {
  const from = data as Float64Array
  for (let y = 0; y < half.height; y++)
    for (let x = 0; x < half.width; x++)
      for (let b = 0; b < bands; b++) {
        let [sum, count] = [0, 0]
        for (let k = 0; k < 4; k++) {
          const [px, py] = [x * 2 + (k & 1), y * 2 + (k >> 1)]
          if (px >= width || py >= height) continue
          const at = (py * width + px) * bands
          if (!((from[at + alpha] as number) > 0)) continue
          sum += from[at + b] as number
          count++
        }
        if (count > 0) store(half.data, (y * half.width + x) * bands + b, sum, count)
      }
}

/** Sizes of all levels from the image down: halves, rounded up, until both sides fit into one tile. */
export function levelSizes(width: number, height: number, tile: number): { readonly width: number; readonly height: number }[] {
  const sizes = [{ width, height }]
  for (let [w, h] = [width, height]; w > tile || h > tile;) {
    ;[w, h] = [Math.ceil(w / 2), Math.ceil(h / 2)]
    sizes.push({ width: w, height: h })
  }
  return sizes
}
