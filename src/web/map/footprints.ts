// Outlines on the map: of items, and of the tiles of a job.
import {
  canvas,
  circleMarker,
  geoJSON,
  type GeoJSON as Layer,
  type GeoJSONOptions,
  type Map as LeafletMap,
  type Path,
  type PathOptions,
  svg,
} from 'leaflet'
import { toneOf } from '../ui/status.tsx'

export interface Footprint {
  readonly id: string
  readonly collection?: string
  readonly geometry: GeoJSON.Geometry | null
  readonly properties: Readonly<Record<string, unknown>>
}

/** Leaflet hands the renderer on to each outline; its types do not know. */
type DrawnWith = GeoJSONOptions & PathOptions

/** A tooltip is built as an element: what is handed over as text would be taken for HTML. */
function textElement(text: string): HTMLElement {
  const element = document.createElement('span')
  element.textContent = text
  return element
}

const featuresOf = (footprints: readonly Footprint[]): GeoJSON.Feature[] =>
  footprints.flatMap(({ id, collection, geometry, properties }) =>
    geometry ? [{ type: 'Feature', id, geometry, properties: { ...properties, collection } }] : [],
  )

/** Files that came and files that were made look different. */
const kindOf = (collection: unknown): string =>
  typeof collection === 'string' && collection.startsWith('bronze') ? 'came' : 'made'

export function drawItems(map: LeafletMap, items: readonly Footprint[], onClick: (item: Footprint) => void): Layer {
  const renderer = svg({ padding: 0.5 })
  const options: DrawnWith = {
    renderer,
    style: (feature) => ({ className: `footprint ${kindOf(feature?.properties?.['collection'])}` }),
    // A place without an extent is a dot of the same colours.
    pointToLayer: (_, at) => circleMarker(at, { radius: 5, renderer }),
    onEachFeature(feature, shape) {
      const item = items.find(({ id, collection }) => id === feature.id && collection === feature.properties?.['collection'])
      shape.bindTooltip(() => textElement(String(feature.id)), { sticky: true })
      if (item) shape.on('click', () => onClick(item))
    },
  }
  return geoJSON(featuresOf(items), options).addTo(map)
}

/** Marks the chosen one of the items. */
export function markItem(layer: Layer | undefined, chosen: Footprint | undefined): void {
  layer?.eachLayer((shape) => {
    const { feature } = shape as Path & { feature?: GeoJSON.Feature }
    const isChosen = chosen !== undefined && feature?.id === chosen.id && feature.properties?.['collection'] === chosen.collection
    ;(shape as Path).getElement()?.classList.toggle('chosen', isChosen)
  })
}

/** Of a tone in the theme that is shown, as a canvas takes it: the style sheet alone can tell which of a pair that is. */
function resolvedColour(tone: string): string {
  const probe = document.createElement('span')
  probe.style.color = `var(--${tone})`
  document.body.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

/** Thousands of them: drawn as pixels, in the colours that the theme has now. */
export function drawTiles(map: LeafletMap, tiles: readonly Footprint[]): Layer {
  const colours = new Map<string, string>()
  const colourOf = (tone: string): string => {
    const known = colours.get(tone) ?? resolvedColour(tone)
    colours.set(tone, known)
    return known
  }
  const options: DrawnWith = {
    renderer: canvas({ padding: 0.5 }),
    style: (feature) => {
      const color = colourOf(toneOf(String(feature?.properties?.['status'])))
      return { color, weight: 1, fillColor: color, fillOpacity: 0.25 }
    },
    onEachFeature(feature, shape) {
      shape.bindTooltip(() => textElement(`${feature.id}: ${feature.properties?.['status']}`), { sticky: true })
    },
  }
  return geoJSON(featuresOf(tiles), options).addTo(map)
}

/** Moves to where something is, unless that is nowhere. */
export function fit(map: LeafletMap, layer: Layer): void {
  const bounds = layer.getBounds()
  if (bounds.isValid()) map.fitBounds(bounds.pad(0.1), { animate: false })
}
