// Items of the catalogue within the view: narrowed, listed beside the map, opened by mouse or keyboard.
import type { GeoJSON as Layer } from 'leaflet'
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { type Address, changed } from '../address.ts'
import { api, query } from '../api.ts'
import { count, shortId } from '../format.ts'
import { go, type Loaded, useLoad } from '../hooks.ts'
import { Choice } from '../job-list/filter-bar.tsx'
import { Empty, Shown } from '../ui/notice.tsx'
import { drawItems, fit, type Footprint, markItem } from './footprints.ts'
import { ItemPanel } from './item-panel.tsx'
import type { Bounds } from './leaflet-map.ts'
import type { MapState } from './map-view.tsx'

const MOST = 1000
const LISTED = 200

interface Found {
  readonly features: readonly Footprint[]
  readonly links: readonly { readonly rel: string }[]
}

/** The search of a view and its filters; a view of the whole world asks for items without a place too. */
function searchOf({ query: given }: Address, bounds: Bounds): string {
  const [west, , east] = bounds
  const [job, from, to] = [given.get('job'), given.get('from'), given.get('to')]
  return `stac/search${query({
    collections: given.get('collection') ?? undefined,
    datetime: from || to ? `${from ? `${from}T00:00:00Z` : '..'}/${to ? `${to}T23:59:59Z` : '..'}` : undefined,
    bbox: job !== null || (west === -180 && east === 180) ? undefined : bounds.map((n) => n.toFixed(5)).join(','),
    filter: job === null ? undefined : `"lamplighter:job_id" = '${job.replaceAll("'", "''")}'`,
    'filter-lang': job === null ? undefined : 'cql2-text',
    fields: 'id,collection,geometry,bbox,properties.datetime,properties.title',
    limit: MOST,
  })}`
}

export function SearchPanel({ state: { map, bounds }, at }: { readonly state: MapState; readonly at: Address }): JSX.Element {
  const path = searchOf(at, bounds)
  const load = useLoad(path, (signal) => api<Found>(path, { signal }))
  const [chosen, setChosen] = useState<Footprint>()
  const layer = useRef<Layer>(undefined)
  const job = at.query.get('job')
  const isPlaced = useRef(at.query.has('view'))
  const found = load.data?.features
  useEffect(() => {
    // While the next view is searched the last one stays.
    if (!found) return
    layer.current?.remove()
    layer.current = drawItems(map, found, setChosen)
    if (job !== null && !isPlaced.current) fit(map, layer.current)
    isPlaced.current = true
  }, [found, map, job])
  useEffect(() => () => void layer.current?.remove(), [])
  useEffect(() => markItem(layer.current, chosen), [chosen, found])
  if (chosen) return <ItemPanel map={map} item={chosen} onClose={() => setChosen(undefined)} />
  return (
    <>
      <ItemFilters at={at} />
      <ItemList load={load} onChoose={setChosen} />
    </>
  )
}

function ItemFilters({ at }: { readonly at: Address }): JSX.Element {
  const collections = useLoad('collections', (signal) =>
    api<{ collections: readonly { id: string; title?: string }[] }>('stac/collections', { signal }),
  )
  const set = (values: Readonly<Record<string, string | undefined>>): void => go(changed(at, values))
  const job = at.query.get('job')
  return (
    <search class="filters">
      <Choice
        label="Collection"
        value={at.query.get('collection') ?? undefined}
        options={(collections.data?.collections ?? []).map(({ id, title }) => [id, title ?? id])}
        onChange={(collection) => set({ collection })}
      />
      <DateField label="From" value={at.query.get('from')} onChange={(from) => set({ from })} />
      <DateField label="To" value={at.query.get('to')} onChange={(to) => set({ to })} />
      {job !== null && (
        <a class="button" href={changed(at, { job: undefined })}>
          Job {shortId(job)}: show all
        </a>
      )}
    </search>
  )
}

interface DateProps {
  readonly label: string
  readonly value: string | null
  readonly onChange: (value: string) => void
}

const DateField = ({ label, value, onChange }: DateProps): JSX.Element => (
  <label>
    {label}
    <input type="date" value={value ?? ''} onChange={(event) => onChange(event.currentTarget.value)} />
  </label>
)

function ItemList({
  load,
  onChoose,
}: {
  readonly load: Loaded<Found>
  readonly onChoose: (item: Footprint) => void
}): JSX.Element {
  return (
    <Shown loaded={load}>
      {({ features, links }) => {
        if (features.length === 0) return <Empty title="No items here." />
        const more = links.some(({ rel }) => rel === 'next')
        return (
          <>
            <p class="faint" role="status">
              {count(features.length)} {features.length === 1 ? 'item' : 'items'}
              {more && ', and more exist: move closer or narrow it'}
            </p>
            <ul class="items">
              {features.slice(0, LISTED).map((item) => (
                <li key={`${item.collection} ${item.id}`}>
                  <button type="button" class="link name" onClick={() => onChoose(item)}>
                    {item.id}
                  </button>
                  <span class="faint">
                    {item.collection}
                    {item.geometry === null && ' · no place'}
                  </span>
                </li>
              ))}
            </ul>
          </>
        )
      }}
    </Shown>
  )
}
