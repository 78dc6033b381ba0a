// Where there is land, as GeoJSON for a map that has no other background: Natural Earth, 1:110 million (world-atlas, public domain).
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { feature } from 'topojson-client'

type Position = readonly [lon: number, lat: number]
type Ring = readonly Position[]

const require = createRequire(import.meta.url)

/** A text of GeoJSON; positions have one decimal, 11 km at most. */
export async function landOutline(): Promise<string> {
  const topology = JSON.parse(await readFile(require.resolve('world-atlas/land-110m.json'), 'utf8')) as Parameters<
    typeof feature
  >[0]
  const outline = feature(topology, topology.objects['land'] as Parameters<typeof feature>[1]) as unknown as {
    features: readonly { geometry: { coordinates: readonly (readonly Ring[])[] } }[]
  }
  const coordinates = outline.features.flatMap(({ geometry }) => geometry.coordinates.map((rings) => rings.map(unwrapped)))
  return JSON.stringify({ type: 'MultiPolygon', coordinates }, (_, value: unknown) =>
    typeof value === 'number' ? Math.round(value * 10) / 10 : value,
  )
}

/** Without jumps from one edge of the map to the other, which would be drawn as strips across it; at the pole such a jump is the edge itself. */
function unwrapped(ring: Ring): Ring {
  let turns = 0
  return ring.map(([lon, lat], i) => {
    const [before, latBefore] = ring[i - 1] ?? [lon, lat]
    const isEdge = lat <= -89.9 && latBefore <= -89.9
    if (!isEdge && Math.abs(lon - before) > 180) turns += lon < before ? 1 : -1
    return [lon + 360 * turns, lat]
  })
}
