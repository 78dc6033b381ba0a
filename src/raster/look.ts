// Answers of looks: pictures, tiles, values and statistics of any raster that is read, from the level that fits.
import type { BlobStore } from '../models/blob-store.ts'
import { AppError } from '../rules/errors.ts'
import { pointTransform } from './crs.ts'
import { type Transform, unplace } from './georeference.ts'
import type { BandStatistics, Look, LookAnswer, LookTask, Render } from './look-task.ts'
import { missingTest } from './overview.ts'
import { type OpenedRaster, openRaster } from './opened.ts'
import { encodePng } from './png.ts'
import { type Brush, brushOf, png } from './render.ts'
import { decodedType, newSamples, nodataOnWire, parseNodata, type Pixels, type Samples, type SampleValue } from './samples.ts'
import { statisticsOf } from './look-statistics.ts'
import { plainTiff } from './plain-tiff.ts'
import { mercatorTile } from './mercator.ts'
import { warpPixels } from './warp.ts'
import type { Rectangle } from './window.ts'

/** @throws AppError the refusals of reading, `LOOK_TOO_LARGE`, `WINDOW_OUTSIDE`, `POINT_OUTSIDE`, `CRS_MISSING`, `CRS_UNKNOWN` */
export async function answerLook(blobs: BlobStore, { source, look }: LookTask): Promise<LookAnswer> {
  const raster = await openRaster(blobs, source)
  if (look.what === 'preview') return preview(raster, look)
  if (look.what === 'window') return windowOf(raster, look)
  if (look.what === 'tile') return tileOf(raster, look)
  if (look.what === 'point') return { kind: 'json', value: await pointOf(raster, look) }
  if (look.what === 'statistics') return { kind: 'json', value: await statistics(raster, look.bidx) }
  return { kind: 'json', value: raster.info }
}

type Asked<W extends Look['what']> = Extract<Look, { what: W }>

const stretches = new WeakMap<OpenedRaster, Promise<readonly (readonly [number, number])[]>>()

/** Of each band: its 2nd and 98th percentile in a small level; the same for every tile of a version. */
function stretchOf(raster: OpenedRaster): Promise<readonly (readonly [number, number])[]> {
  const known = stretches.get(raster)
  if (known) return known
  const found = statistics(raster, undefined).then(({ bands }) =>
    bands.map((b): readonly [number, number] => [b.percentile_2 ?? 0, b.percentile_98 ?? 255]),
  )
  stretches.set(raster, found)
  return found
}

const brush = (raster: OpenedRaster, render: Render): Promise<Brush> => brushOf(raster, render, () => stretchOf(raster))

/** The smallest level that is at least so wide and high; the image itself where none is. */
function levelFor(raster: OpenedRaster, width: number, height: number): number {
  let found = 0
  for (const [i, size] of raster.sizes.entries()) if (size.width >= width && size.height >= height) found = i
  return found
}

async function preview(raster: OpenedRaster, { width: wanted, render }: Asked<'preview'>): Promise<LookAnswer> {
  const { main } = raster.pyramid
  const width = Math.min(wanted, main.width)
  const height = Math.max(1, Math.round((main.height * width) / main.width))
  const chosen = await brush(raster, render)
  const number = levelFor(raster, width, height)
  const size = raster.sizes[number] as { width: number; height: number }
  const level = await raster.level(number, chosen.bands)
  const pixels = await shrunk(level, size, { width, height })
  return picture(pixels, chosen)
}

/** Nearest, in bands of rows, so that a level which is larger than the picture is never held whole. */
async function shrunk(
  level: { window(area: Rectangle): Promise<Pixels> },
  size: { width: number; height: number },
  to: { width: number; height: number },
): Promise<Pixels> {
  if (size.width === to.width && size.height === to.height) return level.window({ x: 0, y: 0, ...size })
  const step = Math.max(1, Math.min(to.height, Math.floor((256 * to.height) / size.height)))
  let output: { data: Samples; mask: Uint8Array | undefined; bands: number; dtype: Pixels['dtype'] } | undefined
  for (let top = 0; top < to.height; top += step) {
    const rows = Math.min(step, to.height - top)
    const y = Math.floor((top * size.height) / to.height)
    const end = Math.min(size.height, Math.floor(((top + rows - 1 + 0.5) * size.height) / to.height) + 1)
    const part = await level.window({ x: 0, y, width: size.width, height: end - y })
    output ??= {
      data: newSamples(part.dtype, to.width * to.height * part.bands),
      mask: part.mask && new Uint8Array(to.width * to.height),
      bands: part.bands,
      dtype: part.dtype,
    }
    for (let r = 0; r < rows; r++) {
      const from = Math.floor(((top + r + 0.5) * size.height) / to.height) - y
      for (let c = 0; c < to.width; c++) {
        const at = from * size.width + Math.floor(((c + 0.5) * size.width) / to.width)
        const place = (top + r) * to.width + c
        for (let b = 0; b < part.bands; b++)
          (output.data as Uint8Array)[place * part.bands + b] = (part.data as Uint8Array)[at * part.bands + b] as number
        if (output.mask && part.mask) output.mask[place] = part.mask[at] as number
      }
    }
  }
  return { ...to, ...(output as NonNullable<typeof output>) }
}

/** A picture in which nothing is to be seen is still a picture. */
function picture(pixels: Pixels, chosen: Brush): LookAnswer {
  const bytes = png(pixels, chosen) ?? encodePng(new Uint8Array(pixels.width * pixels.height * 2), pixels.width, pixels.height, 2)
  return { kind: 'bytes', contentType: 'image/png', bytes }
}

async function windowOf(raster: OpenedRaster, { area, format, render }: Asked<'window'>): Promise<LookAnswer> {
  if (format === 'png') {
    const chosen = await brush(raster, render)
    return picture(await (await raster.level(0, chosen.bands)).window(area), chosen)
  }
  const bands = raster.bandsOf(render.bidx)
  const pixels = await (await raster.level(0, bands)).window(area)
  if (format === 'tif')
    return {
      kind: 'bytes',
      contentType: 'image/tiff; application=geotiff',
      bytes: await plainTiff(raster.pyramid, pixels, area, bands),
    }
  return {
    kind: 'json',
    value: { ...area, dtype: pixels.dtype, bands: bands.map((b) => b + 1), values: valuesOf(raster, pixels) },
  }
}

/** Per band, rows of values; missing ones are null. */
function valuesOf(raster: OpenedRaster, { width, height, bands, data, mask }: Pixels): (number | string | null)[][][] {
  const isMissing = missingTest(parseNodata(raster.pyramid.main.nodataText, raster.dtype))
  return Array.from({ length: bands }, (_, b) =>
    Array.from({ length: height }, (_, y) =>
      Array.from({ length: width }, (_, x) => {
        const value = data[(y * width + x) * bands + b] as SampleValue
        return (mask && mask[y * width + x] === 0) || isMissing(value) ? null : nodataOnWire(value)
      }),
    ),
  )
}

const TILE = 256
/** Source pixels that nobody sees in a picture. */
const SEEN = 0.1

/** WebMercatorQuad (OGC 17-083r4, annex D): 256 px, transparent outside. */
async function tileOf(raster: OpenedRaster, { z, x, y, render }: Asked<'tile'>): Promise<LookAnswer> {
  const { main } = raster.pyramid
  const { transform, epsg } = placeOf(raster)
  const target = mercatorTile(z, x, y, TILE)
  const chosen = await brush(raster, render)
  const scale = await pixelsPerTilePixel(raster, transform, epsg, target)
  if (scale === undefined) return { kind: 'empty' }
  const number = levelFor(raster, Math.ceil(main.width / scale), Math.ceil(main.height / scale))
  const size = raster.sizes[number] as { width: number; height: number }
  const [kx, ky] = [main.width / size.width, main.height / size.height]
  const [t0, t1, t2, t3, t4, t5] = transform
  const alpha = chosen.alpha ?? null
  const form = {
    bands: chosen.bands.length,
    dtype: decodedType(raster.dtype),
    has_mask: true,
    nodata: chosen.nodata === undefined ? null : String(nodataOnWire(chosen.nodata)),
    source_nodata: chosen.nodata === undefined ? null : String(nodataOnWire(chosen.nodata)),
    alpha,
  }
  const warp = {
    method: render.resampling,
    from: epsg,
    to: 3857,
    source: { width: size.width, height: size.height, transform: [t0, t1 * kx, t2 * ky, t3, t4 * kx, t5 * ky] },
    target: { width: TILE, height: TILE, transform: [...target] },
    scale: [1, 1] as [number, number],
    wraps: raster.info.crs.kind === 'geographic',
  }
  const source = await warpPixels(await raster.level(number, chosen.bands), warp, form, SEEN)
  const bytes = png(await source.window({ x: 0, y: 0, width: TILE, height: TILE }), chosen)
  return bytes ? { kind: 'bytes', contentType: 'image/png', bytes } : { kind: 'empty' }
}

/** @throws AppError `CRS_MISSING`, `CRS_GCPS_ONLY`, `CRS_USER_DEFINED` */
function placeOf({ info, name }: OpenedRaster): { transform: Transform; epsg: number } {
  if (info.georeference === 'gcps')
    throw new AppError('CRS_GCPS_ONLY', `${name} has ground control points and no transform: it has no place on a map.`)
  if (!info.transform || info.crs.kind === 'none')
    throw new AppError('CRS_MISSING', `${name} has no place on Earth: it cannot be put on a map.`)
  if (info.epsg === undefined)
    throw new AppError('CRS_USER_DEFINED', `The CRS of ${name} is ${info.crs.reason ?? 'not known'}: it cannot be put on a map.`)
  return { transform: info.transform as unknown as Transform, epsg: info.epsg }
}

/** Pixels of the image along one of the tile, at the nearest of nine points that lies within; undefined: none does and none is near. */
async function pixelsPerTilePixel(
  raster: OpenedRaster,
  transform: Transform,
  epsg: number,
  target: Transform,
): Promise<number | undefined> {
  const back = await pointTransform(3857, epsg)
  const place = (c: number, r: number): [number, number] | undefined =>
    unplace(transform, ...back(target[0] + c * target[1], target[3] + r * target[5]))
  let [least, inside] = [Infinity, false]
  const { width, height } = raster.pyramid.main
  for (let r = 0; r <= TILE; r += TILE / 8)
    for (let c = 0; c <= TILE; c += TILE / 8) {
      const [a, b, d] = [place(c, r), place(c + 1, r), place(c, r + 1)]
      if (!a || !b || !d || ![...a, ...b, ...d].every(Number.isFinite)) continue
      least = Math.min(least, Math.hypot(b[0] - a[0], b[1] - a[1]), Math.hypot(d[0] - a[0], d[1] - a[1]))
      if (a[0] >= 0 && a[1] >= 0 && a[0] <= width && a[1] <= height) inside = true
    }
  if (!Number.isFinite(least)) return undefined
  // A raster smaller than the points' distance may lie between them.
  return inside || Math.max(width, height) / least < TILE ? Math.max(least, 1e-9) : undefined
}

async function pointOf(raster: OpenedRaster, { at, isLonLat, bidx }: Asked<'point'>) {
  const { main } = raster.pyramid
  const { transform, epsg } = isLonLat
    ? placeOf(raster)
    : { transform: raster.info.transform as Transform | undefined, epsg: undefined }
  if (!transform) throw new AppError('CRS_MISSING', `${raster.name} has no transform: x and y mean nothing in it.`)
  const [x, y] = isLonLat ? (await pointTransform(4326, epsg as number))(...at) : at
  const [column, row] = (unplace(transform, x, y) ?? [-1, -1]).map(Math.floor) as [number, number]
  if (!(column >= 0 && row >= 0 && column < main.width && row < main.height))
    throw new AppError('POINT_OUTSIDE', `${at.join(', ')} lies outside ${raster.name}${await boundsText(raster)}.`)
  const bands = raster.bandsOf(bidx)
  const pixels = await (await raster.level(0, bands)).window({ x: column, y: row, width: 1, height: 1 })
  return {
    coordinates: at,
    pixel: [column, row],
    values: valuesOf(raster, pixels).map((b) => b[0]?.[0] ?? null),
    band_names: bands.map((b) => `b${b + 1}`),
  }
}

async function boundsText({ info }: OpenedRaster): Promise<string> {
  return info.wgs84_bounds ? `, which covers ${info.wgs84_bounds.map((v) => v.toFixed(5)).join(', ')}` : ''
}

/** Of the largest level that is quickly read; of the image itself they are exact. */
async function statistics(
  raster: OpenedRaster,
  bidx: readonly number[] | undefined,
): Promise<{ level: number; exact: boolean; width: number; height: number; bands: BandStatistics[] }> {
  const bands = raster.bandsOf(bidx)
  const sizes = raster.sizes
  const fitting = sizes.findIndex((s) => s.width * s.height <= STATISTICS_PIXELS)
  const number = fitting < 0 ? sizes.length - 1 : fitting
  const { width, height } = sizes[number] as { width: number; height: number }
  const pixels = await (await raster.level(number, bands)).window({ x: 0, y: 0, width, height })
  const nodata = parseNodata(raster.pyramid.main.nodataText, raster.dtype)
  return {
    level: number,
    exact: number === 0,
    width,
    height,
    bands: statisticsOf(
      pixels,
      nodata,
      bands.map((b) => b + 1),
    ),
  }
}

const STATISTICS_PIXELS = 4_000_000
