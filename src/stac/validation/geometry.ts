// Rings and positions (RFC 7946, 3.1.1 and 3.1.6).
import type { Position } from '../../models/stac.ts'
import type { Findings, Path } from './findings.ts'
import { isObject, listOf, numbersOf } from './json.ts'
import { isLong } from './parts.ts'
import { selfIntersection } from './self-intersection.ts'
import type { Rule } from './subject.ts'

export const geometryRule: Rule = ({ document: { geometry }, kind }, findings) => {
  if (kind !== 'Item' || !isObject(geometry)) return
  const { type, coordinates } = geometry
  const at = ['geometry', 'coordinates']
  if (type === 'Polygon') polygon(coordinates, at, findings)
  else if (type === 'MultiPolygon') for (const [i, part] of listOf(coordinates).entries()) polygon(part, [...at, i], findings)
  else if (type === 'Point') positions([coordinates], at, findings, true)
  else if (type === 'LineString' || type === 'MultiPoint') positions(coordinates, at, findings, type === 'MultiPoint')
  else if (type === 'MultiLineString')
    for (const [i, line] of listOf(coordinates).entries()) positions(line, [...at, i], findings, false)
}

function polygon(rings: unknown, at: Path, findings: Findings): void {
  for (const [i, ring] of listOf(rings).entries()) {
    const path = [...at, i]
    const read = positions(ring, path, findings, false)
    if (read && Array.isArray(ring)) judgeRing(ring, read, path, i === 0, findings)
  }
}

interface Read {
  readonly positions: readonly Position[]
  readonly isUnsplit: boolean
}

/** Undefined where not all of them are positions: the structure says so. */
function positions(list: unknown, at: Path, findings: Findings, arePoints: boolean): Read | undefined {
  if (!Array.isArray(list)) return undefined
  const found: Position[] = []
  let [beyond, long] = [-1, -1]
  for (const [i, value] of list.entries()) {
    const position = numbersOf(value, 2)
    if (!position) return undefined
    const [x, y] = position as [number, number]
    if (beyond < 0 && (Math.abs(x) > 180 || Math.abs(y) > 90)) beyond = i
    const before = found.at(-1)
    if (long < 0 && !arePoints && before && isLong(before, position)) long = i - 1
    found.push(position)
  }
  const place = (i: number): Path => (at.length === 2 && arePoints && found.length === 1 ? at : [...at, i])
  if (beyond >= 0)
    findings.semantic('COORDINATE_RANGE', place(beyond), `${found[beyond]?.slice(0, 2).join(', ')} lies beyond the globe`)
  if (long >= 0)
    findings.semantic('GEOMETRY_UNSPLIT', place(long), 'the edge from here is over 180 degrees long; cut it at the antimeridian')
  return { positions: found, isUnsplit: long >= 0 }
}

/** @param ring the array of the document, which repairs change */
function judgeRing(ring: unknown[], { positions, isUnsplit }: Read, path: Path, isExterior: boolean, findings: Findings): void {
  const [first, last] = [positions[0], positions.at(-1)]
  const isClosed =
    first !== undefined && last !== undefined && first.length === last.length && first.every((n, i) => n === last[i])
  if (positions.length < (isClosed ? 4 : 3)) {
    findings.semantic('RING_TOO_SHORT', path, `${positions.length} positions; a closed ring has at least 4`)
    return
  }
  if (!isClosed) {
    const fix = (): string => {
      ring.push([...(ring[0] as Position)])
      return 'appended the first position'
    }
    findings.semantic('RING_NOT_CLOSED', path, 'first and last position differ', { fix })
  }
  if (isUnsplit) return
  const closed = isClosed ? positions : [...positions, first as Position]
  const area = doubledArea(closed)
  if (area !== 0 && area > 0 !== isExterior) {
    const fix = (): string => {
      ring.reverse()
      return 'reversed the ring'
    }
    const message = isExterior ? 'the exterior ring is clockwise' : 'the hole is counter-clockwise'
    findings.semantic('RING_ORIENTATION', path, message, { fix })
  }
  crossings(closed, path, findings)
}

function crossings(ring: readonly Position[], path: Path, findings: Findings): void {
  const found = selfIntersection(ring)
  if (found === 'unchecked') findings.semantic('RING_UNCHECKED', path, 'too many edges side by side to look for crossings')
  else if (found) findings.semantic('RING_SELF_INTERSECTION', path, `the edges from positions ${found.edges.join(' and ')} meet`)
}

/** Positive: counter-clockwise. Relative to the first position, so that a small ring far from zero keeps its digits. */
function doubledArea(ring: readonly Position[]): number {
  const [x0, y0] = ring[0] as [number, number]
  let sum = 0
  for (let i = 0; i + 1 < ring.length; i++) {
    const [a, b] = [ring[i] as [number, number], ring[i + 1] as [number, number]]
    sum += (a[0] - x0) * (b[1] - y0) - (b[0] - x0) * (a[1] - y0)
  }
  return sum
}
