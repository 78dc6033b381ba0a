// What routes of the catalogue answer: STAC documents are those of the models.
import * as z from 'zod'
import { StacCatalog, StacCollection, StacItem, StacLink } from '../../models/stac.ts'
import { type AnswersByName, count, type DeclaredAnswer, found, GEOJSON, KNOWN, object, picture, text } from './declared.ts'

const links = z.array(StacLink)
const Page = z.looseObject({
  type: z.literal('FeatureCollection'),
  // `fields` of a search takes members away.
  features: z.array(z.looseObject({ type: z.literal('Feature').optional(), id: text.optional() })),
  numberReturned: count,
  numberMatched: count.optional(),
  links,
})
const features = { 200: { description: 'GeoJSON features', type: GEOJSON, schema: Page }, ...KNOWN }
const Schema = z.looseObject({ $schema: z.url(), $id: z.url(), type: z.literal('object'), properties: object })
const jsonSchema: DeclaredAnswer = { description: 'JSON Schema', type: 'application/schema+json', schema: Schema }
const Finding = z.looseObject({ code: text, path: text, message: text, source: z.enum(['schema', 'semantic']) })
const Report = z.looseObject({
  valid: z.boolean(),
  document_type: z.enum(['Catalog', 'Collection', 'Item', 'FeatureCollection', 'unknown']),
  id: text.nullable(),
  stac_version: text.nullable(),
  schemas: z.object({ checked: z.array(text), unknown: z.array(text) }),
  issues: z.array(Finding),
  warnings: z.array(Finding),
})
const ItemsReport = z.looseObject({
  valid: z.boolean(),
  counts: z.looseObject({ items: count, valid: count, invalid: count, issues: count, warnings: count }),
  results: z.array(Report),
})
const CollectionReport = z.looseObject({
  collection: Report,
  counts: z.looseObject({ judged: count, valid: count }),
  invalid: z.array(Report),
  links: z.array(z.looseObject({ rel: text, href: z.url() })),
})
const Linked = z.looseObject({ collection: text, id: text, href: z.url() })
const Lineage = z.looseObject({
  source: Linked.nullable(),
  derived: z.array(Linked),
  job: z.looseObject({ id: text, href: z.url() }).nullable(),
})
const Removed = z.union([
  z.looseObject({ dry_run: z.literal(true), would_delete: z.looseObject({ collection_id: text }) }),
  z.looseObject({ dry_run: z.literal(false), deleted: z.looseObject({ collection_id: text }) }),
])
const removed = found('what went, or would go', Removed)
const conformsTo = z.array(z.url())
const OPENAPI = 'application/vnd.oai.openapi+json;version=3.0'

export const stacAnswers: AnswersByName = {
  getStacLanding: { ...found('the landing page', StacCatalog.extend({ conformsTo })), ...KNOWN },
  getStacConformance: { ...found('classes of conformance', z.looseObject({ conformsTo })), ...KNOWN },
  getStacCollections: {
    ...found('collections', z.looseObject({ collections: z.array(StacCollection), links, numberReturned: count })),
    ...KNOWN,
  },
  getStacCollection: { ...found('the collection', StacCollection), ...KNOWN },
  getStacCollectionQueryables: { 200: jsonSchema, ...KNOWN },
  getStacQueryables: { 200: jsonSchema, ...KNOWN },
  getStacSortables: { 200: jsonSchema, ...KNOWN },
  getStacItems: features,
  getStacItem: { 200: { description: 'a GeoJSON feature', type: GEOJSON, schema: StacItem }, ...KNOWN },
  getStacSearch: features,
  postStacSearch: features,
  getStacOpenApi: {
    200: { description: 'OpenAPI 3.0', type: OPENAPI, schema: z.looseObject({ openapi: text, paths: object }) },
    ...KNOWN,
  },
  getStacAsset: { 302: { description: 'to the file, with a signature', type: null } },
  getStacPreview: { ...picture('the item'), ...KNOWN },
  getStacLineage: found('where it comes from, and what comes from it', Lineage),
  deleteStacItem: removed,
  deleteStacCollection: removed,
  validateStac: found('what is wrong with it', z.union([Report, ItemsReport])),
  getStacItemReport: found('what is wrong with it', Report),
  getStacCollectionReport: found('what is wrong with it', CollectionReport),
}
