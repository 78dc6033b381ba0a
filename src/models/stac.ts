// STAC 1.1.0: Catalog, Collection, Item, ItemCollection. Both for what we write and for what we judge; unknown members are kept.
// Rules across members (collection and its link, bbox and geometry, times) are in src/stac/validation.
import * as z from 'zod'
import { commonFields, Iri, StacAsset, StacItemAsset, StacLink } from './stac-common.ts'
import { Bbox, Geometry } from './stac-geometry.ts'

export { Provider, StacAsset, StacBand, StacItemAsset, StacLink, Statistics } from './stac-common.ts'
export { EXTENSION_FIELDS, EXTENSION_PREFIX, STAC_EXTENSIONS, type StacExtension } from './stac-extensions.ts'
export { Bbox, GeoJsonGeometry, Geometry, Position } from './stac-geometry.ts'

export const STAC_VERSION = '1.1.0'

const Extensions = z.array(Iri).refine((urls) => new Set(urls).size === urls.length, {
  error: 'must not name one twice',
  params: { keyword: 'uniqueItems' },
})

const head = {
  stac_version: z.string(),
  stac_extensions: Extensions.optional(),
  id: z.string().min(1),
  links: z.array(StacLink),
}

export const StacCatalog = z.looseObject({
  ...commonFields,
  ...head,
  type: z.literal('Catalog'),
  description: z.string(),
})
export type StacCatalog = z.infer<typeof StacCatalog>

export const Extent = z.looseObject({
  spatial: z.looseObject({
    bbox: z
      .array(Bbox)
      .min(1)
      .refine((boxes) => boxes.length !== 2, 'must have 1 box, or 3 and more of which the first covers the others'),
  }),
  temporal: z.looseObject({ interval: z.array(z.array(z.string().nullable()).length(2)).min(1) }),
})
export type Extent = z.infer<typeof Extent>

const isBound = (value: unknown): boolean => typeof value === 'number' || typeof value === 'string'

/** A range has both bounds, numbers or texts; in a JSON Schema each is a number. Other keywords of a JSON Schema are not judged. */
function isSummary(summary: Readonly<Record<string, unknown>>): boolean {
  const { minimum, maximum } = summary
  if (isBound(minimum) && isBound(maximum)) return true
  return Object.keys(summary).length > 0 && [minimum, maximum].every((n) => n === undefined || typeof n === 'number')
}

/** A JSON Schema, {minimum, maximum}, or a set of values. */
const Summary = z.union([
  z.array(z.unknown()).min(1),
  z.looseObject({}).refine(isSummary, { error: 'neither a range nor a JSON Schema', params: { keyword: 'anyOf' } }),
])

export const StacCollection = z.looseObject({
  ...commonFields,
  ...head,
  type: z.literal('Collection'),
  description: z.string(),
  license: commonFields.license.unwrap(),
  extent: Extent,
  assets: z.record(z.string(), StacAsset).optional(),
  item_assets: z.record(z.string(), StacItemAsset).optional(),
  summaries: z.record(z.string(), Summary).optional(),
})
export type StacCollection = z.infer<typeof StacCollection>

export const StacItem = z.looseObject({
  ...head,
  type: z.literal('Feature'),
  geometry: Geometry.nullable(),
  bbox: Bbox.optional().describe('absent exactly when geometry is null'),
  properties: z.looseObject(commonFields),
  assets: z.record(z.string(), StacAsset),
  collection: z.string().min(1).optional(),
})
export type StacItem = z.infer<typeof StacItem>

export const StacItemCollection = z.looseObject({
  type: z.literal('FeatureCollection'),
  features: z.array(StacItem),
  links: z.array(StacLink).optional(),
})
export type StacItemCollection = z.infer<typeof StacItemCollection>
