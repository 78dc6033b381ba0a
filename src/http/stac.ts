// Landing page, conformance, collections, queryables of the catalogue (STAC API 1.0.0; OGC API Features 1.0).
import * as z from 'zod'
import {
  catalogHead,
  collectionDocument,
  type CollectionRecord,
  collectionUrl,
  QUERYABLES,
  type Served,
  stacUrl,
} from '../stac/documents.ts'
import type { StacLink } from '../models/stac.ts'
import { COLLECTIONS } from '../stac/reading.ts'
import { queryablesDocument } from '../stac/search/queryables.ts'
import { SORTABLES } from '../stac/search/sort.ts'
import { type Answer, type Call, type HttpRow, route } from './route.ts'
import { CONFORMANCE } from './stac-conformance.ts'
import { stacOpenApi } from './stac-openapi.ts'
import { CollectionParams, requireCollection } from './stac-search.ts'
import { documentAnswer, GEOJSON, JSON_TYPE, SCHEMA_TYPE, servedAt } from './stac-served.ts'

const OPENAPI_TYPE = 'application/vnd.oai.openapi+json;version=3.0'
const SORTABLES_REL = 'http://www.opengis.net/def/rel/ogc/1.0/sortables'
/** Of the landing page; more are found by /collections. */
const MOST_CHILDREN = 1000

type Read<P = object, Q = object> = Call<P, Q, undefined>

async function landing(call: Read): Promise<Answer> {
  const served = servedAt(call)
  const rows = await call.r.db.query<CollectionRecord>(COLLECTIONS, ['', MOST_CHILDREN])
  return documentAnswer(call.headers, {
    ...catalogHead,
    conformsTo: CONFORMANCE,
    links: [...landingLinks(served), ...rows.map((row) => childLink(row, served))],
  })
}

function landingLinks(served: Served): StacLink[] {
  const base = stacUrl(served)
  return [
    { rel: 'self', href: base, type: JSON_TYPE },
    { rel: 'root', href: base, type: JSON_TYPE },
    { rel: 'service-desc', href: `${base}/api`, type: OPENAPI_TYPE },
    { rel: 'service-doc', href: served.api, type: JSON_TYPE, title: 'every route of this service' },
    { rel: 'conformance', href: `${base}/conformance`, type: JSON_TYPE },
    { rel: 'data', href: `${base}/collections`, type: JSON_TYPE },
    { rel: 'search', href: `${base}/search`, type: GEOJSON, method: 'GET' },
    { rel: 'search', href: `${base}/search`, type: GEOJSON, method: 'POST' },
    { rel: QUERYABLES, href: `${base}/queryables`, type: SCHEMA_TYPE },
    { rel: SORTABLES_REL, href: `${base}/sortables`, type: SCHEMA_TYPE },
  ]
}

const childLink = (row: CollectionRecord, served: Served): StacLink => ({
  rel: 'child',
  href: collectionUrl(served, row.collection_id),
  type: JSON_TYPE,
  title: (row.content as { title?: string }).title ?? row.collection_id,
})

const ListQuery = z.strictObject({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .transform((n) => Math.min(n, 1000))
    .default(100),
  token: z.string().max(200).optional(),
})

async function collections(call: Read<object, z.infer<typeof ListQuery>>): Promise<Answer> {
  const { limit, token = '' } = call.query
  const served = servedAt(call)
  const rows = await call.r.db.query<CollectionRecord>(COLLECTIONS, [token, limit + 1])
  const page = rows.slice(0, limit)
  const self = `${stacUrl(served)}/collections`
  const next = `${self}?${new URLSearchParams({ limit: String(limit), token: page.at(-1)?.collection_id ?? '' }).toString()}`
  return documentAnswer(call.headers, {
    collections: page.map((row) => collectionDocument(row, served)),
    links: [
      { rel: 'self', href: self, type: JSON_TYPE },
      { rel: 'root', href: stacUrl(served), type: JSON_TYPE },
      ...(rows.length > limit ? [{ rel: 'next', href: next, type: JSON_TYPE }] : []),
    ],
    numberReturned: page.length,
  })
}

async function collection(call: Read<CollectionParams>): Promise<Answer> {
  const row = await requireCollection<CollectionRecord>(call.r, call.pathParameters.collection_id)
  return documentAnswer(call.headers, collectionDocument(row, servedAt(call)))
}

async function queryables(call: Read<Partial<CollectionParams>>): Promise<Answer> {
  const { collection_id } = call.pathParameters
  const served = servedAt(call)
  if (collection_id === undefined)
    return documentAnswer(
      call.headers,
      queryablesDocument(`${stacUrl(served)}/queryables`, 'Queryables of all items'),
      SCHEMA_TYPE,
    )
  await requireCollection(call.r, collection_id)
  const id = `${collectionUrl(served, collection_id)}/queryables`
  return documentAnswer(call.headers, queryablesDocument(id, `Queryables of ${collection_id}`), SCHEMA_TYPE)
}

function sortables(call: Read): Promise<Answer> {
  const types = { text: { type: 'string' }, float8: { type: 'number' }, timestamptz: { type: 'string', format: 'date-time' } }
  const body = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `${stacUrl(servedAt(call))}/sortables`,
    title: 'What items can be sorted by',
    type: 'object',
    properties: Object.fromEntries(Object.entries(SORTABLES).map(([name, { cast }]) => [name, types[cast]])),
  }
  return Promise.resolve(documentAnswer(call.headers, body, SCHEMA_TYPE))
}

const common = { method: 'GET', role: 'reader', isCatalogue: true } as const

export const stacRoutes: readonly HttpRow[] = [
  route({ ...common, name: 'getStacLanding', summary: 'the catalogue: start here', path: 'stac', handle: landing }),
  route({
    ...common,
    name: 'getStacConformance',
    summary: 'what the catalogue conforms to',
    path: 'stac/conformance',
    handle: (call) => Promise.resolve(documentAnswer(call.headers, { conformsTo: CONFORMANCE })),
  }),
  route({
    ...common,
    name: 'getStacOpenApi',
    summary: 'the catalogue as an OpenAPI document',
    path: 'stac/api',
    handle: (call) => Promise.resolve(documentAnswer(call.headers, stacOpenApi(stacUrl(servedAt(call))), OPENAPI_TYPE)),
  }),
  route({
    ...common,
    name: 'getStacCollections',
    summary: 'all collections',
    path: 'stac/collections',
    query: ListQuery,
    handle: collections,
  }),
  route({
    ...common,
    name: 'getStacCollection',
    summary: 'one collection',
    path: 'stac/collections/{collection_id}',
    pathParameters: CollectionParams,
    handle: collection,
  }),
  route({ ...common, name: 'getStacQueryables', summary: 'what filters can ask', path: 'stac/queryables', handle: queryables }),
  route({
    ...common,
    name: 'getStacCollectionQueryables',
    summary: 'what filters can ask in a collection',
    path: 'stac/collections/{collection_id}/queryables',
    pathParameters: CollectionParams,
    handle: queryables,
  }),
  route({
    ...common,
    name: 'getStacSortables',
    summary: 'what items can be sorted by',
    path: 'stac/sortables',
    handle: sortables,
  }),
]
