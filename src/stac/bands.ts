// Bands and raster facts as STAC 1.1.0 and its raster extension name them.
import type { RasterInfo } from '../models/raster.ts'
import type { BandStatistics } from '../models/raster-output.ts'
import type { StacBand } from '../models/stac.ts'
import { DATA_TYPES } from '../models/stac-common.ts'

const COMPLEX: Readonly<Record<string, string>> = {
  complex_int16: 'cint16',
  complex_int32: 'cint32',
  complex64: 'cfloat32',
  complex128: 'cfloat64',
}

/** NumPy's name to STAC's; `other` for samples of odd sizes. */
export function dataTypeOf(dtype: string): (typeof DATA_TYPES)[number] {
  const name = COMPLEX[dtype] ?? dtype
  return DATA_TYPES.find((known) => known === name) ?? 'other'
}

/** Lower case, as the specification spells what JSON has no number for. */
function nodataOf(nodata: RasterInfo['nodata']): number | 'nan' | 'inf' | '-inf' | undefined {
  if (typeof nodata === 'number') return Number.isFinite(nodata) ? nodata : undefined
  const word = nodata?.toLowerCase().replace('infinity', 'inf')
  if (word === 'nan' || word === 'inf' || word === '-inf') return word
  // 64-bit integers beyond 2^53 come as text; the nearest number would be another value.
  const number = Number(word)
  return word !== undefined && word !== '' && Number.isSafeInteger(number) ? number : undefined
}

const finite = (value: number): boolean => Number.isFinite(value)

function statisticsOf(found: BandStatistics | undefined, pixels: number): Pick<StacBand, 'statistics'> {
  if (!found || found.count === 0 || ![found.min, found.max, found.mean, found.std].every(finite)) return {}
  return {
    statistics: {
      minimum: found.min,
      maximum: found.max,
      mean: found.mean,
      stddev: found.std,
      count: found.count,
      valid_percent: Math.min(100, Math.round((found.count / pixels) * 1e8) / 1e6),
    },
  }
}

/** One entry per band: name, type, nodata, unit, scale, statistics. */
export function bandsOf(
  info: RasterInfo,
  statistics: readonly BandStatistics[] = [],
  pixels = info.width * info.height,
): StacBand[] {
  const nodata = nodataOf(info.nodata)
  const names = new Set<string>()
  return Array.from({ length: info.bands }, (_, i): StacBand => {
    const known = info.band_metadata?.find((b) => b.band === i + 1)
    const bits = info.bits_per_sample?.[i]
    const described = known?.description !== undefined && known.description !== '' ? known.description : undefined
    const name = described !== undefined && !names.has(described) ? described : `b${i + 1}`
    names.add(name)
    return {
      name,
      ...(described === undefined ? {} : { description: described }),
      data_type: dataTypeOf(info.dtype),
      ...(nodata === undefined ? {} : { nodata }),
      ...(known?.unit ? { unit: known.unit } : {}),
      ...(known?.scale === undefined ? {} : { 'raster:scale': known.scale }),
      ...(known?.offset === undefined ? {} : { 'raster:offset': known.offset }),
      ...(bits === undefined || bits % 8 === 0 ? {} : { 'raster:bits_per_sample': bits }),
      ...statisticsOf(
        statistics.find((s) => s.band === i + 1),
        pixels,
      ),
    }
  })
}
