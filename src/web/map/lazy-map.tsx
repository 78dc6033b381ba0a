// The map comes when it is asked for: its code and the outline of the land are more than the rest of the page.
import type { ComponentType, JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Address } from '../address.ts'
import { ApiError } from '../api.ts'
import { ErrorNotice } from '../ui/notice.tsx'

type View = ComponentType<{ readonly at: Address }>

export function LazyMap({ at }: { readonly at: Address }): JSX.Element {
  const [view, setView] = useState<{ readonly component?: View; readonly failed?: boolean }>({})
  const load = (): void => {
    import('./map-view.tsx').then(
      ({ MapView }) => setView({ component: MapView }),
      () => setView({ failed: true }),
    )
  }
  useEffect(load, [])
  const { component: Component, failed } = view
  if (failed)
    return (
      <ErrorNotice
        error={new ApiError(0, { detail: 'The map could not be loaded. A newer release may be there: load the page again.' })}
      />
    )
  if (!Component)
    return (
      <p class="loading" role="status">
        Loading the map …
      </p>
    )
  return <Component at={at} />
}
