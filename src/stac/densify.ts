// Outline of a pixel grid in WGS84: straight edges of one CRS are curves in another, so each is split until its chords fit.
import type { Point, PointTransform } from '../raster/crs.ts'
import { place, type Transform } from '../raster/georeference.ts'

/** Degrees. */
const TOLERANCE = 1e-6
/** Of a pixel. */
const PIXEL_SHARE = 0.1
/** Each edge has at least 8 parts, so that no step is half a turn; at most 64. */
const LEAST_PARTS = 8
const MOST_HALVINGS = 3

interface Edge {
  /** Pixel coordinates of both ends. */
  readonly from: Point
  readonly to: Point
  readonly start: Point
  readonly end: Point
  readonly halvings: number
}

/**
 * Closed ring, from the upper left corner along the first row; longitudes as the transform gives them (unwrap them).
 * @returns `pixel`: the larger side of a pixel at a corner, in degrees
 */
export function densified(
  transform: Transform,
  width: number,
  height: number,
  toEarth: PointTransform,
): { points: Point[]; pixel: number } {
  const earth = (p: Point): Point => toEarth(...place(transform, p[0], p[1]))
  const corners: Point[] = [
    [0, 0],
    [width, 0],
    [width, height],
    [0, height],
    [0, 0],
  ]
  const points: Point[] = [earth(corners[0] as Point)]
  for (let i = 0; i < 4; i++) points.push(...edgePoints(corners[i] as Point, corners[i + 1] as Point, earth))
  const sides = corners
    .slice(0, 4)
    .flatMap(([x, y]) => [distance(earth([x, y]), earth([x + 1, y])), distance(earth([x, y]), earth([x, y + 1]))])
  return { points, pixel: Math.max(...sides.filter(Number.isFinite), 0) }
}

/** All points of an edge but its first. */
function edgePoints(a: Point, b: Point, earth: (p: Point) => Point): Point[] {
  const found: Point[] = []
  const open: Edge[] = []
  for (let i = LEAST_PARTS; i > 0; i--) {
    const [from, to] = [between(a, b, (i - 1) / LEAST_PARTS), between(a, b, i / LEAST_PARTS)]
    open.push({ from, to, start: earth(from), end: earth(to), halvings: 0 })
  }
  for (let part = open.pop(); part; part = open.pop()) {
    if (part.halvings === MOST_HALVINGS || fits(part, earth)) {
      found.push(part.end)
      continue
    }
    const middle = between(part.from, part.to, 0.5)
    const at = earth(middle)
    const halvings = part.halvings + 1
    open.push({ from: middle, to: part.to, start: at, end: part.end, halvings })
    open.push({ from: part.from, to: middle, start: part.start, end: at, halvings })
  }
  return found
}

/** Asked at the quarters: the middle alone would miss an S. */
function fits({ from, to, start, end }: Edge, earth: (p: Point) => Point): boolean {
  const pixels = Math.hypot(to[0] - from[0], to[1] - from[1])
  const allowed = Math.max(TOLERANCE, (PIXEL_SHARE * distance(start, end)) / Math.max(1, pixels))
  return [0.25, 0.5, 0.75].every((f) => offChord(start, end, earth(between(from, to, f))) <= allowed)
}

const between = (a: Point, b: Point, f: number): Point => [a[0] + (b[0] - a[0]) * f, a[1] + (b[1] - a[1]) * f]

/** Longitudes the short way round. */
const turn = (degrees: number): number => degrees - Math.round(degrees / 360) * 360

const distance = (a: Point, b: Point): number => Math.hypot(turn(b[0] - a[0]), b[1] - a[1])

/** Distance of a point from the line between two others, in degrees. */
function offChord(a: Point, b: Point, p: Point): number {
  const [dx, dy] = [turn(b[0] - a[0]), b[1] - a[1]]
  const [px, py] = [turn(p[0] - a[0]), p[1] - a[1]]
  const length = Math.hypot(dx, dy)
  if (length === 0) return Math.hypot(px, py)
  return Math.abs(px * dy - py * dx) / length
}
