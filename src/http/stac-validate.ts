// Judging STAC documents that are sent: the report, and on request the document put right. Nothing is stored, nothing is fetched.
import * as z from 'zod'
import { MAX_DOCUMENT_BYTES, parseDocument } from '../stac/document-file.ts'
import { loadFormulas } from '../stac/footprint-formulas.ts'
import { repairDocument, validateDocument } from '../stac/validate.ts'
import { collectionDocument, type CollectionRecord, collectionUrl, itemDocument } from '../stac/documents.ts'
import { readSearch } from '../stac/search/read-search.ts'
import { type Answer, type Call, type HttpRow, route } from './route.ts'
import { ItemParams, requireItem } from './stac-items.ts'
import { CollectionParams, requireCollection, runReading } from './stac-search.ts'
import { servedAt } from './stac-served.ts'

const ValidateQuery = z.strictObject({ repair: z.enum(['true', 'false']).default('false') })
type ValidateQuery = z.infer<typeof ValidateQuery>

/** 200 for every JSON: what is wrong with the document is the answer. @throws AppError `INVALID_JSON`, `BODY_TOO_LARGE` */
async function validate({ upload, query }: Pick<Call<unknown, ValidateQuery, undefined>, 'upload' | 'query'>): Promise<Answer> {
  const document = parseDocument(await upload())
  const options = { now: new Date(), formulaOf: await loadFormulas(document) }
  const report = validateDocument(document, options)
  // Too large to be judged is too large to be repaired, and to be sent back: 800,000 members take a second each way.
  const isBeyond = 'issues' in report && report.issues.some(({ code }) => code === 'TOO_LARGE' || code === 'TOO_DEEP')
  const isWanted = query.repair === 'true' && !isBeyond
  return { body: isWanted ? { ...report, repair: repairDocument(document, options) } : report }
}

/** What is stored of one item, as it is served. */
async function validateItem(call: Call<ItemParams, object, undefined>): Promise<Answer> {
  const document = itemDocument(await requireItem(call.r, call.pathParameters), servedAt(call))
  return { body: validateDocument(document, { now: call.r.now(), formulaOf: await loadFormulas(document) }) }
}

const PageQuery = z.strictObject({ limit: z.string().optional(), token: z.string().optional() })

/** A collection and a page of its items; those without issues are counted only. */
async function validateCollection(call: Call<CollectionParams, z.infer<typeof PageQuery>, undefined>): Promise<Answer> {
  const { r, pathParameters, query } = call
  const { collection_id } = pathParameters
  const served = servedAt(call)
  const row = await requireCollection<CollectionRecord>(r, collection_id)
  const now = r.now()
  const search = readSearch({ limit: '1000', ...query, collections: collection_id }, 'query')
  const { items, next } = await runReading(r, search)
  const results = items.map((found) => validateDocument(itemDocument(found, served), { now }))
  const self = `${collectionUrl(served, collection_id)}/validate`
  const more = next && `${self}?${new URLSearchParams({ limit: String(search.limit), token: next }).toString()}`
  return {
    body: {
      collection: validateDocument(collectionDocument(row, served), { now }),
      counts: { judged: results.length, valid: results.filter((report) => report.valid).length },
      invalid: results.filter((report) => !report.valid),
      links: [{ rel: 'self', href: self }, ...(more ? [{ rel: 'next', href: more }] : [])],
    },
  }
}

export const stacValidateRoutes: readonly HttpRow[] = [
  route({
    name: 'validateStac',
    method: 'POST',
    summary: 'judges a STAC Catalog, Collection, Item or FeatureCollection of at most 10 MiB; `repair=true` also puts it right',
    path: 'stac/validate',
    role: 'reader',
    query: ValidateQuery,
    uploadBytes: MAX_DOCUMENT_BYTES,
    handle: validate,
  }),
  route({
    name: 'getStacItemReport',
    method: 'GET',
    summary: 'judges what is stored of an item',
    path: 'stac/collections/{collection_id}/items/{item_id}/validate',
    role: 'reader',
    pathParameters: ItemParams,
    handle: validateItem,
  }),
  route({
    name: 'getStacCollectionReport',
    method: 'GET',
    summary: 'judges what is stored of a collection and a page of its items',
    path: 'stac/collections/{collection_id}/validate',
    role: 'reader',
    pathParameters: CollectionParams,
    query: PageQuery,
    handle: validateCollection,
  }),
]
