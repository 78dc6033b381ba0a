// The shape of `intersects`: any GeoJSON geometry, closed rings that do not cross themselves.
import { AppError } from '../../rules/errors.ts'
import { type Geometry, readGeoJson } from '../cql2/geometry.ts'
import { Budget } from '../cql2/refuse.ts'
import { selfIntersection } from '../validation/self-intersection.ts'
import { refuseSearch } from './refuse.ts'

/** @throws AppError `INVALID_SEARCH` with the pointer below intersects */
export function readIntersects(value: unknown): Geometry {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refuseSearch('intersects', 'must be a GeoJSON geometry.')
  const geometry = read(value)
  refuseCrossing(geometry, 'intersects')
  return geometry
}

function read(value: object): Geometry {
  try {
    return readGeoJson(value, { at: '', depth: 1, budget: new Budget() })
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'CQL2_INVALID') throw error
    const [issue] = error.issues
    throw refuseSearch(`intersects${issue?.path ?? ''}`, issue?.message ?? 'is no geometry.')
  }
}

function refuseCrossing(geometry: Geometry, at: string): void {
  if (geometry.type === 'GeometryCollection')
    for (const [i, part] of geometry.geometries.entries()) refuseCrossing(part, `${at}/geometries/${i}`)
  const polygons =
    geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.type === 'MultiPolygon' ? geometry.coordinates : []
  for (const [p, rings] of polygons.entries())
    for (const [r, ring] of rings.entries()) {
      const crossing = selfIntersection(ring as [number, number][])
      if (crossing === undefined || crossing === 'unchecked') continue
      const path = `${at}/coordinates/${geometry.type === 'MultiPolygon' ? `${p}/` : ''}${r}/${crossing.edges[0]}`
      throw refuseSearch(path, `the ring crosses itself: its edge here meets the one that begins at ${crossing.edges[1]}.`)
    }
}
