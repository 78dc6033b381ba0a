// GET and POST search, and the items of a collection: one search, three doors.
import * as z from 'zod'
import { readingWithin } from '../db/pool.ts'
import { COLLECTION_BY_ID } from '../stac/reading.ts'
import { collectionUrl, itemDocument, type Served, stacUrl } from '../stac/documents.ts'
import { CollectionId } from '../models/stac-record.ts'
import type { StacLink } from '../models/stac.ts'
import { AppError } from '../rules/errors.ts'
import { readSearch } from '../stac/search/read-search.ts'
import { type Found, type FoundRow, runSearch } from '../stac/search/run-search.ts'
import type { Search } from '../stac/search/search.ts'
import { select } from '../stac/search/fields.ts'
import type { Resources } from '../platform/resources.ts'
import { type Answer, type Call, type HttpRow, queryWithoutKeys, route } from './route.ts'
import { GEOJSON, JSON_TYPE, servedAt } from './stac-served.ts'

const text = z.string().optional()
const common = {
  limit: text,
  bbox: text,
  datetime: text,
  ids: text,
  filter: text,
  'filter-lang': text,
  'filter-crs': text,
  sortby: text,
  fields: text,
  token: text,
}
const ItemsQuery = z.strictObject(common)
const SearchQuery = z.strictObject({ ...common, collections: text, intersects: text })
const any = z.unknown().optional()
const SearchBody = z.strictObject({
  limit: any,
  bbox: any,
  datetime: any,
  ids: any,
  collections: any,
  intersects: any,
  filter: any,
  'filter-lang': any,
  'filter-crs': any,
  sortby: any,
  fields: any,
  token: any,
})

type Asked = Pick<Call<unknown, unknown, unknown>, 'headers' | 'url' | 'r'>

/** Of a page and its query; a search stops by itself before. */
const STATEMENT_MS = 10_000

/** Runs a search within the time of a request. @throws AppError `INVALID_TOKEN`, `QUERY_TOO_SLOW` */
export const runReading = (r: Resources, search: Search): Promise<Found> => {
  const reads = readingWithin(r.db, STATEMENT_MS, { sort: true })
  return runSearch(
    (sql, values) => reads.query<FoundRow>(sql, values),
    search,
    () => performance.now(),
  )
}

interface Page {
  readonly found: Found
  readonly search: Search
  readonly links: readonly StacLink[]
}

function pageAnswer(served: Served, { found, search, links }: Page): Answer {
  const features = found.items.map((row) => {
    const item = itemDocument(row, served)
    return search.fields ? select(item, search.fields) : item
  })
  return {
    headers: { 'content-type': GEOJSON },
    body: {
      type: 'FeatureCollection',
      ...(found.matched === undefined ? {} : { numberMatched: found.matched }),
      numberReturned: features.length,
      features,
      links,
    },
  }
}

/** The query that was asked, as it was or with another token; without the key of whoever asked. */
function urlOf(self: string, url: URL, token?: string): string {
  const query = new URLSearchParams(queryWithoutKeys(url.searchParams))
  if (token !== undefined) query.set('token', token)
  return query.size === 0 ? self : `${self}?${query.toString()}`
}

function getLinks(call: Asked, self: string, found: Found, more: readonly StacLink[] = []): StacLink[] {
  return [
    { rel: 'self', href: urlOf(self, call.url), type: GEOJSON },
    { rel: 'root', href: stacUrl(servedAt(call)), type: JSON_TYPE },
    ...more,
    ...(found.next === undefined ? [] : [{ rel: 'next', href: urlOf(self, call.url, found.next), type: GEOJSON, method: 'GET' }]),
  ]
}

async function getSearch(call: Call<object, z.infer<typeof SearchQuery>, undefined>): Promise<Answer> {
  const search = readSearch(call.query, 'query')
  const served = servedAt(call)
  const found = await runReading(call.r, search)
  return pageAnswer(served, { found, search, links: getLinks(call, `${stacUrl(served)}/search`, found) })
}

async function postSearch(call: Call<object, object, z.infer<typeof SearchBody>>): Promise<Answer> {
  const search = readSearch(call.body, 'body')
  const served = servedAt(call)
  const found = await runReading(call.r, search)
  const self = `${stacUrl(served)}/search`
  const next = {
    rel: 'next',
    href: self,
    type: GEOJSON,
    method: 'POST',
    merge: false,
    body: { ...call.body, token: found.next },
  }
  const links = [
    { rel: 'self', href: self, type: GEOJSON },
    { rel: 'root', href: stacUrl(served), type: JSON_TYPE },
    ...(found.next === undefined ? [] : [next]),
  ]
  return pageAnswer(served, { found, search, links })
}

export const CollectionParams = z.object({ collection_id: z.string().min(1).max(200) })
export type CollectionParams = z.infer<typeof CollectionParams>

/** @throws AppError `COLLECTION_NOT_FOUND` */
export async function requireCollection<T extends object>(r: Resources, id: string): Promise<T> {
  const [row] = CollectionId.safeParse(id).success ? await r.db.query<T>(COLLECTION_BY_ID, [id]) : []
  if (!row) throw new AppError('COLLECTION_NOT_FOUND', `There is no collection ${JSON.stringify(id.slice(0, 130))}.`)
  return row
}

async function getItems(call: Call<CollectionParams, z.infer<typeof ItemsQuery>, undefined>): Promise<Answer> {
  const id = call.pathParameters.collection_id
  const search = readSearch({ ...call.query, collections: id }, 'query')
  await requireCollection(call.r, id)
  const served = servedAt(call)
  const found = await runReading(call.r, search)
  const collection = collectionUrl(served, id)
  const more = [
    { rel: 'collection', href: collection, type: JSON_TYPE },
    { rel: 'parent', href: collection, type: JSON_TYPE },
  ]
  return pageAnswer(served, { found, search, links: getLinks(call, `${collection}/items`, found, more) })
}

export const stacSearchRoutes: readonly HttpRow[] = [
  route({
    name: 'getStacSearch',
    summary: 'items by bbox, intersects, datetime, ids, collections, filter (CQL2); sortby, fields, limit',
    method: 'GET',
    path: 'stac/search',
    role: 'reader',
    isCatalogue: true,
    query: SearchQuery,
    handle: getSearch,
  }),
  route({
    name: 'postStacSearch',
    summary: 'as GET, with the parameters as JSON',
    method: 'POST',
    path: 'stac/search',
    role: 'reader',
    isCatalogue: true,
    body: SearchBody,
    handle: postSearch,
  }),
  route({
    name: 'getStacItems',
    summary: 'items of a collection, newest first',
    method: 'GET',
    path: 'stac/collections/{collection_id}/items',
    role: 'reader',
    isCatalogue: true,
    pathParameters: CollectionParams,
    query: ItemsQuery,
    handle: getItems,
  }),
]
