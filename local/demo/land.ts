// Where there is land: Natural Earth polygons (world-atlas, public domain) as one global mask to sample from.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { feature } from 'topojson-client'

export const MASK_WIDTH = 3600
export const MASK_HEIGHT = 1800

type Ring = readonly (readonly [number, number])[]
interface Geometry {
  readonly type: string
  readonly coordinates: readonly Ring[] | readonly (readonly Ring[])[]
}
const require = createRequire(import.meta.url)

/** One byte per 0.1° cell, row-major from 180° W, 90° N: 1 is land. */
export async function landMask(): Promise<Uint8Array> {
  const topology = JSON.parse(await readFile(require.resolve('world-atlas/land-110m.json'), 'utf8')) as Parameters<
    typeof feature
  >[0]
  const land = feature(topology, topology.objects['land'] as never) as unknown as {
    features?: { geometry: Geometry }[]
    geometry?: Geometry
  }
  const mask = new Uint8Array(MASK_WIDTH * MASK_HEIGHT)
  const geometries = land.features?.map((f) => f.geometry) ?? (land.geometry ? [land.geometry] : [])
  for (const geometry of geometries) {
    const polygons =
      geometry.type === 'MultiPolygon'
        ? (geometry.coordinates as readonly (readonly Ring[])[])
        : [geometry.coordinates as readonly Ring[]]
    for (const rings of polygons) fill(mask, rings)
  }
  return mask
}

/** Even-odd scanline fill at cell centres: holes are rings like any other. */
function fill(mask: Uint8Array, rings: readonly Ring[]): void {
  for (let y = 0; y < MASK_HEIGHT; y++) {
    const lat = 90 - ((y + 0.5) * 180) / MASK_HEIGHT
    const crossings: number[] = []
    for (const ring of rings) {
      for (let i = 1; i < ring.length; i++) {
        const [[x1, y1], [x2, y2]] = [ring[i - 1] as [number, number], ring[i] as [number, number]]
        if (y1 > lat !== y2 > lat) crossings.push(x1 + ((lat - y1) / (y2 - y1)) * (x2 - x1))
      }
    }
    crossings.sort((a, b) => a - b)
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const from = Math.max(0, Math.ceil((((crossings[i] as number) + 180) * MASK_WIDTH) / 360 - 0.5))
      const to = Math.min(MASK_WIDTH - 1, Math.floor((((crossings[i + 1] as number) + 180) * MASK_WIDTH) / 360 - 0.5))
      for (let x = from; x <= to; x++) mask[y * MASK_WIDTH + x] = 1
    }
  }
}
