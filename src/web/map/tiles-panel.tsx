// The tiles of a raster job, each in the colour of its task's state, while it runs.
import type { GeoJSON as Layer } from 'leaflet'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { address } from '../address.ts'
import { api } from '../api.ts'
import { count, shortId } from '../format.ts'
import { useLoad } from '../hooks.ts'
import { preferences } from '../preferences.ts'
import { Shown } from '../ui/notice.tsx'
import { Status } from '../ui/status.tsx'
import { drawTiles, fit, type Footprint } from './footprints.ts'
import type { MapState } from './map-view.tsx'

interface Tiles {
  readonly features: readonly Footprint[]
  readonly truncated?: boolean
}

const ENDED = new Set(['completed', 'failed', 'skipped'])
const statusOf = ({ properties }: Footprint): string => String(properties['status'])

export function TilesPanel({ state: { map }, id }: { readonly state: MapState; readonly id: string }): JSX.Element {
  const layer = useRef<Layer>(undefined)
  const isOver = useRef(false)
  const load = useLoad(
    id,
    (signal) => api<Tiles>(`jobs/${encodeURIComponent(id)}/tiles`, { signal }),
    isOver.current ? 0 : preferences().refresh,
  )
  const tiles = load.data?.features
  useEffect(() => {
    if (!tiles) return
    const isFirst = layer.current === undefined
    layer.current?.remove()
    layer.current = drawTiles(map, tiles)
    if (isFirst) fit(map, layer.current)
    isOver.current = tiles.every((tile) => ENDED.has(statusOf(tile)))
  }, [tiles, map])
  useEffect(() => () => void layer.current?.remove(), [])
  return (
    <>
      <h2>
        Tiles of job <a href={address(['jobs', id])}>{shortId(id)}</a>
      </h2>
      <Shown loaded={load}>{(data) => <Legend tiles={data} />}</Shown>
    </>
  )
}

function Legend({ tiles: { features, truncated } }: { readonly tiles: Tiles }): JSX.Element {
  const byStatus = Map.groupBy(features, statusOf)
  const unplaced = features.filter((tile) => tile.geometry === null).length
  return (
    <>
      <table class="list">
        <tbody>
          {[...byStatus].map(([status, of]) => (
            <tr key={status}>
              <td>
                <Status value={status} />
              </td>
              <td class="number">{count(of.length)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {unplaced > 0 && <p class="faint">{count(unplaced)} have no place: their raster has no known CRS.</p>}
      {truncated && <p class="faint">The job has more; these are the first 20,000.</p>}
    </>
  )
}
