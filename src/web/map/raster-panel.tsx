// A raster of a container on the map.
import type { JSX } from 'preact'
import { address } from '../address.ts'
import { ErrorNotice } from '../ui/notice.tsx'
import { useRaster } from './item-panel.tsx'
import type { MapState } from './map-view.tsx'

/** @param name `container/blob` */
export function RasterPanel({ state, name }: { readonly state: MapState; readonly name: string }): JSX.Element {
  const [container, blob] = [name.slice(0, name.indexOf('/')), name.slice(name.indexOf('/') + 1)]
  const error = useRaster(state.map, { container, blob })
  return (
    <>
      <h2 class="name">{blob}</h2>
      {error && <ErrorNotice error={error} />}
      <p>
        <a href={address(['containers', container], { blob })}>Facts and preview</a>
      </p>
      <p>
        <a href={address(['map'])}>All items</a>
      </p>
    </>
  )
}
