// Where an output lies, and its regions as GeoJSON (RFC 7946).
import { crsTable, outline, type Point, toWgs84, unwrapped } from './crs.ts'
import { place, readGeoreference, type Transform } from './georeference.ts'
import type { Pyramid } from './image.ts'
import type { RasterPlan } from './plan.ts'
import { type Regions, regionArea } from './regions.ts'
import { sourceWindow } from './warp-plan.ts'

export interface TargetPlace {
  readonly transform: Transform | undefined
  readonly epsg: number | undefined
}

/** Of the output: the source's own, or the warp's. */
export async function targetPlace({ main }: Pyramid, { warp }: Pick<RasterPlan, 'warp'>): Promise<TargetPlace> {
  if (warp) return { transform: warp.target.transform as unknown as Transform, epsg: warp.to }
  const { transform, crs } = await readGeoreference(main.directory)
  return { transform, epsg: crs.epsg }
}

interface Feature {
  readonly type: 'Feature'
  readonly id: string
  readonly geometry: { readonly type: 'Polygon'; readonly coordinates: readonly (readonly Point[])[] } | null
  readonly properties: Record<string, unknown>
}

export const tileKey = (row: number, column: number): string => `tile_x${column}_y${row}`

/** One feature per region; its geometry is null where the CRS is not known. */
export async function tilesGeoJson(
  plan: RasterPlan,
  { transform, epsg }: TargetPlace,
  keyPrefix: string,
): Promise<{ type: 'FeatureCollection'; features: Feature[] }> {
  const base = plan.cuts[0] as Regions
  const known = epsg === undefined ? undefined : (await crsTable()).codes[String(epsg)]
  const onEarth = transform && epsg !== undefined && known?.proj ? (await toWgs84(epsg)).transform : undefined
  const features: Feature[] = []
  for (let row = 0; row < base.rows; row++)
    for (let column = 0; column < base.columns; column++) {
      const area = regionArea(base, row, column)
      const { x, y, width, height } = area
      const part: Transform | undefined = transform && moved(transform, x, y)
      const source = plan.warp ? sourceWindow(plan.warp, area) : area
      features.push({
        type: 'Feature',
        id: keyPrefix + tileKey(row, column),
        geometry: part && onEarth ? polygon(outline(part, width, height, 9).map((p) => onEarth(p[0], p[1]))) : null,
        properties: {
          pixel_window: [x, y, width, height],
          source_window: [source.x, source.y, source.width, source.height],
          native_bounds: part ? bounds(outline(part, width, height, 2)) : null,
          levels: base.halvings + 1,
        },
      })
    }
  return { type: 'FeatureCollection', features }
}

function moved(t: Transform, x: number, y: number): Transform {
  const [left, top] = place(t, x, y)
  return [left, t[1], t[2], top, t[4], t[5]]
}

/** Rings run counter-clockwise (RFC 7946, 3.1.6); one that crosses the antimeridian goes on beyond 180 degrees. */
function polygon(points: readonly Point[]): Feature['geometry'] {
  const line = unwrapped(points)
  if (!line || line.turns !== 0) return null
  const ring = line.points.map(([lon, lat]): Point => [round(lon), round(lat)])
  return { type: 'Polygon', coordinates: [area(ring) > 0 ? ring : [...ring].reverse()] }
}

const area = (ring: readonly Point[]): number =>
  ring.slice(1).reduce((sum, p, i) => sum + ((ring[i] as Point)[0] * p[1] - p[0] * (ring[i] as Point)[1]), 0)

/** A centimetre. */
const round = (degrees: number): number => Math.round(degrees * 1e7) / 1e7

function bounds(points: readonly Point[]): [number, number, number, number] {
  const [xs, ys] = [points.map((p) => p[0]), points.map((p) => p[1])]
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]
}
