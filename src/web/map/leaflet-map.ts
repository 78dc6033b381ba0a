// The map itself: land as its only background, so that it works without the internet, and a view that stands in the address.
import { geoJSON, type GeoJSONOptions, latLng, Map as LeafletMap, type PathOptions, svg } from 'leaflet'
import land from 'land'
import { ask } from '../api.ts'

export type Bounds = readonly [west: number, south: number, east: number, north: number]

const WORLD = { center: [25, 10], zoom: 2 } as const

/** `52.1,4.3,7` */
export function viewOf(text: string | null): { center: [number, number]; zoom: number } | undefined {
  const [lat, lon, zoom, ...rest] = (text ?? '').split(',').map(Number)
  const isView = text !== null && rest.length === 0 && [lat, lon, zoom].every((n) => Number.isFinite(n))
  return isView ? { center: [lat ?? 0, lon ?? 0], zoom: zoom ?? 0 } : undefined
}

/** @param view as the address has it. @param moved told when the view has changed and rests */
export function createMap(host: HTMLElement, view: string | null, moved: (view: string, bounds: Bounds) => void): LeafletMap {
  const { center, zoom } = viewOf(view) ?? WORLD
  const map = new LeafletMap(host, {
    center: [center[0], center[1]],
    zoom,
    minZoom: 1,
    maxZoom: 22,
    zoomSnap: 0.5,
    worldCopyJump: true,
  })
  map.attributionControl.setPrefix(false).addAttribution('Land: Natural Earth')
  map.createPane('land').style.zIndex = '100'
  const tell = (): void => {
    const { lat, lng } = map.getCenter()
    moved(`${lat.toFixed(4)},${lng.toFixed(4)},${map.getZoom()}`, boundsOf(map))
  }
  map.on('moveend', tell)
  void drawLand(map)
  tell()
  return map
}

/** Within the world, also where more of it is seen than there is. */
function boundsOf(map: LeafletMap): Bounds {
  const b = map.getBounds()
  if (b.getEast() - b.getWest() >= 360) return [-180, Math.max(-90, b.getSouth()), 180, Math.min(90, b.getNorth())]
  return [wrapped(b.getWest()), Math.max(-90, b.getSouth()), wrapped(b.getEast()), Math.min(90, b.getNorth())]
}

const wrapped = (lon: number): number => ((((lon + 180) % 360) + 360) % 360) - 180

async function drawLand(map: LeafletMap): Promise<void> {
  // The file stands beside this script.
  const answer = await ask(new URL(land, import.meta.url).href)
  const outline = (await answer.json()) as GeoJSON.GeoJsonObject
  // Drawn by the style sheet, so that both themes have their colours. Leaflet hands the renderer on to each outline; its types do not know.
  const options: GeoJSONOptions & PathOptions = {
    interactive: false,
    pane: 'land',
    style: { className: 'land' },
    renderer: svg({ pane: 'land', padding: 0.5 }),
  }
  // The worlds to the left and to the right too: what lies over the antimeridian reaches into them.
  for (const turn of [-360, 0, 360])
    geoJSON(outline, { ...options, coordsToLatLng: ([lon, lat]) => latLng(lat, lon + turn) }).addTo(map)
}
