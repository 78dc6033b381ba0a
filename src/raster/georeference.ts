// Where an image lies: transform, ground control points, CRS. OGC GeoTIFF 1.1, read as GDAL reads it.
import { convexHull } from './convex-hull.ts'
import type { Directory } from './directory.ts'
import { TAG } from './tags.ts'

/** GDAL's geotransform: x = t0 + column * t1 + row * t2, y = t3 + column * t4 + row * t5; the corner of a pixel, not its centre. */
export type Transform = readonly [number, number, number, number, number, number]

export interface Crs {
  readonly kind: 'projected' | 'geographic' | 'geocentric' | 'none' | 'user_defined' | 'unknown'
  readonly epsg?: number
  /** What the file calls it (GTCitation, PCSCitation or GeogCitation). */
  readonly citation?: string
  /** Why there is no EPSG code. */
  readonly reason?: string
}

export interface Georeference {
  readonly kind: 'transform' | 'gcps' | 'none'
  readonly transform?: Transform
  readonly gcps?: number
  /** Convex hull of the points in their CRS, counter-clockwise, not closed. */
  readonly gcpHull?: readonly (readonly [number, number])[]
  readonly areaOrPoint: 'area' | 'point'
  readonly crs: Crs
}

const KEY = {
  modelType: 1024,
  rasterType: 1025,
  citation: 1026,
  geographic: 2048,
  geographicCitation: 2049,
  projected: 3072,
  projectedCitation: 3073,
} as const
const POINT = 2

export async function readGeoreference(directory: Directory): Promise<Georeference> {
  const keys = await readGeoKeys(directory)
  const areaOrPoint = keys.get(KEY.rasterType) === POINT ? 'point' : 'area'
  const scale = await directory.numbers(TAG.pixelScale)
  const ties = await directory.numbers(TAG.tiePoints)
  const matrix = await directory.numbers(TAG.matrix)
  const crs = crsOf(keys)
  const found = transformOf(scale, ties, matrix)
  if (found) return { kind: 'transform', transform: areaOrPoint === 'point' ? toCorner(found) : found, areaOrPoint, crs }
  if (ties && ties.length > 6)
    return { kind: 'gcps', gcps: Math.floor(ties.length / 6), gcpHull: convexHull(placesOf(ties)), areaOrPoint, crs }
  return { kind: 'none', areaOrPoint, crs }
}

/** Scale and first tie point, else the matrix; GDAL takes the height of a pixel without its sign. */
function transformOf(
  scale: Float64Array | undefined,
  ties: Float64Array | undefined,
  matrix: Float64Array | undefined,
): Transform | undefined {
  const [sx = 0, sy = 0] = scale ?? []
  if (sx !== 0 && sy !== 0 && ties && ties.length >= 6) {
    const [i, j, , x, y] = ties as unknown as [number, number, number, number, number]
    const height = -Math.abs(sy)
    return finite([x - i * sx, sx, 0, y - j * height, 0, height])
  }
  if (matrix?.length !== 16) return undefined
  const m = matrix as unknown as number[]
  return finite([m[3], m[0], m[1], m[7], m[4], m[5]] as unknown as Transform)
}

function placesOf(ties: Float64Array): [number, number][] {
  const places: [number, number][] = []
  for (let i = 0; i + 5 < ties.length; i += 6) places.push([ties[i + 3] as number, ties[i + 4] as number])
  return places.filter((p) => p.every(Number.isFinite))
}

const finite = (t: Transform): Transform | undefined => (t.every(Number.isFinite) ? t : undefined)

/** RasterPixelIsPoint: coordinates are of the pixel's centre. */
const toCorner = ([x, xc, xr, y, yc, yr]: Transform): Transform => [x - (xc + xr) / 2, xc, xr, y - (yc + yr) / 2, yc, yr]

type GeoKeys = ReadonlyMap<number, number | string>

async function readGeoKeys(directory: Directory): Promise<GeoKeys> {
  const table = await directory.numbers(TAG.geoKeys)
  const found = new Map<number, number | string>()
  if (!table) return found
  const texts = (await directory.text(TAG.geoText)) ?? ''
  const count = Math.min(table[3] ?? 0, Math.floor(table.length / 4) - 1)
  for (let i = 1; i <= count; i++) {
    const [id = 0, location = 0, length = 0, value = 0] = table.subarray(i * 4, i * 4 + 4)
    if (location === 0) found.set(id, value)
    else if (location === TAG.geoText) found.set(id, texts.slice(value, value + length).replace(/[|\0]+$/, ''))
  }
  return found
}

/** GTModelType 1024 tells which key counts (7.2): a projected raster that is described by parameters has a geodetic key too. */
function crsOf(keys: GeoKeys): Crs {
  const citation = [KEY.projectedCitation, KEY.citation, KEY.geographicCitation]
    .map((key) => keys.get(key))
    .find((text) => typeof text === 'string' && text !== '')
  const named = typeof citation === 'string' ? { citation } : {}
  const model = keys.get(KEY.modelType)
  if (keys.size === 0) return { kind: 'none', reason: 'the file has no geo keys' }
  if (model === 1) return { ...codeOf(keys.get(KEY.projected), 'projected'), ...named }
  if (model === 2) return { ...codeOf(keys.get(KEY.geographic), 'geographic'), ...named }
  if (model === 3) return { kind: 'geocentric', ...named, reason: 'geocentric coordinates are not used for rasters' }
  return { kind: 'unknown', ...named, reason: `GTModelType is ${model ?? 'absent'}` }
}

/** Codes of EPSG are 1024-32766; 32767 is user-defined, others are private. */
function codeOf(code: number | string | undefined, kind: 'projected' | 'geographic'): Crs {
  if (typeof code === 'number' && code >= 1024 && code <= 32_766) return { kind, epsg: code }
  if (code === undefined || code === 32_767) return { kind: 'user_defined', reason: 'described by parameters, not by a code' }
  return { kind: 'unknown', reason: `${code} is no code of EPSG` }
}

/** [west, south, east, north] in the raster's own CRS, of a raster that may be rotated. */
export function boundsOf(t: Transform, width: number, height: number): [number, number, number, number] {
  const corners = [
    [0, 0],
    [width, 0],
    [0, height],
    [width, height],
  ].map(([c, r]) => place(t, c as number, r as number))
  const xs = corners.map((p) => p[0])
  const ys = corners.map((p) => p[1])
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]
}

/** Coordinates of a corner of a pixel. */
export const place = (t: Transform, column: number, row: number): [number, number] => [
  t[0] + column * t[1] + row * t[2],
  t[3] + column * t[4] + row * t[5],
]

/** Column and row of a coordinate; undefined where the transform has no area. */
export function unplace(t: Transform, x: number, y: number): [number, number] | undefined {
  const area = t[1] * t[5] - t[2] * t[4]
  if (area === 0) return undefined
  const [dx, dy] = [x - t[0], y - t[3]]
  return [(dx * t[5] - dy * t[2]) / area, (dy * t[1] - dx * t[4]) / area]
}
