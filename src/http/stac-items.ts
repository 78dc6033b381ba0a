// One item of the catalogue: its document, its files, its picture, where it comes from; and its end.
import * as z from 'zod'
import { deleteCollection, deleteItem, refreshExtent } from '../db/catalogue-functions.ts'
import { addEvent } from '../db/job-functions.ts'
import { only } from '../db/sql-function.ts'
import type { StacAsset } from '../models/stac.ts'
import type { Resources } from '../platform/resources.ts'
import { AppError } from '../rules/errors.ts'
import { itemDocument, type ItemRecord, itemUrl, placeOf } from '../stac/documents.ts'
import { DERIVED_ITEMS } from '../stac/reading.ts'
import { ONE_ITEM } from '../stac/search/statement.ts'
import { auditSas } from './blob-access.ts'
import { rasterPreview } from './rasters.ts'
import { type Answer, type Call, type HttpRow, route } from './route.ts'
import { CollectionParams, requireCollection } from './stac-search.ts'
import { documentAnswer, GEOJSON, servedAt } from './stac-served.ts'

export const ItemParams = CollectionParams.extend({ item_id: z.string().min(1).max(256) })
export type ItemParams = z.infer<typeof ItemParams>
const AssetParams = ItemParams.extend({ key: z.string().min(1).max(1024) })

type StoredItem = ItemRecord & { readonly etag: string | null }

/** @throws AppError `COLLECTION_NOT_FOUND`, `ITEM_NOT_FOUND` */
export async function requireItem(r: Resources, { collection_id, item_id }: ItemParams): Promise<StoredItem> {
  const [row] = await r.db.query<StoredItem>(ONE_ITEM, [collection_id, item_id])
  if (row) return row
  await requireCollection(r, collection_id)
  throw new AppError('ITEM_NOT_FOUND', `Collection ${collection_id} has no item ${JSON.stringify(item_id.slice(0, 130))}.`)
}

async function item(call: Call<ItemParams, object, undefined>): Promise<Answer> {
  return documentAnswer(call.headers, itemDocument(await requireItem(call.r, call.pathParameters), servedAt(call)), GEOJSON)
}

const SAS_MINUTES = 15

/** A redirect to the file with a signature for it alone. Only files that are catalogued. */
async function asset(call: Call<z.infer<typeof AssetParams>, object, undefined>): Promise<Answer> {
  const { r, pathParameters: p, caller } = call
  const { assets } = (await requireItem(r, p)).content as { assets: Readonly<Record<string, StacAsset>> }
  const found = Object.hasOwn(assets, p.key) ? placeOf((assets[p.key] as StacAsset).href) : undefined
  if (!found)
    throw new AppError(
      'ASSET_NOT_FOUND',
      `The item has no file ${JSON.stringify(p.key)}; it has ${Object.keys(assets).join(', ')}.`,
    )
  const [container, blob] = found
  await r.blobs.checkContainer(container)
  if (!(await r.blobs.exists({ container, blob })))
    throw new AppError('ASSET_GONE', `${container}/${blob} is not there any more. Catalogue the container again.`)
  const grant = await r.blobs.createSas({ container, blob }, { permissions: 'r', minutes: SAS_MINUTES })
  await auditSas(r, caller, container, blob, grant)
  return { status: 302, headers: { location: grant.url, 'cache-control': 'no-store' }, body: undefined }
}

const PreviewQuery = z.strictObject({ size: z.coerce.number().int().min(64).max(1024).default(512) })

async function preview(call: Call<ItemParams, z.infer<typeof PreviewQuery>, undefined>): Promise<Answer> {
  const { container, blob, content } = await requireItem(call.r, call.pathParameters)
  const { data } = (content as { assets: Readonly<Record<string, StacAsset>> }).assets
  if (!container || !blob || !data?.type?.startsWith('image/tiff'))
    throw new AppError('NO_PREVIEW', 'This item is no raster of a container.')
  await call.r.blobs.checkContainer(container)
  return rasterPreview(call, { container, blob }, call.query.size)
}

const MOST_DERIVED = 1000

async function lineage(call: Call<ItemParams, object, undefined>): Promise<Answer> {
  const { r, pathParameters: p } = call
  const served = servedAt(call)
  const row = await requireItem(r, p)
  const derived = await r.db.query<{ collection_id: string; item_id: string }>(DERIVED_ITEMS, [
    p.collection_id,
    p.item_id,
    MOST_DERIVED,
  ])
  const link = (collection: string, id: string) => ({ collection, id, href: itemUrl(served, collection, id) })
  const { source_collection, source_item, source_state } = row
  const job = (row.content as { properties: Readonly<Record<string, unknown>> }).properties['lamplighter:job_id']
  return {
    body: {
      source: source_collection && source_item ? { ...link(source_collection, source_item), state: source_state } : null,
      derived: derived.map((d) => link(d.collection_id, d.item_id)),
      job: typeof job === 'string' ? { id: job, href: `${served.api}/jobs/${job}` } : null,
    },
  }
}

const yes = z.enum(['true', 'false'])
const DeleteQuery = z.strictObject({ with_blob: yes.default('false'), dry_run: yes.default('true') })

/** First says what would go; the blobs of bronze never do. */
async function removeItem(call: Call<ItemParams, z.infer<typeof DeleteQuery>, undefined>): Promise<Answer> {
  const { r, pathParameters: p, query, caller } = call
  const row = await requireItem(r, p)
  const withBlob = query.with_blob === 'true'
  if (withBlob && row.kind !== 'silver')
    throw new AppError('CONTAINER_READ_ONLY', 'Only files that jobs made are deleted; those of bronze stay. Leave with_blob out.')
  const what = { ...p, version: row.version, ...(withBlob ? { container: row.container, blob: row.blob } : {}) }
  if (query.dry_run === 'true') return { body: { dry_run: true, would_delete: what } }
  const { outcome } = only(await deleteItem(r.db, { ...p, version: row.version, with_blob: withBlob }))
  if (outcome === 'changed')
    throw new AppError('ITEM_CHANGED', 'The item was changed meanwhile; nothing was deleted. Look at it again.')
  if (outcome === 'absent') throw new AppError('ITEM_NOT_FOUND', 'The item was deleted meanwhile.')
  await addEvent(r.db, { job_id: null, event: 'item.deleted', actor: caller.name, data: what })
  const summaries = ((await requireCollection<{ content: { summaries?: unknown } }>(r, p.collection_id)).content.summaries ??
    {}) as object
  await refreshExtent(r.db, { collection_id: p.collection_id, summaries })
  return { body: { dry_run: false, deleted: what } }
}

async function removeCollection(call: Call<CollectionParams, z.infer<typeof CollectionDelete>, undefined>): Promise<Answer> {
  const { r, pathParameters: p, query, caller } = call
  await requireCollection(r, p.collection_id)
  if (query.dry_run === 'true') return { body: { dry_run: true, would_delete: p } }
  const { items } = only(await deleteCollection(r.db, p))
  if (items > 0)
    throw new AppError('COLLECTION_NOT_EMPTY', `Collection ${p.collection_id} has ${items} items. Delete them first.`)
  await addEvent(r.db, { job_id: null, event: 'collection.deleted', actor: caller.name, data: p })
  return { body: { dry_run: false, deleted: p } }
}
const CollectionDelete = z.strictObject({ dry_run: yes.default('true') })

const ITEM = 'stac/collections/{collection_id}/items/{item_id}'
const common = { method: 'GET', role: 'reader', pathParameters: ItemParams } as const

export const stacItemRoutes: readonly HttpRow[] = [
  route({ ...common, name: 'getStacItem', summary: 'one item as GeoJSON', path: ITEM, isCatalogue: true, handle: item }),
  route({
    ...common,
    name: 'getStacAsset',
    summary: 'redirect to a file of an item, with a signature for it alone',
    path: `${ITEM}/assets/{key}`,
    pathParameters: AssetParams,
    handle: asset,
  }),
  route({
    ...common,
    name: 'getStacPreview',
    summary: 'the item as a small PNG; `size`',
    path: `${ITEM}/preview.png`,
    query: PreviewQuery,
    handle: preview,
  }),
  route({
    ...common,
    name: 'getStacLineage',
    summary: 'what the item was made from, what was made from it, by which job',
    path: `${ITEM}/lineage`,
    handle: lineage,
  }),
  route({
    name: 'deleteStacItem',
    summary: 'removes an item; `dry_run=false` does it, `with_blob=true` also an output of jobs',
    method: 'DELETE',
    path: ITEM,
    role: 'operator',
    pathParameters: ItemParams,
    query: DeleteQuery,
    handle: removeItem,
  }),
  route({
    name: 'deleteStacCollection',
    summary: 'removes an empty collection; `dry_run=false` does it',
    method: 'DELETE',
    path: 'stac/collections/{collection_id}',
    role: 'operator',
    pathParameters: CollectionParams,
    query: CollectionDelete,
    handle: removeCollection,
  }),
]
