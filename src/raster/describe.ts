// Everything that a raster's directories tell, from ranged reads alone.
import type { RasterInfo } from '../models/raster.ts'
import { cogIssues } from './cog-rules.ts'
import { crsBounds } from './crs.ts'
import { readTiff } from './directory.ts'
import { type MetadataItem, parseGdalMetadata } from './gdal-metadata.ts'
import { boundsOf, readGeoreference } from './georeference.ts'
import { DATA_TYPES, type DataType, type Pyramid, readPyramid, type TiffImage } from './image.ts'
import { countedSource, type RangeSource } from './range-source.ts'
import { nodataOnWire, parseNodata } from './samples.ts'
import { compressionName, PHOTOMETRIC, TAG } from './tags.ts'

/**
 * Facts of the first full image of the file; one that cannot be told is absent, with the reason beside it.
 * @throws AppError `NOT_TIFF`, `TIFF_CORRUPT`, `TIFF_HEADER_LIMIT`, and what the source throws
 */
export async function describeRaster(source: RangeSource): Promise<RasterInfo> {
  const counted = countedSource(source)
  const pyramid = await readPyramid(await readTiff(counted))
  const info = await describePyramid(pyramid)
  return { ...info, bytes_read: counted.bytesRead, reads: counted.reads }
}

/** As describeRaster, of directories that were read before; nothing is counted. */
export async function describePyramid(pyramid: Pyramid): Promise<RasterInfo> {
  const { file, main, mask, overviews } = pyramid
  const items = parseGdalMetadata(await main.directory.text(TAG.gdalMetadata))
  const { errors, warnings: cog_warnings } = await cogIssues(pyramid)
  const nodata = nodataOf(main)
  const pages = file.directories.length - 1 - overviews.length - overviews.filter((o) => o.mask).length - (mask ? 1 : 0)
  return {
    format: file.encoding.big ? 'BigTIFF' : 'TIFF',
    byte_order: file.encoding.little ? 'little' : 'big',
    ...layoutOf(main),
    overviews: overviews.map(({ image: { width, height } }) => ({ width, height })),
    has_mask: mask !== undefined,
    nodata: nodata.value,
    color_interpretation: colors(main, items),
    ...bandMetadata(items),
    ...(await place(pyramid)),
    ...timeOf(await main.directory.text(TAG.dateTime), items),
    is_cog: errors.length === 0,
    cog_issues: errors,
    cog_warnings,
    warnings: nodata.warnings,
    ...(pages > 0 ? { pages: pages + 1 } : {}),
    bytes_read: 0,
    reads: 0,
  }
}

function layoutOf(main: TiffImage) {
  const { width, height, bands, dtype, bits, compression, predictor, planar, isTiled, chunkWidth, chunkHeight } = main
  return {
    width,
    height,
    bands,
    dtype,
    ...(bits.some((b) => b !== bits[0]) ? { bits_per_sample: [...bits] } : {}),
    compression: compressionName(compression),
    ...(predictor === 1 ? {} : { predictor }),
    interleave: planar === 2 ? ('band' as const) : ('pixel' as const),
    layout: isTiled ? ('tiles' as const) : ('strips' as const),
    block: { width: chunkWidth, height: chunkHeight },
  }
}

function nodataOf({ nodataText, dtype }: TiffImage): { value: number | string | null; warnings: RasterInfo['warnings'] } {
  if (nodataText === undefined) return { value: null, warnings: [] }
  const known = (DATA_TYPES as readonly string[]).includes(dtype)
  const value = known ? parseNodata(nodataText, dtype as DataType) : undefined
  if (value !== undefined) return { value: nodataOnWire(value), warnings: [] }
  const message = `nodata ${JSON.stringify(nodataText.slice(0, 60))} is no value of ${dtype}: no pixel is missing`
  return { value: null, warnings: [{ code: 'NODATA_OUT_OF_RANGE', message }] }
}

const BY_PHOTOMETRIC: Readonly<Record<number, readonly string[]>> = {
  [PHOTOMETRIC.whiteIsZero]: ['gray'],
  [PHOTOMETRIC.blackIsZero]: ['gray'],
  [PHOTOMETRIC.rgb]: ['red', 'green', 'blue'],
  [PHOTOMETRIC.palette]: ['palette'],
  [PHOTOMETRIC.cmyk]: ['cyan', 'magenta', 'yellow', 'black'],
  [PHOTOMETRIC.yCbCr]: ['red', 'green', 'blue'],
}

/** Per band: the photometric interpretation, extra samples behind it, and what GDAL's metadata overrides. */
export function colors(image: TiffImage, items: readonly MetadataItem[]): string[] {
  const base = BY_PHOTOMETRIC[image.photometric] ?? ['gray']
  const plain = image.bands < base.length ? [] : base
  return Array.from({ length: image.bands }, (_, band) => {
    const given = items.find((i) => i.sample === band && i.role === 'colorinterp')?.value
    if (given) return given.toLowerCase()
    const extra = image.extraSamples[band - (image.bands - image.extraSamples.length)]
    return plain[band] ?? (extra === 1 || extra === 2 ? 'alpha' : 'undefined')
  })
}

const ROLES = { description: 'description', scale: 'scale', offset: 'offset', unittype: 'unit' } as const

function bandMetadata(items: readonly MetadataItem[]): Pick<RasterInfo, 'band_metadata'> {
  const bands = new Map<number, Record<string, string | number>>()
  for (const { sample, role, value } of items) {
    const key = ROLES[(role ?? '') as keyof typeof ROLES]
    if (sample === undefined || !key) continue
    const number = Number(value)
    const known = bands.get(sample) ?? { band: sample + 1 }
    if (key === 'description' || key === 'unit') known[key] = value
    else if (Number.isFinite(number)) known[key] = number
    bands.set(sample, known)
  }
  const list = [...bands].sort(([a], [b]) => a - b).map(([, known]) => known)
  return list.length === 0 ? {} : { band_metadata: list as unknown as NonNullable<RasterInfo['band_metadata']> }
}

/** Cut: a text of megabytes is no time. */
function timeOf(tag: string | undefined, items: readonly MetadataItem[]): Pick<RasterInfo, 'tiff_date_time' | 'acquired'> {
  const acquired = items.find((i) => i.sample === undefined && i.name === 'ACQUISITIONDATETIME')?.value
  return {
    ...(tag === undefined ? {} : { tiff_date_time: tag.slice(0, 60) }),
    ...(acquired === undefined ? {} : { acquired: acquired.slice(0, 60) }),
  }
}

async function place({ main }: Pyramid) {
  const { kind, transform, gcps, gcpHull, areaOrPoint, crs } = await readGeoreference(main.directory)
  const bounds = transform && boundsOf(transform, main.width, main.height)
  const onEarth = transform && crs.epsg !== undefined ? await crsBounds(crs.epsg, transform, main.width, main.height) : undefined
  return {
    georeference: kind,
    ...(gcps === undefined ? {} : { gcps }),
    ...(gcpHull ? { gcp_hull: gcpHull.map((p) => [...p]) } : {}),
    ...(transform ? { transform: [...transform] } : {}),
    area_or_point: areaOrPoint,
    crs,
    ...(crs.epsg === undefined ? {} : { epsg: crs.epsg }),
    ...(bounds ? { bounds } : {}),
    ...(onEarth ? { wgs84_bounds: onEarth.bounds, wgs84_error_m: onEarth.error_m } : {}),
  }
}
