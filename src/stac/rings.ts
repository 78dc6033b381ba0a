// Rings of GeoJSON polygons: closed, counter-clockwise, without repeated or needless positions.
import type { Point } from '../raster/crs.ts'

export type Ring = readonly Point[]

/** A centimetre: seven decimals of a degree. */
export const round = (degrees: number): number => {
  const rounded = Math.round(degrees * 1e7) / 1e7
  return rounded === 0 ? 0 : rounded
}

/** Signed: positive when counter-clockwise, in square degrees. */
export function areaOf(ring: Ring): number {
  let sum = 0
  for (let i = 1; i < ring.length; i++) {
    const [a, b] = [ring[i - 1] as Point, ring[i] as Point]
    sum += a[0] * b[1] - b[0] * a[1]
  }
  return sum / 2
}

const same = (a: Point | undefined, b: Point | undefined): boolean => a?.[0] === b?.[0] && a?.[1] === b?.[1]

export const closed = (points: readonly Point[]): Point[] =>
  same(points[0], points.at(-1)) ? [...points] : [...points, points[0] as Point]

/** Rounded, closed, counter-clockwise, without repeated neighbours and without positions on a straight line. Undefined: no area. */
export function clean(points: readonly Point[]): Ring | undefined {
  const rounded = points.map(([lon, lat]): Point => [round(lon), round(lat)])
  let open = rounded.filter((p, i) => !same(p, rounded[i - 1]))
  if (same(open[0], open.at(-1))) open = open.slice(0, -1)
  const corners = withoutStraight(open)
  if (corners.length < 3) return undefined
  const ring = closed(corners)
  const area = areaOf(ring)
  if (area === 0) return undefined
  return area > 0 ? ring : [...ring].reverse()
}

/** Half of the last decimal: what rounding did to a straight line. */
const STRAIGHT = 0.75e-7

function withoutStraight(open: readonly Point[]): Point[] {
  if (open.length < 4) return [...open]
  // Begin at a corner for certain: the lowest of the westernmost.
  const start = open.reduce((best, p, i) => {
    const b = open[best] as Point
    return p[0] < b[0] || (p[0] === b[0] && p[1] < b[1]) ? i : best
  }, 0)
  const turned = [...open.slice(start), ...open.slice(0, start), open[start] as Point]
  const kept: Point[] = [turned[0] as Point]
  let from = 0
  for (let i = 1; i < turned.length - 1; i++) {
    const [a, b] = [turned[from] as Point, turned[i + 1] as Point]
    let straight = true
    for (let k = from + 1; k <= i && straight; k++) straight = liesOn(a, b, turned[k] as Point)
    if (straight) continue
    kept.push(turned[i] as Point)
    from = i
  }
  return kept
}

/** Between the two, and within rounding of the line through them. */
function liesOn(a: Point, b: Point, p: Point): boolean {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]]
  const length = Math.hypot(dx, dy)
  if (length === 0) return false
  const along = ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length
  const off = Math.abs((p[0] - a[0]) * dy - (p[1] - a[1]) * dx) / length
  return off <= STRAIGHT && along >= 0 && along <= length
}
