// Geometries of a filter: GeoJSON shapes (RFC 7946) in degrees, read from JSON or WKT and checked alike.
import { type Budget, type Refuse, refuseJson } from './refuse.ts'

/** Longitude, latitude and perhaps height. */
export type Position = readonly number[]

export type Geometry =
  | { readonly type: 'Point'; readonly coordinates: Position }
  | { readonly type: 'MultiPoint' | 'LineString'; readonly coordinates: readonly Position[] }
  | { readonly type: 'MultiLineString' | 'Polygon'; readonly coordinates: readonly (readonly Position[])[] }
  | { readonly type: 'MultiPolygon'; readonly coordinates: readonly (readonly (readonly Position[])[])[] }
  | { readonly type: 'GeometryCollection'; readonly geometries: readonly Geometry[] }

/** `box`: west, south, east, north, or with heights in third and sixth place; west > east crosses the antimeridian. */
export type SpatialLiteral =
  | { readonly kind: 'geometry'; readonly geometry: Geometry }
  | { readonly kind: 'bbox'; readonly box: readonly number[] }

/** How deep the arrays of coordinates are. */
export const NESTING = { Point: 0, MultiPoint: 1, LineString: 1, MultiLineString: 2, Polygon: 2, MultiPolygon: 3 } as const
export type Shape = keyof typeof NESTING

/** Refuses a position beyond the Earth, or of other than two or three finite numbers. */
export function checkPosition(position: readonly unknown[], refuse: Refuse): Position {
  if (position.length < 2 || position.length > 3)
    throw refuse(`a position has ${position.length} numbers; give longitude, latitude and perhaps height.`)
  if (!position.every((n) => typeof n === 'number' && Number.isFinite(n)))
    throw refuse('a position holds something that is no number.')
  const [longitude, latitude] = position as number[]
  checkRange(longitude as number, 180, 'longitude', refuse)
  checkRange(latitude as number, 90, 'latitude', refuse)
  return position.map((n) => (n as number) + 0)
}

function checkRange(value: number, most: number, name: string, refuse: Refuse): void {
  if (Math.abs(value) > most) throw refuse(`${name} ${value} lies beyond ±${most}; coordinates are degrees, longitude first.`)
}

/** Refuses a line of one position, and a ring that is short or open. */
export function checkLine(line: readonly Position[], shape: Shape, refuse: Refuse): void {
  if (shape.endsWith('LineString') && line.length < 2) throw refuse('a line needs two positions or more.')
  if (!shape.endsWith('Polygon')) return
  if (line.length < 4) throw refuse(`a ring has ${line.length} positions; it needs four or more, the last equal to the first.`)
  const [first, last] = [line[0] as Position, line.at(-1) as Position]
  if (first.length !== last.length || first.some((n, i) => n !== last[i]))
    throw refuse('a ring is open; repeat its first position at its end.')
}

/** Refuses a box of other than four or six numbers, beyond the Earth, or upside down. */
export function checkBox(box: readonly unknown[], refuse: Refuse): SpatialLiteral {
  if (box.length !== 4 && box.length !== 6) throw refuse(`a box has ${box.length} numbers; give west, south, east, north.`)
  const half = box.length / 2
  const low = checkPosition(box.slice(0, half), refuse)
  const high = checkPosition(box.slice(half), refuse)
  for (const [i, name] of ['', 'south', 'lowest height'].entries())
    if (i > 0 && i < half && (low[i] as number) > (high[i] as number))
      throw refuse(`the box has its ${name} above its upper end.`)
  return { kind: 'bbox', box: [...low, ...high] }
}

/** Where a geometry of a JSON document stands, and what may still be read. */
export interface GeometryPlace {
  /** RFC 6901 */
  readonly at: string
  readonly depth: number
  readonly budget: Budget
}

/**
 * Reads a GeoJSON geometry; nothing of it is trusted.
 * @throws AppError `CQL2_INVALID` with the JSON pointer
 */
export function readGeoJson(value: object, place: GeometryPlace): Geometry {
  const { at, depth, budget } = place
  const { type, coordinates, geometries } = value as Record<string, unknown>
  const refuse: Refuse = (what) => refuseJson(at, what)
  const isCollection = type === 'GeometryCollection'
  for (const key of Object.keys(value))
    if (!['type', 'bbox', isCollection ? 'geometries' : 'coordinates'].includes(key))
      throw refuse('a geometry has members type, coordinates (or geometries) and bbox only.')
  if (isCollection) {
    budget.level(depth, refuse)
    budget.node(refuse)
    return { type, geometries: readCollection(geometries, { at: `${at}/geometries`, depth: depth + 1, budget }) }
  }
  if (typeof type !== 'string' || !Object.hasOwn(NESTING, type))
    throw refuse(`a geometry is of type ${Object.keys(NESTING).join(', ')} or GeometryCollection.`)
  const shape = type as Shape
  return {
    type: shape,
    coordinates: readNested(coordinates, NESTING[shape], { at: `${at}/coordinates`, shape, budget }),
  } as Geometry
}

function readCollection(geometries: unknown, { at, depth, budget }: GeometryPlace): Geometry[] {
  if (!Array.isArray(geometries) || geometries.length === 0)
    throw refuseJson(at, 'geometries must be a list of one geometry or more.')
  return geometries.map((g: unknown, i) => {
    if (typeof g !== 'object' || g === null) throw refuseJson(`${at}/${i}`, 'this is no geometry.')
    return readGeoJson(g, { at: `${at}/${i}`, depth, budget })
  })
}

interface Nested {
  readonly at: string
  readonly shape: Shape
  readonly budget: Budget
}

/** Arrays as deep as the type says and no deeper, so hostile nesting is never followed. */
function readNested(value: unknown, levels: number, { at, shape, budget }: Nested): unknown {
  const refuse: Refuse = (what) => refuseJson(at, what)
  if (!Array.isArray(value)) throw refuse(levels === 0 ? 'this is no position.' : 'this is no list of coordinates.')
  if (levels === 0) {
    budget.position(refuse)
    return checkPosition(value, refuse)
  }
  if (value.length === 0) throw refuse('an empty list of coordinates meets nothing.')
  const read = value.map((v: unknown, i) => readNested(v, levels - 1, { at: `${at}/${i}`, shape, budget }))
  if (levels === 1) checkLine(read as Position[], shape, refuse)
  return read
}
