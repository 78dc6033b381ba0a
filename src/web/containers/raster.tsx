// A raster's facts and its picture. Pictures are asked for with the caller's key and drawn: an <img> could not send it.
import type { JSX } from 'preact'
import { api, namePath } from '../api.ts'
import { count } from '../format.ts'
import { useLoad } from '../hooks.ts'
import type { Json } from '../types.ts'
import { JsonText } from '../ui/json.tsx'
import { Picture } from '../ui/picture.tsx'
import { Shown } from '../ui/notice.tsx'
import type { BlobProps } from './blob-view.tsx'

interface RasterInfo {
  readonly width: number
  readonly height: number
  readonly dtype: string
  readonly bands: Json
  readonly is_cog: boolean
  readonly crs: { readonly epsg?: number; readonly name?: string; readonly reason?: string }
}

export function Raster({ container, blob }: BlobProps): JSX.Element {
  const path = `rasters/${container}/info/${namePath(blob)}`
  const load = useLoad(path, (signal) => api<RasterInfo>(path, { signal }))
  return (
    <div class="raster">
      <Picture path={`rasters/${container}/preview/${namePath(blob)}?width=512`} label={`Preview of ${blob}`} />
      <Shown loaded={load}>
        {(info) => (
          <div>
            <p>
              {count(info.width)} × {count(info.height)} pixels of {info.dtype} ·{' '}
              {info.crs.epsg === undefined ? (info.crs.name ?? info.crs.reason ?? 'no CRS') : `EPSG:${info.crs.epsg}`} ·{' '}
              {info.is_cog ? 'a Cloud-Optimized GeoTIFF' : 'not cloud-optimized'}
            </p>
            <JsonText value={info} label="Facts of the raster" />
          </div>
        )}
      </Shown>
    </div>
  )
}
