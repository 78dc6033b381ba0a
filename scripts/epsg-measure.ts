// Measures PROJ strings in proj4 against PROJ itself (gdal3.js), and fits the datum shift that brings them closest.
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import proj4 from 'proj4'
import type { Area } from './epsg-database.ts'

const require = createRequire(import.meta.url)

export interface EpsgRow {
  readonly name: string
  readonly kind: 'projected' | 'geographic'
  readonly area: Area
  readonly proj: string | null
  readonly error_m: number | null
  readonly reason?: string
}

export type Point = readonly [number, number]

export interface Peer {
  database(): Uint8Array
  /** WGS84 longitude and latitude into a code's coordinates; undefined where PROJ has none. */
  fromWgs84(code: number, points: readonly Point[]): Promise<(Point | undefined)[]>
}

interface Gdal {
  readonly Module: { readonly FS: { readFile(path: string): Uint8Array } }
  gdaltransform(points: readonly (readonly number[])[], options: readonly string[]): Promise<number[][]>
}

export async function openPeer(): Promise<Peer> {
  const entry = require.resolve('gdal3.js/node.js')
  const init = require(entry) as (options: object) => Promise<Gdal>
  // Its loader wants a path relative to the working directory.
  const gdal = await init({
    path: relative(process.cwd(), join(dirname(entry), 'dist/package')),
    useWorker: false,
    logHandler: () => undefined,
    errorHandler: () => undefined,
  })
  return {
    database: () => gdal.Module.FS.readFile('/usr/share/proj/proj.db'),
    async fromWgs84(code, points) {
      const answers = await gdal.gdaltransform(points, ['-s_srs', 'EPSG:4326', '-t_srs', `EPSG:${code}`, '-output_xy'])
      return answers.map(([x, y]) => (Number.isFinite(x) && Number.isFinite(y) ? [x as number, y as number] : undefined))
    },
  }
}

/** 5 x 5 points of the area of use, its edges a little inside. */
export function areaPoints([west, south, east, north]: Area): Point[] {
  const steps = [0.02, 0.26, 0.5, 0.74, 0.98]
  return steps.flatMap((v) =>
    steps.map((u): Point => {
      const lon = west + (east - west) * u
      return [lon > 180 ? lon - 360 : lon, south + (north - south) * v]
    }),
  )
}

const EARTH = 6_371_000
const radians = (degrees: number): number => (degrees * Math.PI) / 180

/** Metres between two points of the Earth: of the sphere, good to 0.3 % of a small distance. */
function metres([lon1, lat1]: Point, [lon2, lat2]: Point): number {
  const dLon = ((((lon2 - lon1 + 540) % 360) + 360) % 360) - 180
  const dx = radians(dLon) * Math.cos(radians((lat1 + lat2) / 2))
  return EARTH * Math.hypot(dx, radians(lat2 - lat1))
}

/** Largest distance on the ground between where proj4 and where PROJ puts the points. */
export function errorAt(proj: string, points: readonly Point[], truth: readonly (Point | undefined)[]): number {
  try {
    const to = proj4(proj)
    let worst = 0
    for (const [i, point] of points.entries()) {
      const there = truth[i]
      if (!there) continue
      // On the ground, by way of proj4's own inverse: units and stretching of the projection do not count.
      const ours = to.inverse([...there] as [number, number]) as Point
      worst = Math.max(worst, metres(ours, point))
      const forward = to.forward([...point] as [number, number]) as Point
      if (!forward.every(Number.isFinite)) return Infinity
      const back = to.inverse([...forward] as [number, number]) as Point
      worst = Math.max(worst, metres(back, point))
    }
    return Number.isNaN(worst) ? Infinity : worst
  } catch {
    return Infinity
  }
}

const E2 = 0.006_694_379_990_141_33

/** On WGS84, at height 0. */
function geocentric(a: number, e2: number, [lon, lat]: Point): [number, number, number] {
  const [l, p] = [radians(lon), radians(lat)]
  const n = a / Math.sqrt(1 - e2 * Math.sin(p) ** 2)
  return [n * Math.cos(p) * Math.cos(l), n * Math.cos(p) * Math.sin(l), n * (1 - e2) * Math.sin(p)]
}

const ARC_SECONDS = (180 * 3600) / Math.PI

/** Shift (3 terms: metres) or Helmert transformation (7: position vector, arc seconds, ppm) by least squares. */
export function fitShift(
  proj: string,
  points: readonly Point[],
  truth: readonly (Point | undefined)[],
  terms: 3 | 7,
): number[] | undefined {
  const number = (key: string): number => Number(new RegExp(`\\+${key}=(\\S+)`).exec(proj)?.[1])
  const a = number('a')
  const flattening = Number.isNaN(number('rf')) ? 1 - number('b') / a : 1 / number('rf')
  const e2 = flattening * (2 - flattening)
  if (!(a > 0) || !(e2 >= 0)) return undefined
  try {
    const plain = proj4(proj)
    const size = terms === 3 ? 3 : 7
    const normal = Array.from({ length: size }, () => new Float64Array(size + 1))
    for (const [i, point] of points.entries()) {
      const there = truth[i]
      if (!there) continue
      const local = plain.inverse([...there] as [number, number]) as Point
      if (!local.every(Number.isFinite)) return undefined
      const [x, y, z] = geocentric(a, e2, local)
      const wgs = geocentric(6_378_137, E2, point)
      const design = [
        [1, 0, 0, 0, z, -y, x],
        [0, 1, 0, -z, 0, x, y],
        [0, 0, 1, y, -x, 0, z],
      ]
      for (const [axis, row] of design.entries()) {
        const scaled = row.map((v, k) => (k < 3 ? v : v / 6.4e6))
        const rest = (wgs[axis] as number) - ([x, y, z][axis] as number)
        accumulate(normal, scaled, rest, size)
      }
    }
    const solved = solve(normal, size)
    return solved?.map((v, k) => (k < 3 ? v : k < 6 ? (v / 6.4e6) * ARC_SECONDS : (v / 6.4e6) * 1e6))
  } catch {
    return undefined
  }
}

function accumulate(normal: Float64Array[], row: readonly number[], rest: number, size: number): void {
  for (let i = 0; i < size; i++) {
    const line = normal[i] as Float64Array
    for (let j = 0; j < size; j++) line[j] = (line[j] as number) + (row[i] as number) * (row[j] as number)
    line[size] = (line[size] as number) + (row[i] as number) * rest
  }
}

/** Gauss with pivots; a little is added to the diagonal, since small areas hardly tell rotations from shifts. */
function solve(m: Float64Array[], n: number): number[] | undefined {
  for (let i = 0; i < n; i++) (m[i] as Float64Array)[i] = ((m[i] as Float64Array)[i] as number) + 1e-9
  for (let c = 0; c < n; c++) {
    let pivot = c
    for (let r = c + 1; r < n; r++) if (Math.abs(m[r]?.[c] ?? 0) > Math.abs(m[pivot]?.[c] ?? 0)) pivot = r
    ;[m[c], m[pivot]] = [m[pivot] as Float64Array, m[c] as Float64Array]
    const head = (m[c] as Float64Array)[c] as number
    if (head === 0) return undefined
    for (let r = 0; r < n; r++) {
      if (r === c) continue
      const f = ((m[r] as Float64Array)[c] as number) / head
      for (let k = c; k <= n; k++)
        (m[r] as Float64Array)[k] = ((m[r] as Float64Array)[k] as number) - f * ((m[c] as Float64Array)[k] as number)
    }
  }
  return Array.from({ length: n }, (_, i) => ((m[i] as Float64Array)[n] as number) / ((m[i] as Float64Array)[i] as number))
}
