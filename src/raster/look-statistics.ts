// Statistics of pixels at hand, as rio-tiler's users know them.
import type { BandStatistics } from './look-task.ts'
import { missingTest } from './overview.ts'
import type { Pixels, SampleValue } from './samples.ts'
import { momentsOf } from './statistics.ts'

const BINS = 10

/** @param numbers of the bands, for the answer */
export function statisticsOf(pixels: Pixels, nodata: SampleValue | undefined, numbers: readonly number[]): BandStatistics[] {
  const moments = momentsOf(pixels, nodata, undefined)
  const total = pixels.width * pixels.height
  return numbers.map((band, i) => {
    const { count, min, max, mean, m2 } = moments[i] as (typeof moments)[number]
    if (count === 0)
      return {
        band,
        count,
        valid_percent: 0,
        min: null,
        max: null,
        mean: null,
        std: null,
        percentile_2: null,
        percentile_98: null,
        histogram: null,
      }
    const values = sorted(pixels, i, nodata)
    const at = (share: number): number => values[Math.min(values.length - 1, Math.floor(share * values.length))] as number
    return {
      band,
      count,
      valid_percent: Math.round((count / total) * 10_000) / 100,
      min,
      max,
      mean,
      std: Math.sqrt(m2 / count),
      percentile_2: at(0.02),
      percentile_98: at(0.98),
      histogram: histogram(values, min, max),
    }
  })
}

function sorted({ data, bands, mask }: Pixels, band: number, nodata: SampleValue | undefined): Float64Array {
  const isMissing = missingTest(nodata)
  const found = new Float64Array(data.length / bands)
  let count = 0
  for (let i = 0; i < found.length; i++) {
    if (mask && mask[i] === 0) continue
    const raw = data[i * bands + band] as SampleValue
    const value = Number(raw)
    if (!isMissing(raw) && Number.isFinite(value)) found[count++] = value
  }
  return found.subarray(0, count).sort()
}

function histogram(values: Float64Array, min: number, max: number): NonNullable<BandStatistics['histogram']> {
  const counts = Array.from({ length: BINS }, () => 0)
  const edges = Array.from({ length: BINS + 1 }, (_, i) => min + ((max - min) * i) / BINS)
  for (const value of values) {
    const bin = max === min ? 0 : Math.min(BINS - 1, Math.floor(((value - min) / (max - min)) * BINS))
    counts[bin] = (counts[bin] as number) + 1
  }
  return [counts, edges]
}
