// Common metadata of STAC 1.1.0 (commons/common-metadata.md) and what carries it: bands, providers, links, assets.
// Unknown members are kept. Formats with a semantic code of their own (times, checksums, empty hrefs) are plain strings here, so that
// one fault is one finding.
import * as z from 'zod'

/** Characters that no IRI has (RFC 3987, 2.2): blanks, controls, quotes, brackets. */
const NOT_IN_IRI = /[\u0000-\u0020<>"{}|\\^`\u007f]/
export const IriReference = z
  .string()
  .refine((href) => !NOT_IN_IRI.test(href), { error: 'has characters that no IRI has', params: { keyword: 'format' } })
export const Iri = IriReference.refine((href) => href === '' || /^[a-z][a-z0-9+.-]*:/i.test(href), {
  error: 'must be absolute',
  params: { keyword: 'format' },
}).min(1)

export const DATA_TYPES = [
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'float16',
  'float32',
  'float64',
  'cint16',
  'cint32',
  'cfloat32',
  'cfloat64',
  'other',
] as const

export const Statistics = z
  .looseObject({
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    mean: z.number().optional(),
    stddev: z.number().optional(),
    count: z.int().min(0).optional(),
    valid_percent: z.number().min(0).max(100).optional(),
  })
  .refine((s) => Object.keys(s).length > 0, { error: 'must have a member', params: { keyword: 'minProperties' } })
export type Statistics = z.infer<typeof Statistics>

export const Provider = z.looseObject({
  name: z.string().min(1),
  description: z.string().optional(),
  roles: z.array(z.enum(['producer', 'licensor', 'processor', 'host'])).optional(),
  url: Iri.optional(),
})
export type Provider = z.infer<typeof Provider>

const time = z.string().optional().describe('RFC 3339 in UTC')
const strings = z.array(z.string()).optional()

/** Members that bands and everything around them may have; times with null only as `datetime`. */
const fields = {
  title: z.string().optional(),
  description: z.string().min(1).optional(),
  keywords: strings,
  roles: strings,
  datetime: z.string().nullable().optional().describe('RFC 3339 in UTC'),
  start_datetime: time,
  end_datetime: time,
  created: time,
  updated: time,
  data_type: z.enum(DATA_TYPES).optional(),
  nodata: z.union([z.number(), z.enum(['nan', 'inf', '-inf'])]).optional(),
  statistics: Statistics.optional(),
  unit: z.string().optional(),
  platform: z.string().optional(),
  instruments: strings,
  constellation: z.string().optional(),
  mission: z.string().optional(),
  gsd: z.number().gt(0).optional(),
  license: z
    .string()
    .regex(/^[\w\-.+]+$/)
    .optional(),
  providers: z.array(Provider).optional(),
}

/** A band may have bands: common.json says so, and nobody writes them. */
export const StacBand = z.looseObject({
  name: z.string().optional(),
  ...fields,
  get bands(): z.ZodOptional<z.ZodArray<z.ZodType>> {
    return z.array(StacBand).optional()
  },
})
export type StacBand = z.infer<typeof StacBand>

/** Everything of common.json; spread into the object that carries it. */
export const commonFields = { ...fields, bands: z.array(StacBand).optional() }

export const StacLink = z.looseObject({
  ...commonFields,
  rel: z.string().min(1),
  href: IriReference.min(1),
  type: z.string().optional(),
  method: z
    .string()
    .regex(/^[A-Z]+$/)
    .optional(),
  headers: z.record(z.string(), z.union([z.string(), z.array(z.string())])).optional(),
  body: z.unknown().optional(),
})
export type StacLink = z.infer<typeof StacLink>

export const StacAsset = z.looseObject({ ...commonFields, href: IriReference, type: z.string().optional() })
export type StacAsset = z.infer<typeof StacAsset>

/** What the items of a collection will have: an asset without its href. */
export const StacItemAsset = z
  .looseObject({ ...commonFields, href: z.undefined().optional(), type: z.string().optional() })
  .refine((a) => Object.keys(a).length >= 2, { error: 'must have 2 members', params: { keyword: 'minProperties' } })
export type StacItemAsset = z.infer<typeof StacItemAsset>
