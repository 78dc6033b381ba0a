// GeoJSON geometries (RFC 7946, section 3.1) as the STAC schemas take them: rings are judged by the semantic checks, not here.
import * as z from 'zod'

/** [longitude, latitude] or with a height; further numbers are kept. */
export const Position = z.array(z.number()).min(2)
export type Position = z.infer<typeof Position>

/** [west, south, east, north] in degrees, or with heights [west, south, low, east, north, high]; west > east crosses the antimeridian. */
export const Bbox = z.array(z.number()).refine((b) => b.length === 4 || b.length === 6, 'must have 4 or 6 numbers')
export type Bbox = z.infer<typeof Bbox>

const bbox = z.array(z.number()).min(4).optional()
const Point = z.looseObject({ type: z.literal('Point'), coordinates: Position, bbox })
const MultiPoint = z.looseObject({ type: z.literal('MultiPoint'), coordinates: z.array(Position), bbox })
const LineString = z.looseObject({ type: z.literal('LineString'), coordinates: z.array(Position).min(2), bbox })
const MultiLineString = z.looseObject({
  type: z.literal('MultiLineString'),
  coordinates: z.array(z.array(Position).min(2)),
  bbox,
})
const Polygon = z.looseObject({ type: z.literal('Polygon'), coordinates: z.array(z.array(Position)), bbox })
const MultiPolygon = z.looseObject({ type: z.literal('MultiPolygon'), coordinates: z.array(z.array(z.array(Position))), bbox })

/** What an item may lie on: STAC leaves GeometryCollections out (item.json refers to the schema Geometry.json). */
export const Geometry = z.discriminatedUnion('type', [Point, MultiPoint, LineString, MultiLineString, Polygon, MultiPolygon])
export type Geometry = z.infer<typeof Geometry>

/** Every geometry of GeoJSON, as a search takes it; collections inside of collections are refused (RFC 7946, 3.1.8: SHOULD be avoided). */
export const GeoJsonGeometry = z.union([
  Geometry,
  z.looseObject({ type: z.literal('GeometryCollection'), geometries: z.array(Geometry) }),
])
export type GeoJsonGeometry = z.infer<typeof GeoJsonGeometry>
