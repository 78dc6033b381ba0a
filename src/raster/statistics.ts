// Count, least, greatest, mean and squared deviation of a band, merged over parts in a fixed order: exact whichever part ends first.
import { missingTest } from './overview.ts'
import { isFloat, type Pixels, type SampleValue } from './samples.ts'

/** `m2`: sum of squared deviations from the mean. Nothing valid: count 0, the rest 0. */
export interface Moments {
  readonly count: number
  readonly min: number
  readonly max: number
  readonly mean: number
  readonly m2: number
}

export const NO_MOMENTS: Moments = { count: 0, min: 0, max: 0, mean: 0, m2: 0 }

/** Chan, Golub, LeVeque 1979. */
export function mergeMoments(a: Moments, b: Moments): Moments {
  if (a.count === 0) return b
  if (b.count === 0) return a
  const count = a.count + b.count
  const delta = b.mean - a.mean
  return {
    count,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    mean: a.mean + (delta * b.count) / count,
    m2: a.m2 + b.m2 + (delta * delta * a.count * b.count) / count,
  }
}

/** Per band; missing samples, masked pixels and NaN are left out. */
export function momentsOf(pixels: Pixels, nodata: SampleValue | undefined, alpha: number | undefined): Moments[] {
  return Array.from({ length: pixels.bands }, (_, band) =>
    pixels.dtype === 'uint8' ? ofBytes(pixels, band, nodata, alpha) : ofNumbers(pixels, band, nodata, alpha),
  )
}

/** By counting: exact, and without a multiplication a pixel. */
function ofBytes(
  { data, bands, mask }: Pixels,
  band: number,
  nodata: SampleValue | undefined,
  alpha: number | undefined,
): Moments {
  const bytes = data as Uint8Array
  const counts = new Float64Array(256)
  const pixels = bytes.length / bands
  const by = alpha === band ? undefined : alpha
  for (let i = 0; i < pixels; i++) {
    if (mask && mask[i] === 0) continue
    if (by !== undefined && bytes[i * bands + by] === 0) continue
    const value = bytes[i * bands + band] as number
    counts[value] = (counts[value] as number) + 1
  }
  if (nodata !== undefined) counts[Number(nodata)] = 0
  let [count, sum, min, max] = [0, 0, -1, 0]
  for (let v = 0; v < 256; v++) {
    const n = counts[v] as number
    if (n === 0) continue
    if (min < 0) min = v
    max = v
    count += n
    sum += n * v
  }
  if (count === 0) return NO_MOMENTS
  const mean = sum / count
  let m2 = 0
  for (let v = min; v <= max; v++) m2 += (counts[v] as number) * (v - mean) ** 2
  return { count, min, max, mean, m2 }
}

function ofNumbers(
  { data, dtype, bands, mask }: Pixels,
  band: number,
  nodata: SampleValue | undefined,
  alpha: number | undefined,
): Moments {
  const isMissing = missingTest(nodata)
  const by = alpha === band ? undefined : alpha
  const skipsNan = isFloat(dtype)
  const pixels = data.length / bands
  let [count, shift, sum, squares, min, max] = [0, 0, 0, 0, Infinity, -Infinity]
  for (let i = 0; i < pixels; i++) {
    if (mask && mask[i] === 0) continue
    if (by !== undefined && Number(data[i * bands + by]) === 0) continue
    const raw = data[i * bands + band] as SampleValue
    if (isMissing(raw)) continue
    const value = Number(raw)
    if (skipsNan && !Number.isFinite(value)) continue
    // Against the first value: squares of large numbers would lose what differs.
    if (count === 0) shift = value
    const d = value - shift
    count++
    sum += d
    squares += d * d
    if (value < min) min = value
    if (value > max) max = value
  }
  if (count === 0) return NO_MOMENTS
  return { count, min, max, mean: shift + sum / count, m2: Math.max(0, squares - (sum * sum) / count) }
}
