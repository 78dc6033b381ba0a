// Records as STAC documents: links, hrefs and times of registration are added here, for whoever asks under whatever address.
import type { StacAsset, StacCatalog, StacCollection, StacItem, StacLink } from '../models/stac.ts'
import { STAC_VERSION } from '../models/stac.ts'
import { encodePath } from '../rules/encode-path.ts'
import type { StacCollectionRow, StacItemRow } from '../models/stac-record.ts'

/** Where documents are served. */
export interface Served {
  /** Of `/api`, without a slash at its end. */
  readonly api: string
  /** Plain blob URLs instead of the redirect with a signature; for containers that everybody may read. */
  readonly blobUrl?: ((container: string, blob: string) => string | undefined) | undefined
}

type Time = Date | string
/** What a document is made of. */
export type ItemRecord = Pick<StacItemRow, 'collection_id' | 'item_id' | 'kind' | 'container' | 'blob' | 'content' | 'version'> &
  Pick<StacItemRow, 'source_collection' | 'source_item'> & {
    readonly created_at: Time
    readonly updated_at: Time
    readonly missing_since: Time | null
    /** Whether the item that it was made from is there, and still has the bytes that were read. */
    readonly source_state: 'same' | 'changed' | 'absent' | null
  }
export type CollectionRecord = Pick<StacCollectionRow, 'collection_id' | 'kind' | 'container' | 'prefix' | 'content'> &
  Pick<StacCollectionRow, 'west' | 'south' | 'east' | 'north'> & {
    readonly start_at: Time | null
    readonly end_at: Time | null
    readonly created_at: Time
    readonly updated_at: Time
  }

interface StoredItem {
  readonly stac_extensions: string[]
  readonly geometry: StacItem['geometry']
  readonly bbox?: StacItem['bbox']
  readonly properties: Readonly<Record<string, unknown>>
  readonly assets: Readonly<Record<string, StacAsset>>
  /** Links that others wrote. */
  readonly links?: readonly StacLink[]
}

const GEOJSON = 'application/geo+json'
const JSON_TYPE = 'application/json'

const iso = (time: Time): string => new Date(time).toISOString()

export const stacUrl = ({ api }: Served): string => `${api}/stac`
export const collectionUrl = (served: Served, id: string): string => `${stacUrl(served)}/collections/${encodeURIComponent(id)}`
export const itemUrl = (served: Served, collection: string, id: string): string =>
  `${collectionUrl(served, collection)}/items/${encodeURIComponent(id)}`

/** An item as it is served; also as GeoJSON feature. */
export function itemDocument(record: ItemRecord, served: Served): StacItem {
  const stored = record.content as StoredItem
  const self = itemUrl(served, record.collection_id, record.item_id)
  return {
    type: 'Feature',
    stac_version: STAC_VERSION,
    stac_extensions: stored.stac_extensions,
    id: record.item_id,
    collection: record.collection_id,
    geometry: stored.geometry,
    ...(stored.bbox ? { bbox: stored.bbox } : {}),
    properties: {
      ...stored.properties,
      ...(record.kind === 'foreign' ? {} : { created: iso(record.created_at), updated: iso(record.updated_at) }),
      ...(record.missing_since === null ? {} : { 'lamplighter:missing_since': iso(record.missing_since) }),
      ...(record.source_state === 'changed' ? { 'lamplighter:source_changed': true } : {}),
    },
    assets: assetsOf(record, stored, served),
    links: [...itemLinks(record, served, self), ...mapLinks(record, stored, served), ...(stored.links ?? [])],
  } as StacItem
}

function itemLinks(record: ItemRecord, served: Served, self: string): StacLink[] {
  const collection = collectionUrl(served, record.collection_id)
  const { source_collection, source_item, source_state } = record
  const hasSource = source_collection !== null && source_item !== null && (source_state === 'same' || source_state === 'changed')
  return [
    { rel: 'self', href: self, type: GEOJSON },
    { rel: 'root', href: stacUrl(served), type: JSON_TYPE },
    { rel: 'parent', href: collection, type: JSON_TYPE },
    { rel: 'collection', href: collection, type: JSON_TYPE },
    ...(hasSource ? [{ rel: 'derived_from', href: itemUrl(served, source_collection, source_item), type: GEOJSON }] : []),
  ]
}

const isCog = (stored: StoredItem): boolean => stored.assets['data']?.type?.includes('profile=cloud-optimized') === true

/** What a map needs to show it; only of what is quickly drawn. */
function mapLinks({ container, blob }: ItemRecord, stored: StoredItem, { api }: Served): StacLink[] {
  if (!container || !blob || !stored.geometry || !isCog(stored)) return []
  const place = encodePath(blob)
  const rasters = `${api}/rasters/${encodeURIComponent(container)}`
  return [
    { rel: 'tilejson', href: `${rasters}/tilejson/${place}`, type: JSON_TYPE, title: 'map tiles' },
    {
      rel: 'xyz',
      href: `${rasters}/tiles/{z}/{x}/{y}/${place}`.replaceAll('{', '%7B').replaceAll('}', '%7D'),
      type: 'image/png',
    },
  ]
}

function assetsOf(record: ItemRecord, stored: StoredItem, served: Served): Record<string, StacAsset> {
  const self = itemUrl(served, record.collection_id, record.item_id)
  // The database keeps no order of members; the file itself comes first.
  const { data, ...others } = stored.assets
  const assets = Object.fromEntries(
    Object.entries({ ...(data ? { data } : {}), ...others }).map(([key, asset]) => {
      const place = placeOf(asset.href)
      if (!place) return [key, asset]
      const href = served.blobUrl?.(...place) ?? `${self}/assets/${encodeURIComponent(key)}`
      return [key, { ...asset, href }]
    }),
  )
  if (record.kind === 'foreign' || !isCog(stored)) return assets
  return {
    ...assets,
    thumbnail: { href: `${self}/preview.png`, type: 'image/png', title: 'preview', roles: ['thumbnail'] },
  }
}

/** Container and blob of a stored href; undefined: somewhere else. */
export function placeOf(href: string): [container: string, blob: string] | undefined {
  const found = /^blob:([^/]+)\/([^]+)$/.exec(href)
  return found ? [found[1] as string, found[2] as string] : undefined
}

/** A collection as it is served. */
export function collectionDocument(record: CollectionRecord, served: Served): StacCollection {
  const { west, south, east, north, start_at, end_at } = record
  const content = record.content as Readonly<Record<string, unknown>>
  const from = record.container === null ? 'others' : `container ${record.container}`
  const place = [west, south, east, north]
  const self = collectionUrl(served, record.collection_id)
  return {
    type: 'Collection',
    stac_version: STAC_VERSION,
    id: record.collection_id,
    title: record.collection_id,
    description: record.kind === 'silver' ? `Cloud-Optimized GeoTIFFs in ${from}` : `Files of ${from}`,
    license: 'other',
    ...content,
    extent: {
      spatial: { bbox: [place.every((x) => x !== null) ? (place as number[]) : [-180, -90, 180, 90]] },
      temporal: { interval: [start_at && end_at ? [iso(start_at), iso(end_at)] : [iso(record.created_at), null]] },
    },
    links: [
      { rel: 'self', href: self, type: JSON_TYPE },
      { rel: 'root', href: stacUrl(served), type: JSON_TYPE },
      { rel: 'parent', href: stacUrl(served), type: JSON_TYPE },
      { rel: 'items', href: `${self}/items`, type: GEOJSON },
      { rel: QUERYABLES, href: `${self}/queryables`, type: 'application/schema+json' },
    ],
  } as StacCollection
}

export const QUERYABLES = 'http://www.opengis.net/def/rel/ogc/1.0/queryables'

export const CATALOG_ID = 'lamplighter'

/** What every landing page and static catalogue begins with. */
export const catalogHead = {
  type: 'Catalog',
  stac_version: STAC_VERSION,
  id: CATALOG_ID,
  title: 'Lamplighter',
  description: 'Rasters as they came (bronze) and the Cloud-Optimized GeoTIFFs that were made of them (silver).',
} as const satisfies Partial<StacCatalog>
