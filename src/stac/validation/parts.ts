// A geometry as parts on the globe: each with its longitudes and latitudes, and the box around all of them (RFC 7946, 3.1.9 and 5.2).
import type { Position } from '../../models/stac.ts'
import { isObject, listOf, numbersOf } from './json.ts'

export interface Part {
  readonly west: number
  readonly south: number
  readonly east: number
  readonly north: number
  /** An edge over 180° of longitude that does not lead along the edges of the map: which way it goes is not said. */
  readonly isUnsplit: boolean
}

/** Positions of each part: points, lines, polygons with their holes. Undefined where one is no position. */
export function partsOf(geometry: unknown): Part[] | undefined {
  if (!isObject(geometry)) return undefined
  const found: Part[] = []
  for (const lines of linesOf(geometry.type, geometry.coordinates)) {
    const part = partOf(lines)
    if (part === undefined) return undefined
    if (part) found.push(part)
  }
  return found
}

function linesOf(type: unknown, coordinates: unknown): (readonly unknown[])[] {
  switch (type) {
    case 'Point':
      return [[[coordinates]]]
    case 'MultiPoint':
      return listOf(coordinates).map((point) => [[point]])
    case 'LineString':
      return [[coordinates]]
    case 'MultiLineString':
      return listOf(coordinates).map((line) => [line])
    case 'Polygon':
      return [listOf(coordinates)]
    case 'MultiPolygon':
      return listOf(coordinates).map(listOf)
    default:
      return []
  }
}

/** Null: no position at all; undefined: not all of them are positions. */
function partOf(lines: readonly unknown[]): Part | null | undefined {
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity]
  let isUnsplit = false
  for (const line of lines) {
    let before: Position | undefined
    for (const value of listOf(line)) {
      const position = numbersOf(value, 2)
      if (!position) return undefined
      const [x, y] = position as [number, number]
      if (x < west) west = x
      if (x > east) east = x
      if (y < south) south = y
      if (y > north) north = y
      isUnsplit ||= before !== undefined && isLong(before, position)
      before = position
    }
  }
  return west === Infinity ? null : { west, south, east, north, isUnsplit }
}

/** Over 180° of longitude; from one edge of the map to the other is meant: a global raster, a pole. */
export function isLong(a: Position, b: Position): boolean {
  const [x, y] = [a[0] as number, b[0] as number]
  return Math.abs(x - y) > 180 && !(Math.abs(x) === 180 && Math.abs(y) === 180)
}

export interface Surround {
  /** [west, south, east, north]; west > east where it crosses the antimeridian. */
  readonly box: readonly [number, number, number, number]
  readonly crosses: boolean
}

/** The box of RFC 7946; undefined where an edge leaves open which way it goes, or a position lies beyond the globe. */
export function surround(parts: readonly Part[]): Surround | undefined {
  if (parts.length === 0 || parts.some((p) => p.isUnsplit)) return undefined
  const [west, east] = [smallest(parts, (p) => p.west), -smallest(parts, (p) => -p.east)]
  const [south, north] = [smallest(parts, (p) => p.south), -smallest(parts, (p) => -p.north)]
  if (west < -180 || east > 180 || south < -90 || north > 90) return undefined
  const gap = west === -180 && east === 180 ? widestGap(parts) : undefined
  return gap ? { box: [gap.to, south, gap.from, north], crosses: true } : { box: [west, south, east, north], crosses: false }
}

const smallest = (parts: readonly Part[], of: (part: Part) => number): number =>
  parts.reduce((least, part) => Math.min(least, of(part)), Infinity)

/** Longitudes between parts that nothing covers. */
function widestGap(parts: readonly Part[]): { from: number; to: number } | undefined {
  let best: { from: number; to: number } | undefined
  let reached = -180
  for (const { west, east } of [...parts].sort((a, b) => a.west - b.west)) {
    if (west > reached && (!best || west - reached > best.to - best.from)) best = { from: reached, to: west }
    reached = Math.max(reached, east)
  }
  return best
}
