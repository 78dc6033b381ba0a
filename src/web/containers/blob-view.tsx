// One blob: its properties, a way to its bytes, and what a raster looks like.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { address } from '../address.ts'
import { api, type ApiError, namePath } from '../api.ts'
import { bytes, moment } from '../format.ts'
import { asApiError, useLoad, useRole } from '../hooks.ts'
import { JsonText } from '../ui/json.tsx'
import { ErrorNotice, Shown } from '../ui/notice.tsx'
import { Raster } from './raster.tsx'

interface Properties {
  readonly size: number
  readonly last_modified: string
  readonly content_type?: string
}

export interface BlobProps {
  readonly container: string
  readonly blob: string
}

export function BlobView({ container, blob }: BlobProps): JSX.Element {
  const path = `containers/${container}/blobs/${namePath(blob)}`
  const load = useLoad(path, (signal) => api<Properties>(path, { signal }))
  const folder = blob.slice(0, blob.lastIndexOf('/') + 1)
  const isRaster = /\.tiff?$/i.test(blob)
  return (
    <>
      <p class="crumbs">
        <a href={address(['containers', container], { prefix: folder })}>{folder || 'top of the container'}</a>
      </p>
      <h2 class="name">{blob.slice(folder.length)}</h2>
      <Shown loaded={load}>
        {(properties) => (
          <>
            <p>
              {bytes(properties.size)} · changed {moment(properties.last_modified, new Date())} ·{' '}
              {properties.content_type ?? 'no type'}
            </p>
            <div class="tools">
              <OpenButton container={container} blob={blob} />
              {isRaster && <RasterLinks container={container} blob={blob} />}
            </div>
            {isRaster && <Raster container={container} blob={blob} />}
            <details>
              <summary>All properties</summary>
              <JsonText value={properties} label="Properties of the blob" />
            </details>
          </>
        )}
      </Shown>
    </>
  )
}

/** A signature for this blob alone, made when it is asked for: links that anybody may follow are not kept in the page. */
function OpenButton({ container, blob }: BlobProps): JSX.Element | null {
  const [error, setError] = useState<ApiError>()
  const maySign = useRole('submitter')
  const open = async (): Promise<void> => {
    setError(undefined)
    try {
      const { url } = await api<{ url: string }>(`containers/${container}/sas`, { method: 'POST', body: { blob, minutes: 5 } })
      window.open(url, '_blank', 'noopener')
    } catch (cause) {
      setError(asApiError(cause))
    }
  }
  if (!maySign) return null
  return (
    <>
      <button type="button" onClick={() => void open()}>
        Open the file
      </button>
      {error && <ErrorNotice error={error} />}
    </>
  )
}

const RasterLinks = ({ container, blob }: BlobProps): JSX.Element => (
  <>
    <a
      class="button"
      href={address(['submit', 'process_raster'], {
        parameters: JSON.stringify({ source_container: container, source_blob: blob }),
      })}
    >
      Make a COG of it
    </a>
    <a class="button" href={address(['map'], { raster: `${container}/${blob}` })}>
      Show on the map
    </a>
  </>
)
