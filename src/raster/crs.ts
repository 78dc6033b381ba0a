// Coordinate reference systems by EPSG code: PROJ strings for proj4, each with its largest error against PROJ (docs/decisions).
import { readFile } from 'node:fs/promises'
import { AppError } from '../rules/errors.ts'
import { place, type Transform } from './georeference.ts'

/** One code of the table; `npm run gen -- epsg` measures it. */
export interface CrsEntry {
  readonly name: string
  readonly kind: 'projected' | 'geographic'
  /** [west, south, east, north] of use in degrees; east above 180 where it crosses the antimeridian. */
  readonly area: readonly [number, number, number, number]
  /** Null: proj4 cannot do it, or not within 1,000 m. */
  readonly proj: string | null
  readonly error_m: number | null
  readonly reason?: string
}

export interface CrsTable {
  readonly version: string
  readonly codes: Readonly<Record<string, CrsEntry>>
}

/** Pixels are warped within this error alone, in metres. */
export const PIXEL_ERROR_M = 1

export type Point = readonly [number, number]
export type PointTransform = (x: number, y: number) => [number, number]

let table: Promise<CrsTable> | undefined

/** Read at first use, and as a file beside the code: 1.5 MB that most processes never need would be parsed with every start. */
export function crsTable(): Promise<CrsTable> {
  table ??= readFile(new URL('./epsg.gen.json', import.meta.url), 'utf8').then((text) => JSON.parse(text) as CrsTable)
  return table
}

/** @throws AppError `CRS_UNKNOWN` when the table has no usable string */
export async function crsEntry(code: number): Promise<CrsEntry & { readonly proj: string; readonly error_m: number }> {
  const { codes, version } = await crsTable()
  const entry = Object.hasOwn(codes, String(code)) ? codes[String(code)] : undefined
  if (!entry) throw new AppError('CRS_UNKNOWN', `EPSG:${code} is no 2D coordinate reference system in use of ${version}.`)
  const { proj, error_m, name, reason } = entry
  if (proj === null || error_m === null)
    throw new AppError(
      'CRS_UNKNOWN',
      `EPSG:${code} (${name}) cannot be computed here: ${reason ?? 'it has no formula in proj4'}.`,
    )
  return { ...entry, proj, error_m }
}

/**
 * A code that pixels may be warped from or to.
 * @throws AppError `CRS_UNKNOWN`, `CRS_ACCURACY`
 */
export async function warpableCrs(code: number): Promise<CrsEntry & { readonly proj: string; readonly error_m: number }> {
  const entry = await crsEntry(code)
  if (entry.error_m <= PIXEL_ERROR_M) return entry
  throw new AppError(
    'CRS_ACCURACY',
    `EPSG:${code} (${entry.name}) is known to ${entry.error_m} m only; pixels are warped within ${PIXEL_ERROR_M} m. Its exact operation needs a grid file: warp the raster with GDAL first.`,
  )
}

const WGS84 = '+proj=longlat +datum=WGS84'

/** From one CRS to another, x = easting or longitude. @throws AppError `CRS_UNKNOWN` */
export async function pointTransform(from: number, to: number): Promise<PointTransform> {
  const [a, b] = await Promise.all([crsEntry(from), crsEntry(to)])
  return from === to ? (x, y) => [x, y] : between(a.proj, b.proj)
}

async function between(from: string, to: string): Promise<PointTransform> {
  const { default: proj4 } = await import('proj4')
  const { forward } = proj4(from, to)
  // proj4 throws where a projection has no value; a point without a value is NaN here.
  return (x, y) => {
    try {
      const p = forward([x, y])
      return [p[0] as number, p[1] as number]
    } catch {
      return [Number.NaN, Number.NaN]
    }
  }
}

/** Longitude and latitude of WGS84 for a code, with the largest error. @throws AppError `CRS_UNKNOWN` */
export async function toWgs84(code: number): Promise<{ transform: PointTransform; error_m: number }> {
  const { proj, error_m } = await crsEntry(code)
  return { transform: await between(proj, WGS84), error_m }
}

/** Points along each edge: straight lines of one CRS are curves in another. */
const EDGE_POINTS = 21

/** Outline of an image in its own CRS, clockwise from the upper left corner, closed. */
export function outline(t: Transform, width: number, height: number, perEdge = EDGE_POINTS): Point[] {
  const corners: [number, number][] = [
    [0, 0],
    [width, 0],
    [width, height],
    [0, height],
  ]
  const points: Point[] = []
  for (const [i, [x, y]] of corners.entries()) {
    const [nx, ny] = corners[(i + 1) % 4] as [number, number]
    for (let s = 0; s < perEdge - 1; s++) {
      const f = s / (perEdge - 1)
      points.push(place(t, x + (nx - x) * f, y + (ny - y) * f))
    }
  }
  return [...points, points[0] as Point]
}

/** Degrees beyond which nothing is meant. */
const FAR = 100_000

/**
 * Longitudes without jumps: each within half a turn of the one before. `turns` is not 0 when the line goes round a pole.
 * @returns undefined where a point has no place on Earth
 */
export function unwrapped(points: readonly Point[]): { points: Point[]; turns: number } | undefined {
  const found: Point[] = []
  let shift = 0
  let before: number | undefined
  for (const [lon, lat] of points) {
    // A transform of a broken file may lead anywhere.
    if (!(Math.abs(lon) <= FAR) || !(Math.abs(lat) <= FAR)) return undefined
    if (before !== undefined) shift -= Math.round((lon + shift - before) / 360) * 360
    before = lon + shift
    found.push([before, lat])
  }
  const turns = Math.round(((found.at(-1)?.[0] ?? 0) - (found[0]?.[0] ?? 0)) / 360)
  return { points: found, turns }
}

/**
 * WGS84 bounds [west, south, east, north]; west is greater than east where they cross the antimeridian (RFC 7946, 5.2).
 * @returns undefined where the code is not in the table or a corner has no place on Earth
 */
export async function crsBounds(
  code: number,
  t: Transform,
  width: number,
  height: number,
): Promise<{ bounds: [number, number, number, number]; error_m: number } | undefined> {
  const known = (await crsTable()).codes[String(code)]
  if (!known || known.proj === null || known.error_m === null) return undefined
  const { transform, error_m } = await toWgs84(code)
  const line = unwrapped(outline(t, width, height).map(([x, y]) => transform(x, y)))
  if (!line) return undefined
  const lats = line.points.map((p) => Math.max(-90, Math.min(90, p[1])))
  const [south, north] = [Math.min(...lats), Math.max(...lats)]
  if (line.turns !== 0) {
    const isNorth = (south + north) / 2 > 0
    return { bounds: isNorth ? [-180, south, 180, 90] : [-180, -90, 180, north], error_m }
  }
  const lons = line.points.map((p) => p[0])
  const [west, east] = [Math.min(...lons), Math.max(...lons)]
  if (east - west >= 360) return { bounds: [-180, south, 180, north], error_m }
  return { bounds: [wrap(west), south, wrap(east, true), north], error_m }
}

/** Into -180 … 180; an eastern edge on the antimeridian stays 180. */
const wrap = (lon: number, isEast = false): number => {
  const turned = ((((lon + 180) % 360) + 360) % 360) - 180
  return isEast && turned === -180 ? 180 : turned
}
