// Boxes as conditions on the two ranges, and the exact test of shapes that are no boxes.
import { booleanIntersects } from '@turf/boolean-intersects'
import type { Geometry, SpatialLiteral } from '../cql2/geometry.ts'
import type { Bound } from '../cql2/sql.ts'
import type { Box } from './search.ts'

type Bind = (value: Bound) => string

/** Items whose boxes meet this one; those that cross the antimeridian are covered by the range, and tested by their ends. */
export function boxSql([west, south, east, north]: Box, bind: Bind): string {
  if (west > east) return `(${boxSql([west, south, 180, north], bind)} OR ${boxSql([-180, south, east, north], bind)})`
  const [xr, yr] = [bind(`[${west},${east}]`), bind(`[${south},${north}]`)]
  const crossing = `(NOT i.crosses OR i.west <= ${bind(east)}::float8 OR i.east >= ${bind(west)}::float8)`
  return `(i.xr && ${xr}::numrange AND i.yr && ${yr}::numrange AND ${crossing})`
}

/** Of items that meet the box: whether no shape need be looked at, because it is a box, or lies within. */
export function insideSql([west, south, east, north]: Box, bind: Bind): string {
  if (west > east) return 'i.is_box'
  const [w, s, e, n] = [west, south, east, north].map((x) => `${bind(x)}::float8`)
  return `(i.is_box OR (NOT i.crosses AND i.west >= ${w} AND i.east <= ${e} AND i.south >= ${s} AND i.north <= ${n}))`
}

/** The condition that finds every candidate for a shape. */
export const literalSql = (literal: SpatialLiteral, bind: Bind): string => boxSql(boxOf(literal), bind)

/** Of a box with heights, the ground. */
export function boxOf(literal: SpatialLiteral): Box {
  if (literal.kind === 'geometry') return boundsOf(literal.geometry)
  const { box } = literal
  const half = box.length / 2
  return [box[0], box[1], box[half], box[half + 1]] as unknown as Box
}

function boundsOf(geometry: Geometry): Box {
  let [west, south, east, north] = [180, 90, -180, -90]
  const add = (position: readonly number[]): void => {
    const [x = 0, y = 0] = position
    west = Math.min(west, x)
    east = Math.max(east, x)
    south = Math.min(south, y)
    north = Math.max(north, y)
  }
  const walk = (at: unknown): void => {
    if (!Array.isArray(at)) return
    if (typeof at[0] === 'number') add(at as number[])
    else for (const part of at) walk(part)
  }
  const shapes = (g: Geometry): void => (g.type === 'GeometryCollection' ? g.geometries.forEach(shapes) : walk(g.coordinates))
  shapes(geometry)
  return [west, south, east, north]
}

/** Of boxes, the second of which may cross the antimeridian: asked first, since shapes take a hundred times as long. */
function areApart([west, south, east, north]: Box, [w, s, e, n]: Box): boolean {
  return south > n || north < s || (w <= e ? west > e || east < w : west > e && east < w)
}

/** Whether two shapes have a point in common, in degrees as they lie on a flat map (RFC 7946, 3.1.1). */
export function meets(shape: Geometry, literal: SpatialLiteral): boolean {
  const box = boxOf(literal)
  if (areApart(boundsOf(shape), box)) return false
  const other = literal.kind === 'geometry' ? literal.geometry : boxShape(box)
  return booleanIntersects(shape as Parameters<typeof booleanIntersects>[0], other as Parameters<typeof booleanIntersects>[1])
}

/** A box without width is a line, one without both a point: a ring without area is nothing to any library. */
function boxShape([west, south, east, north]: Box): Geometry {
  if (west > east)
    return { type: 'GeometryCollection', geometries: [boxShape([west, south, 180, north]), boxShape([-180, south, east, north])] }
  if (west === east && south === north) return { type: 'Point', coordinates: [west, south] }
  if (west === east || south === north)
    return {
      type: 'LineString',
      coordinates: [
        [west, south],
        [east, north],
      ],
    }
  const ring = [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ]
  return { type: 'Polygon', coordinates: [ring] }
}
