import { expect, test } from 'vitest'
import type { RasterInfo } from '../../src/models/raster.ts'
import { type Point, pointTransform, toWgs84 } from '../../src/raster/crs.ts'
import { place, type Transform } from '../../src/raster/georeference.ts'
import { type Footprint, footprintOf } from '../../src/stac/footprint.ts'
import { areaOf } from '../../src/stac/rings.ts'

interface Grid {
  readonly epsg: number
  readonly width: number
  readonly height: number
  readonly transform: Transform
}

type Facts = Parameters<typeof footprintOf>[0]
const factsOf = ({ epsg, width, height, transform }: Grid): Facts => ({
  width,
  height,
  transform: [...transform],
  georeference: 'transform',
  crs: { kind: 'projected', epsg },
})

const polygons = ({ geometry }: Footprint): readonly (readonly (readonly Point[])[])[] =>
  geometry === null ? [] : geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates

/** RFC 7946: closed, counter-clockwise, no repeated neighbours, within the world. */
function expectLegal(footprint: Footprint): void {
  const rings = polygons(footprint).flat()
  expect(rings.length).toBeGreaterThan(0)
  for (const ring of rings) {
    expect(ring.length).toBeGreaterThanOrEqual(4)
    expect(ring.at(-1)).toEqual(ring[0])
    expect(areaOf(ring)).toBeGreaterThan(0)
    for (const [i, [lon, lat]] of ring.entries()) {
      expect(Math.abs(lon)).toBeLessThanOrEqual(180)
      expect(Math.abs(lat)).toBeLessThanOrEqual(90)
      expect(ring[i + 1]).not.toEqual([lon, lat])
    }
  }
  const lats = rings.flat().map((p) => p[1])
  expect([footprint.bbox?.[1], footprint.bbox?.[3]]).toEqual([Math.min(...lats), Math.max(...lats)])
}

/** Degrees from a place to the nearest edge of the outline, whichever turn it is on. */
function distanceTo(footprint: Footprint, [lon, lat]: Point): number {
  let nearest = Number.POSITIVE_INFINITY
  for (const ring of polygons(footprint).flat())
    for (let i = 1; i < ring.length; i++)
      for (const turn of [-360, 0, 360])
        nearest = Math.min(nearest, toSegment([lon + turn, lat], ring[i - 1] as Point, ring[i] as Point))
  return nearest
}

function toSegment(p: Point, a: Point, b: Point): number {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]]
  const f = Math.max(0, Math.min(1, ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / (dx * dx + dy * dy)))
  return Math.hypot(p[0] - a[0] - f * dx, p[1] - a[1] - f * dy)
}

/** Places along the grid's four edges, none on a corner of the outline by design. */
function edgeOf({ width, height, transform }: Grid, count = 97): Point[] {
  return Array.from({ length: count }, (_, i) => (i + 0.37) / count).flatMap((f) => [
    place(transform, f * width, 0),
    place(transform, f * width, height),
    place(transform, 0, f * height),
    place(transform, width, f * height),
  ])
}

const square = (epsg: number, size: number, left: number, top: number, pixel: number): Grid => ({
  epsg,
  width: size,
  height: size,
  transform: [left, pixel, 0, top, 0, -pixel],
})
const GRIDS: Record<string, Grid> = {
  'UTM 33N, 110 km': square(32_633, 10_980, 399_960, 5_300_040, 10),
  'UTM 18N, small': square(32_618, 700, 101_985, 2_826_915, 300),
  'UTM, rotated by 30 degrees': {
    epsg: 32_633,
    width: 4000,
    height: 3000,
    transform: [500_000, 26, 15, 5_300_000, 15, -26],
  },
  'British National Grid': square(27_700, 5000, 400_000, 300_000, 10),
  'UTM 60N over the antimeridian': square(32_660, 10_000, 750_000, 1_000_000, 30),
  'UTM 1S over the antimeridian': square(32_701, 10_000, 100_000, 8_200_000, 30),
  'polar stereographic, beside the North Pole': square(3413, 2000, 500_000, -500_000, 500),
  'LAEA Europe': square(3035, 3000, 4_000_000, 3_500_000, 100),
}

test.each(Object.entries(GRIDS))('%s: every place of the edge lies on the outline within a fifth of a pixel', async (_, grid) => {
  const footprint = await footprintOf(factsOf(grid))
  expectLegal(footprint)
  expect(footprint.georeference).toBe('affine')
  const { transform } = await toWgs84(grid.epsg)
  for (const at of edgeOf(grid)) {
    const p = transform(...at)
    const next = transform(at[0] + grid.transform[1], at[1])
    const pixel = Math.hypot(((next[0] - p[0] + 540) % 360) - 180, next[1] - p[1])
    expect(distanceTo(footprint, p)).toBeLessThanOrEqual(Math.max(2e-6, 0.2 * pixel))
  }
})

test('a grid over the antimeridian is a polygon on each side, and its box has west greater than east', async () => {
  for (const name of ['UTM 60N over the antimeridian', 'UTM 1S over the antimeridian']) {
    const { geometry, bbox } = await footprintOf(factsOf(GRIDS[name] as Grid))
    expect(geometry?.type).toBe('MultiPolygon')
    const [west = 0, , east = 0] = bbox ?? []
    expect(west).toBeGreaterThan(170)
    expect(east).toBeLessThan(-170)
    const parts = polygons(await footprintOf(factsOf(GRIDS[name] as Grid)))
    expect(parts).toHaveLength(2)
    expect(parts.map(([ring]) => ring?.every(([lon]) => lon > 0))).toEqual([true, false])
    // Both touch the line, at the same latitudes.
    const touching = parts.map(([ring]) =>
      (ring ?? [])
        .filter(([lon]) => Math.abs(lon) === 180)
        .map((p) => p[1])

        .sort((a, b) => a - b),
    )
    expect(new Set(touching[0])).toEqual(new Set(touching[1]))
  }
})

test.each([
  [3413, 90],
  [3976, -90],
])('EPSG:%i round its pole: closed over it, all longitudes', async (epsg, pole) => {
  const footprint = await footprintOf(factsOf(square(epsg, 1000, -1_000_000, 1_000_000, 2000)))
  expectLegal(footprint)
  expect(footprint.bbox?.[0]).toBe(-180)
  expect(footprint.bbox?.[2]).toBe(180)
  expect(footprint.bbox).toContain(pole)
  const [ring = []] = polygons(footprint)[0] ?? []
  expect(ring).toContainEqual([-180, pole])
  expect(ring).toContainEqual([180, pole])
  // Every meridian is met once on the way round.
  const { transform } = await toWgs84(epsg)
  for (const at of edgeOf(square(epsg, 1000, -1_000_000, 1_000_000, 2000), 40))
    expect(distanceTo(footprint, transform(...at))).toBeLessThan(0.01)
})

test.each([
  ['-180 … 180', -180, 1],
  ['0 … 360', 0, 1],
  ['half a pixel too far on each side', -180.5, 361 / 360],
])('the whole world in EPSG:4326, %s: 5 positions, ±180', async (_, left, pixel) => {
  const footprint = await footprintOf(factsOf({ epsg: 4326, width: 360, height: 180, transform: [left, pixel, 0, 90, 0, -1] }))
  expect(footprint).toMatchObject({
    georeference: 'affine',
    warnings: [],
    bbox: [-180, -90, 180, 90],
    geometry: {
      type: 'Polygon',
      coordinates: [
        [
          [-180, -90],
          [180, -90],
          [180, 90],
          [-180, 90],
          [-180, -90],
        ],
      ],
    },
  })
})

test.each([
  ['ends at 179.9', 170, 99, 1],
  ['ends at 180', 170, 100, 1],
  ['goes to 180.1, a pixel beyond', 170, 101, 1],
  ['crosses to -170', 170, 200, 2],
  ['from 0, over 180, to -60', 0, 3000, 2],
  ['from -170 nearly all the way round', -170, 3590, 2],
])('EPSG:4326 beside the antimeridian: %s', async (_, left, width, parts) => {
  const footprint = await footprintOf(factsOf({ epsg: 4326, width, height: 100, transform: [left, 0.1, 0, 10, 0, -0.1] }))
  expectLegal(footprint)
  expect(polygons(footprint)).toHaveLength(parts)
  for (const [ring] of polygons(footprint)) expect(ring).toHaveLength(5)
  expect(footprint.bbox?.[0]).toBe(left)
  expect(footprint.bbox?.[2]).toBe(parts === 2 ? left + width / 10 - 360 : Math.min(180, left + width / 10))
})

test('one pixel; ground control points; an error above 1 m; no place at all', async () => {
  const one = await footprintOf(factsOf({ epsg: 4326, width: 1, height: 1, transform: [5, 1e-5, 0, 50, 0, -1e-5] }))
  expect(one.bbox).toEqual([5, 49.99999, 5.00001, 50])

  const utm = await pointTransform(4326, 32_633)
  const hull = [utm(14, 47), utm(16, 47), utm(16, 49), utm(14, 49)]
  const gcps = { width: 10, height: 10, georeference: 'gcps', gcp_hull: hull, crs: { kind: 'projected', epsg: 32_633 } } as const
  const byPoints = await footprintOf({ ...gcps, gcp_hull: hull.map((p) => [...p]) })
  expect(byPoints.georeference).toBe('gcps')
  expect(byPoints.bbox).toEqual([14, 47, 16, 49])

  // EPSG:5514 is known to some metres alone: its exact operation needs a grid file.
  const inexact = await footprintOf(factsOf(square(5514, 1000, -600_000, -1_100_000, 10)))
  expect(inexact.accuracyM).toBeGreaterThan(1)
  expect(inexact.geometry).not.toBeNull()
})

const PLACELESS: [string, Partial<RasterInfo>, string, string][] = [
  ['neither transform nor points', { georeference: 'none' }, 'none', 'NOT_GEOREFERENCED'],
  ['no CRS', { crs: { kind: 'none', reason: 'the file has no geo keys' } }, 'none', 'CRS_UNKNOWN'],
  ['Mars: parameters of its own', { crs: { kind: 'user_defined' } }, 'unsupported', 'CRS_UNKNOWN'],
  ['a code that is not in the table', { crs: { kind: 'projected', epsg: 1 } }, 'unsupported', 'CRS_UNKNOWN'],
  ["a prototype's name for a code", { crs: { kind: 'unknown', reason: 'constructor is no code' } }, 'unsupported', 'CRS_UNKNOWN'],
  ['degrees that are metres', { transform: [500_000, 10, 0, 5_000_000, 0, -10] }, 'affine', 'FOOTPRINT_OUTSIDE'],
  ['a pixel of no size', { transform: [5, 0, 0, 50, 0, 0] }, 'affine', 'FOOTPRINT_EMPTY'],
  ['not a number', { transform: [Number.NaN, 1, 0, 0, 0, 1] }, 'affine', 'FOOTPRINT_OUTSIDE'],
]
test.each(PLACELESS)('%s: no geometry, and the reason as a warning', async (_, change, georeference, code) => {
  const plain = factsOf({ epsg: 4326, width: 10, height: 10, transform: [5, 0.1, 0, 50, 0, -0.1] })
  const footprint = await footprintOf({ ...plain, ...change })
  expect(footprint).toMatchObject({ geometry: null, georeference, warnings: [{ code }] })
  expect(footprint).not.toHaveProperty('bbox')
})
