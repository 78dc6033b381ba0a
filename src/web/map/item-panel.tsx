// One item: its picture, its raster on the map, its document.
import type { GridLayer, Map as LeafletMap } from 'leaflet'
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { address } from '../address.ts'
import { api, type ApiError } from '../api.ts'
import { shortId } from '../format.ts'
import { asApiError, useLoad } from '../hooks.ts'
import { JsonText } from '../ui/json.tsx'
import { ErrorNotice, Shown } from '../ui/notice.tsx'
import { Picture } from '../ui/picture.tsx'
import type { Footprint } from './footprints.ts'
import { addRaster, type RasterName } from './raster-layer.ts'

interface Item {
  readonly id: string
  readonly properties: Readonly<Record<string, unknown>>
  readonly assets: Readonly<Record<string, { readonly href: string }>>
  readonly links: readonly { readonly rel: string; readonly href: string }[]
}

/** Its raster, where the catalogue says that it can be shown: `…/rasters/{container}/tilejson/{blob}`. */
export function rasterOf({ links }: Item): RasterName | undefined {
  const href = links.find(({ rel }) => rel === 'tilejson')?.href
  const [, container, blob] = /\/rasters\/([^/]+)\/tilejson\/([^?]+)/.exec(href ?? '') ?? []
  return container !== undefined && blob !== undefined
    ? { container: decodeURIComponent(container), blob: decodeURIComponent(blob) }
    : undefined
}

export function ItemPanel({
  map,
  item,
  onClose,
}: {
  readonly map: LeafletMap
  readonly item: Footprint
  readonly onClose: () => void
}): JSX.Element {
  const path = `stac/collections/${encodeURIComponent(item.collection ?? '')}/items/${encodeURIComponent(item.id)}`
  const load = useLoad(path, (signal) => api<Item>(path, { signal }))
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus(), [item])
  return (
    <>
      <button type="button" onClick={onClose}>
        Back to the list
      </button>
      <h2 class="name" ref={heading} tabIndex={-1}>
        {item.id}
      </h2>
      <Shown loaded={load}>
        {(whole) => {
          const raster = rasterOf(whole)
          const job = whole.properties['lamplighter:job_id']
          return (
            <>
              {raster && <Picture path={`${path}/preview.png?size=256`} label={`Preview of ${item.id}`} />}
              <div class="tools">
                {raster && <RasterButton map={map} raster={raster} />}
                {typeof job === 'string' && <a href={address(['jobs', job])}>Job {shortId(job)}</a>}
              </div>
              <JsonText value={whole} label="The item as JSON" />
            </>
          )
        }}
      </Shown>
    </>
  )
}

function RasterButton({ map, raster }: { readonly map: LeafletMap; readonly raster: RasterName }): JSX.Element {
  const [isShown, setShown] = useState(false)
  const error = useRaster(map, isShown ? raster : undefined)
  return (
    <>
      <button type="button" aria-pressed={isShown} onClick={() => setShown(!isShown)}>
        Raster on the map
      </button>
      {error && <ErrorNotice error={error} />}
    </>
  )
}

/** Shows a raster while it is given; answers why it could not. */
export function useRaster(map: LeafletMap, raster: RasterName | undefined): ApiError | undefined {
  const [error, setError] = useState<ApiError>()
  const [container, blob] = [raster?.container, raster?.blob]
  useEffect(() => {
    setError(undefined)
    if (container === undefined || blob === undefined) return undefined
    const aborted = new AbortController()
    let layer: GridLayer | undefined
    addRaster(map, { container, blob }, aborted.signal).then(
      (made) => (aborted.signal.aborted ? void made.remove() : (layer = made)),
      (cause: unknown) => aborted.signal.aborted || setError(asApiError(cause)),
    )
    return () => {
      aborted.abort()
      layer?.remove()
    }
  }, [map, container, blob])
  return error
}
