// Where a raster lies on Earth as GeoJSON (RFC 7946): outline of its pixel grid, cut at the antimeridian, closed over a pole.
import type { RasterInfo } from '../models/raster.ts'
import { crsTable, type Point, type PointTransform, toWgs84, unwrapped } from '../raster/crs.ts'
import { place, type Transform } from '../raster/georeference.ts'
import { cutAtAntimeridian } from './antimeridian.ts'
import { densified } from './densify.ts'
import { areaOf, clean, closed, type Ring, round } from './rings.ts'

export interface FootprintWarning {
  readonly code: string
  readonly message: string
}

export type FootprintGeometry =
  | { readonly type: 'Polygon'; readonly coordinates: readonly Ring[] }
  | { readonly type: 'MultiPolygon'; readonly coordinates: readonly (readonly Ring[])[] }

export interface Footprint {
  readonly geometry: FootprintGeometry | null
  /** [west, south, east, north] in degrees; west > east where it crosses the antimeridian. Absent without geometry. */
  readonly bbox?: readonly [number, number, number, number]
  readonly georeference: 'affine' | 'gcps' | 'none' | 'unsupported'
  /** Mean side of the pixel in the middle, in metres. */
  readonly resolutionM?: number
  /** Largest error of the outline in metres, where it is above 1. */
  readonly accuracyM?: number
  readonly warnings: readonly FootprintWarning[]
}

type Facts = Pick<RasterInfo, 'width' | 'height' | 'transform' | 'gcp_hull' | 'crs' | 'georeference'>

/**
 * The outline deviates from the grid's true edge by less than the larger of 1e-6 degrees and a tenth of a pixel, within 64 parts an edge.
 * Positions have 7 decimals. Without a place on Earth the geometry is null and a warning tells why: `NOT_GEOREFERENCED`, `CRS_UNKNOWN`,
 * `FOOTPRINT_OUTSIDE`, `FOOTPRINT_EMPTY`.
 */
export async function footprintOf(facts: Facts): Promise<Footprint> {
  const { crs } = facts
  if (facts.georeference === 'none')
    return nowhere('none', 'NOT_GEOREFERENCED', 'the file has neither a transform nor ground control points')
  const onEarth = crs.epsg === undefined ? undefined : await known(crs.epsg)
  if (!onEarth) {
    const why = crs.epsg === undefined ? (crs.reason ?? `its CRS is ${crs.kind}`) : `EPSG:${crs.epsg} cannot be computed here`
    return nowhere(crs.kind === 'none' ? 'none' : 'unsupported', 'CRS_UNKNOWN', why)
  }
  const kind = facts.georeference === 'gcps' ? 'gcps' : 'affine'
  const line = outlineOf(facts, onEarth.transform)
  const outside = 'a part of the grid has no place on Earth: the georeference of the file is wrong, or its CRS'
  if (!line) return nowhere(kind, 'FOOTPRINT_OUTSIDE', outside)
  const placed = placeOnEarth(line.ring, line.pixel)
  if (placed === 'outside') return nowhere(kind, 'FOOTPRINT_OUTSIDE', outside)
  if (placed === 'empty') return nowhere(kind, 'FOOTPRINT_EMPTY', 'the outline has no area')
  const accuracy = onEarth.error_m > 1 ? { accuracyM: onEarth.error_m } : {}
  return { ...placed, georeference: kind, ...resolutionOf(facts, onEarth.transform), ...accuracy, warnings: [] }
}

function nowhere(georeference: Footprint['georeference'], code: string, message: string): Footprint {
  return { geometry: null, georeference, warnings: [{ code, message }] }
}

/** Undefined: not in the table, no formula, or not within 1,000 m. */
async function known(code: number): Promise<{ transform: PointTransform; error_m: number } | undefined> {
  const { codes } = await crsTable()
  const entry = Object.hasOwn(codes, String(code)) ? codes[String(code)] : undefined
  return entry?.proj && entry.error_m !== null ? toWgs84(code) : undefined
}

const METRES_PER_DEGREE = (Math.PI / 180) * 6_371_008.8

/** Four digits: on a sphere, in the middle of the image. */
function resolutionOf({ transform, width, height }: Facts, toEarth: PointTransform): Pick<Footprint, 'resolutionM'> {
  if (!transform) return {}
  const t = transform as unknown as Transform
  const [x, y] = [Math.floor(width / 2), Math.floor(height / 2)]
  const [a, b, c] = [toEarth(...place(t, x, y)), toEarth(...place(t, x + 1, y)), toEarth(...place(t, x, y + 1))]
  const metres = (p: Point): number =>
    METRES_PER_DEGREE * Math.hypot((p[0] - a[0]) * Math.cos((a[1] * Math.PI) / 180), p[1] - a[1])
  const mean = (metres(b) + metres(c)) / 2
  return mean > 0 && Number.isFinite(mean) ? { resolutionM: Number(mean.toPrecision(4)) } : {}
}

/** Longitudes go on beyond 180 where the ring does; `pixel` is the larger side of a pixel in degrees. */
interface Outline {
  readonly ring: { readonly points: Point[]; readonly turns: number }
  readonly pixel: number
}

function outlineOf({ transform, width, height, gcp_hull }: Facts, toEarth: PointTransform): Outline | undefined {
  if (gcp_hull) {
    const ring = unwrapped(closed(gcp_hull.map(([x, y]) => toEarth(x as number, y as number))))
    return ring && { ring, pixel: 0 }
  }
  const { points, pixel } = densified(transform as unknown as Transform, width, height, toEarth)
  const ring = unwrapped(points)
  return ring && { ring, pixel }
}

type Placed = { readonly geometry: FootprintGeometry; readonly bbox: readonly [number, number, number, number] }

function placeOnEarth({ points, turns }: Outline['ring'], pixel: number): Placed | 'outside' | 'empty' {
  const slack = pixel + 1e-9
  if (points.some(([, lat]) => Math.abs(lat) > 90 + slack)) return 'outside'
  const inside = points.map(([lon, lat]): Point => [lon, Math.max(-90, Math.min(90, lat))])
  const lons = inside.map((p) => p[0])
  const [west, east] = [Math.min(...lons), Math.max(...lons)]
  if (turns !== 0) return overThePole(inside, turns)
  if (east - west > 360 + 2 * slack) return 'outside'
  if (east - west >= 360 - 1e-7) return wholeTurn(inside)
  return cut(inside, west, east, slack)
}

/** A ring that goes once round the Earth: cut open at the antimeridian and closed along the pole. */
function overThePole(points: readonly Point[], turns: number): Placed | 'empty' {
  const mean = points.reduce((sum, p) => sum + p[1], 0) / points.length
  const pole = mean > 0 ? 90 : -90
  const east = turns > 0 ? points : [...points].reverse()
  const opened = openedAtAntimeridian(east)
  const ring = clean([[-180, pole], ...opened, [180, pole], [-180, pole]])
  if (!ring) return 'empty'
  const lats = ring.map((p) => p[1])
  return {
    geometry: { type: 'Polygon', coordinates: [ring] },
    bbox: [-180, Math.min(...lats), 180, Math.max(...lats)],
  }
}

/** One turn eastward, from -180 to 180, of a ring that makes exactly one. */
function openedAtAntimeridian(points: readonly Point[]): Point[] {
  const start = points[0] as Point
  const line = start[0] + ((((180 - start[0]) % 360) + 360) % 360)
  const [before, after]: [Point[], Point[]] = [[], []]
  let latitude = start[1]
  for (const [i, p] of points.entries()) {
    const q = points[i + 1]
    if (p[0] <= line) before.push([p[0] - line + 180, p[1]])
    else after.push([p[0] - line - 180, p[1]])
    if (q && p[0] <= line && q[0] > line) latitude = p[1] + ((line - p[0]) / (q[0] - p[0])) * (q[1] - p[1])
  }
  return [[-180, latitude], ...after, ...before, [180, latitude]]
}

/** All longitudes: the strip between its parallels. */
function wholeTurn(points: readonly Point[]): Placed | 'empty' {
  const lats = points.map((p) => round(p[1]))
  const [south, north] = [Math.min(...lats), Math.max(...lats)]
  if (south === north) return 'empty'
  const box: Ring = [
    [-180, south],
    [180, south],
    [180, north],
    [-180, north],
    [-180, south],
  ]
  return { geometry: { type: 'Polygon', coordinates: [box] }, bbox: [-180, south, 180, north] }
}

function cut(points: readonly Point[], west: number, east: number, slack: number): Placed | 'empty' {
  // Into the turn that the western end belongs to; a hair beyond the line is the line.
  const turn = Math.floor((west + 180 + slack) / 360) * 360
  const here = points.map(([lon, lat]): Point => [lon - turn, lat])
  const [low, high] = [west - turn, east - turn]
  const clamped = here.map(([lon, lat]): Point => [Math.max(-180, high <= 180 + slack ? Math.min(180, lon) : lon), lat])
  const crosses = high > 180 + slack && low < 180
  const rings = (crosses ? cutAtAntimeridian(clamped) : [clamped]).map(clean).filter((ring) => ring !== undefined)
  if (rings.every((ring) => areaOf(ring) === 0)) return 'empty'
  return { geometry: geometryOf(rings), bbox: bboxOf(rings, crosses) }
}

function geometryOf(rings: readonly Ring[]): FootprintGeometry {
  const [first, ...others] = rings
  if (first && others.length === 0) return { type: 'Polygon', coordinates: [first] }
  return { type: 'MultiPolygon', coordinates: rings.map((ring) => [ring]) }
}

/** West is the west of what lies before the line, east the east of what lies behind it (RFC 7946, 5.2). */
function bboxOf(rings: readonly Ring[], crosses: boolean): [number, number, number, number] {
  const all = rings.flat()
  const lats = all.map((p) => p[1])
  // By ring: what lies before the line may begin at 0 degrees or west of it.
  const isBefore = (ring: Ring): boolean => ring.some((p) => p[0] === 180)
  const before = crosses ? rings.filter(isBefore).flat() : all
  const behind = crosses ? rings.filter((ring) => !isBefore(ring)).flat() : all
  const west = Math.min(...before.map((p) => p[0]))
  const east = Math.max(...behind.map((p) => p[0]))
  return [west, Math.min(...lats), east, Math.max(...lats)]
}
