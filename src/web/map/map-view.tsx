// What lies where: items of the catalogue, the tiles of a job, a raster.
import type { Map as LeafletMap } from 'leaflet'
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { type Address, changed, parseAddress } from '../address.ts'
import { go } from '../hooks.ts'
import { type Bounds, createMap } from './leaflet-map.ts'
import { RasterPanel } from './raster-panel.tsx'
import { SearchPanel } from './search-panel.tsx'
import { TilesPanel } from './tiles-panel.tsx'

/** Between the end of a movement and the search. */
const REST_MS = 300

export interface MapState {
  readonly map: LeafletMap
  /** What is seen of the world. */
  readonly bounds: Bounds
}

export function MapView({ at }: { readonly at: Address }): JSX.Element {
  const host = useRef<HTMLDivElement>(null)
  const state = useMap(host, at)
  const [tiles, raster] = [at.query.get('tiles'), at.query.get('raster')]
  return (
    <>
      <div class="heading">
        <h1>Map</h1>
      </div>
      <div class="map-view">
        {/* Leaflet's own keys: arrows move, plus and minus zoom. */}
        <div ref={host} class="map" role="region" aria-label="Map; arrow keys move it, plus and minus zoom" />
        <div class="panel">
          {state && tiles !== null && <TilesPanel key={tiles} state={state} id={tiles} />}
          {state && tiles === null && raster !== null && <RasterPanel key={raster} state={state} name={raster} />}
          {state && tiles === null && raster === null && <SearchPanel state={state} at={at} />}
        </div>
      </div>
    </>
  )
}

/** Makes the map once; its view follows into the address without a step for Back. */
function useMap(host: { readonly current: HTMLDivElement | null }, at: Address): MapState | undefined {
  const [state, setState] = useState<MapState>()
  const first = useRef(at.query.get('view'))
  useEffect(() => {
    if (!host.current) return undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    let started: LeafletMap | undefined
    const map = createMap(host.current, first.current, (view, bounds) => {
      // The first view is told while the map is made.
      if (!started) return queueMicrotask(() => started && setState({ map: started, bounds }))
      clearTimeout(timer)
      timer = setTimeout(() => {
        setState({ map, bounds })
        go(changed(parseAddress(location.hash), { view }), true)
      }, REST_MS)
      return undefined
    })
    started = map
    return () => {
      clearTimeout(timer)
      map.remove()
    }
  }, [host])
  return state
}
