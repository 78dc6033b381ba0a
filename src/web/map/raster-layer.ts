// Tiles of a raster: asked for with the caller's key, which an <img> could not send, and drawn.
import { type Coords, type DoneCallback, GridLayer, latLngBounds, type Map as LeafletMap } from 'leaflet'
import { api, namePath } from '../api.ts'
import { drawOn } from '../ui/picture.tsx'

interface TileJson {
  readonly minzoom: number
  readonly maxzoom: number
  readonly bounds: readonly [number, number, number, number]
}

export interface RasterName {
  readonly container: string
  readonly blob: string
}

class RasterLayer extends GridLayer {
  readonly #path: (coords: Coords) => string
  readonly #asked = new Map<HTMLElement, AbortController>()

  constructor(path: (coords: Coords) => string, options: ConstructorParameters<typeof GridLayer>[0]) {
    super(options)
    this.#path = path
    this.on('tileunload', ({ tile }: { tile: HTMLElement }) => {
      this.#asked.get(tile)?.abort()
      this.#asked.delete(tile)
    })
  }

  override createTile(coords: Coords, done: DoneCallback): HTMLElement {
    const tile = document.createElement('canvas')
    const aborted = new AbortController()
    this.#asked.set(tile, aborted)
    drawOn(() => tile, this.#path(coords), aborted.signal).then(
      () => done(undefined, tile),
      (error: unknown) => done(error instanceof Error ? error : new Error('no tile'), tile),
    )
    return tile
  }
}

/** Shows a raster and moves there. @throws ApiError where it has no place on a map */
export async function addRaster(map: LeafletMap, { container, blob }: RasterName, signal: AbortSignal): Promise<GridLayer> {
  const place = await api<TileJson>(`rasters/${container}/tilejson/${namePath(blob)}`, { signal })
  const [west, south, east, north] = place.bounds
  const bounds = latLngBounds([south, west], [north, east])
  const layer = new RasterLayer(({ z, x, y }) => `rasters/${container}/tiles/${z}/${x}/${y}/${namePath(blob)}`, {
    bounds,
    minNativeZoom: place.minzoom,
    maxNativeZoom: place.maxzoom,
    updateWhenIdle: true,
  })
  layer.addTo(map)
  map.fitBounds(bounds, { maxZoom: place.maxzoom, animate: false })
  return layer
}
