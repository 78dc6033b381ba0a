// The catalogue's records: collections and items of STAC as they are stored, without links, hosts or signatures.
import * as z from 'zod'
import { column, instant, instantNow, int32, json, type TableDefinition } from './sql-meta.ts'

/** Where the described files belong: what came, what was made of it, what others described. */
export const CatalogueKind = z.enum(['bronze', 'silver', 'foreign'])
export type CatalogueKind = z.infer<typeof CatalogueKind>

/** How much of a file was read for its item. */
export const CatalogueMode = z.enum(['quick', 'header', 'full'])
export type CatalogueMode = z.infer<typeof CatalogueMode>

/** Whether a look of one mode tells all that another does. */
export const isAsClose = (had: CatalogueMode, wanted: CatalogueMode): boolean =>
  CatalogueMode.options.indexOf(had) >= CatalogueMode.options.indexOf(wanted)

export const CollectionId = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,127}$/)
export const ItemId = z.string().min(1).max(256)

/** Compared by code point everywhere: pages of a search go on where the one before ended. */
const TEXT = { type: 'text COLLATE "C"' } as const

export const StacCollectionRow = z.object({
  collection_id: column(CollectionId, TEXT),
  kind: CatalogueKind,
  container: z.string().min(3).max(63).nullable().describe('whose files its items describe; null: of others'),
  prefix: z.string().max(1024).default('').describe('only names that begin with this'),
  content: column(json(), { type: 'jsonb' }).describe('title, description, license, keywords, providers, summaries'),
  west: column(z.number().nullable(), { type: 'double precision' }).describe('of the extent; null: no item has a place'),
  south: column(z.number().nullable(), { type: 'double precision' }),
  east: column(z.number().nullable(), { type: 'double precision' }),
  north: column(z.number().nullable(), { type: 'double precision' }),
  start_at: instant().nullable(),
  end_at: instant().nullable(),
  version: int32(1).default(1),
  created_at: instantNow('first registration'),
  updated_at: instantNow('last change'),
})
export type StacCollectionRow = z.infer<typeof StacCollectionRow>

export const StacItemRow = z.object({
  collection_id: column(CollectionId, TEXT),
  item_id: column(ItemId, TEXT),
  kind: CatalogueKind,
  container: z.string().min(3).max(63).nullable(),
  name: z.string().min(1).max(1024).describe('what the id is made of: the file, or the logical name of an output'),
  blob: z.string().min(1).max(1024).nullable().describe('where the bytes are now; null: elsewhere'),
  etag: z.string().max(200).nullable().describe('of the described bytes'),
  mode: CatalogueMode,
  xr: column(z.string().nullable(), { type: 'numrange' }).describe(
    'longitudes, widened by 1e-9 degrees; a cover where it crosses',
  ),
  yr: column(z.string().nullable(), { type: 'numrange' }).describe('latitudes, widened by 1e-9 degrees'),
  west: column(z.number().nullable(), { type: 'double precision' }),
  south: column(z.number().nullable(), { type: 'double precision' }),
  east: column(z.number().nullable(), { type: 'double precision' }).describe('below west where it crosses the antimeridian'),
  north: column(z.number().nullable(), { type: 'double precision' }),
  crosses: z.boolean().default(false).describe('the antimeridian'),
  is_box: z.boolean().default(false).describe('its geometry is its box'),
  start_at: instant(),
  end_at: instant(),
  sort_at: instant().describe('datetime, or the start of the interval'),
  source_collection: column(CollectionId.nullable(), TEXT).describe('of the item that this one was made from'),
  source_item: column(ItemId.nullable(), TEXT),
  source_etag: z.string().max(200).nullable().describe('of the source when it was read'),
  job_id: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable()
    .describe('that wrote it last'),
  plan: int32(1).nullable().describe('attempt of the job'),
  missing_since: instant().nullable().describe('the file was not found by a complete listing'),
  content: column(json(), { type: 'jsonb' }).describe('the item without links; hrefs are blob:container/path or absolute'),
  version: int32(1).default(1),
  created_at: instantNow('first registration'),
  updated_at: instantNow('last change'),
})
export type StacItemRow = z.infer<typeof StacItemRow>

/** What `upsert_item` takes: times as RFC 3339 text. */
export type NewItem = Omit<StacItemRow, 'version' | 'created_at' | 'updated_at' | 'missing_since'>

export interface NewCollection {
  readonly collection_id: string
  readonly kind: CatalogueKind
  readonly container: string | null
  readonly prefix: string
  /** Members that are said; others stay as they are. */
  readonly content: Readonly<Record<string, unknown>>
}

/** What was registered of a file. */
export interface KnownItem {
  readonly etag: string | null
  readonly mode: CatalogueMode
  /** Hrefs of its files, as they are stored. */
  readonly hrefs: readonly string[]
}

/** What a sweep compares with a listing. */
export interface SweptItem {
  readonly item_id: string
  readonly isMissing: boolean
}

/** An item that others described, and the file that holds its document. */
export interface FiledItem extends SweptItem {
  readonly name: string
  readonly etag: string | null
  /** Items that the file has in this version. */
  readonly features: number
}

/** Items of a collection by id: behind `after`, up to `until`. */
export interface ItemRange {
  readonly after: string
  readonly until: string
  readonly count: number
}

/** What an item's document is made of. */
export type CataloguedItem = Omit<NewItem, 'xr' | 'yr' | 'job_id' | 'plan' | 'start_at' | 'end_at' | 'sort_at'> & {
  readonly version: number
  readonly created_at: Date
  readonly updated_at: Date
  readonly missing_since: Date | null
  /** Whether the item that it was made from is there, and still has the bytes that were read. */
  readonly source_state: 'same' | 'changed' | 'absent' | null
}

/** What a collection's document is made of. */
export type CataloguedCollection = Omit<StacCollectionRow, 'start_at' | 'end_at' | 'created_at' | 'updated_at'> & {
  readonly start_at: Date | null
  readonly end_at: Date | null
  readonly created_at: Date
  readonly updated_at: Date
}

/** The catalogue, for job types. Every method can be repeated. */
export interface CatalogueRecords {
  putCollection(collection: NewCollection): Promise<void>
  /** By item id; those that are not registered are left out. */
  known(collectionId: string, itemIds: readonly string[]): Promise<ReadonlyMap<string, KnownItem>>
  /** When an item was taken: RFC 3339, or an interval as start/end; undefined: it is not registered. */
  timeOf(collectionId: string, itemId: string): Promise<string | undefined>
  /** @throws AppError `STAC_ID_COLLISION`, `COLLECTION_NOT_FOUND` */
  putItem(item: NewItem): Promise<'created' | 'updated' | 'unchanged'>
  /** Items of a container's files as we described them, below a prefix, in pages. */
  itemsOf(collectionId: string, container: string, prefix: string): AsyncIterable<readonly SweptItem[]>
  /** Items that others described in files of a container below a prefix, in pages. */
  filesOf(collectionId: string, container: string, prefix: string): AsyncIterable<readonly FiledItem[]>
  /** In the order of their ids; default: all. Those that are not there are left out. */
  collections(ids?: readonly string[]): Promise<readonly CataloguedCollection[]>
  /** Items whose files are there, in ranges of so many. */
  ranges(collectionId: string, size: number): AsyncIterable<ItemRange>
  /** Items of a range whose files are there, by id. */
  items(collectionId: string, range: Omit<ItemRange, 'count'>): Promise<readonly CataloguedItem[]>
  /** Marks items whose files are gone, or removes them; `back` are there again. `at` is the listing's own time. */
  sweep(
    collectionId: string,
    found: { readonly gone: readonly string[]; readonly back: readonly string[] },
    options: { readonly at: string; readonly missing: 'mark' | 'delete' },
  ): Promise<{ readonly marked: number; readonly deleted: number }>
  /** Extent and summaries of all its items; answers with their number. */
  refreshCollection(collectionId: string): Promise<number>
}

export const stacCollectionsTable: TableDefinition = {
  name: 'stac_collections',
  comment: 'Collections of the catalogue: one per container or catalogued prefix.',
  model: StacCollectionRow,
  primaryKey: ['collection_id'],
}

export const stacItemsTable: TableDefinition = {
  name: 'stac_items',
  comment: 'Items of the catalogue: one per described file. Found by place, time, id and properties.',
  model: StacItemRow,
  primaryKey: ['collection_id', 'item_id'],
  checks: {
    stac_items_place: '(xr IS NULL) = (yr IS NULL) AND (xr IS NULL) = (west IS NULL)',
    stac_items_time: 'start_at <= end_at AND sort_at BETWEEN start_at AND end_at',
  },
  indexes: [
    {
      name: 'stac_items_place_index',
      on: 'xr, yr',
      using: 'gist',
      include: 'sort_at, collection_id, item_id, crosses, west, east',
      why: 'search by box, newest first, without reading the items that are not shown',
    },
    { name: 'stac_items_time_index', on: 'sort_at DESC, collection_id, item_id', why: 'newest first, over all collections' },
    { name: 'stac_items_collection', on: 'collection_id, sort_at DESC, item_id', why: 'newest first of one collection' },
    { name: 'stac_items_id', on: 'item_id', why: 'search by ids in all collections' },
    {
      name: 'stac_items_interval',
      on: 'end_at, start_at',
      where: 'start_at < end_at',
      why: 'items that last, which have no one time to be found by',
    },
    {
      name: 'stac_items_source',
      on: 'source_collection, source_item',
      where: 'source_item IS NOT NULL',
      why: 'what was made from an item',
    },
    { name: 'stac_items_missing', on: 'collection_id', where: 'missing_since IS NOT NULL', why: 'files that are gone' },
    {
      name: 'stac_items_properties',
      on: "(content -> 'properties') jsonb_path_ops",
      using: 'gin',
      why: 'equality of any property',
    },
  ],
}
