// Fields of the STAC extensions that we write and judge, by the URL that declares them.
import * as z from 'zod'
import { Bbox, Geometry } from './stac-geometry.ts'

export const STAC_EXTENSIONS = {
  projection: 'https://stac-extensions.github.io/projection/v2.0.0/schema.json',
  raster: 'https://stac-extensions.github.io/raster/v2.0.0/schema.json',
  file: 'https://stac-extensions.github.io/file/v2.1.0/schema.json',
  processing: 'https://stac-extensions.github.io/processing/v1.2.0/schema.json',
} as const
export type StacExtension = keyof typeof STAC_EXTENSIONS

/** What the members of an extension begin with. */
export const EXTENSION_PREFIX: Readonly<Record<StacExtension, string>> = {
  projection: 'proj:',
  raster: 'raster:',
  file: 'file:',
  processing: 'processing:',
}

const ProjectionFields = z.looseObject({
  'proj:code': z.string().nullable().optional().describe('authority:code, e.g. EPSG:32633'),
  'proj:wkt2': z.string().nullable().optional(),
  'proj:projjson': z.looseObject({}).nullable().optional(),
  'proj:geometry': Geometry.optional(),
  'proj:bbox': Bbox.optional(),
  'proj:centroid': z.looseObject({ lat: z.number().min(-90).max(90), lon: z.number().min(-180).max(180) }).optional(),
  'proj:shape': z.array(z.int()).length(2).optional().describe('[rows, columns]'),
  'proj:transform': z
    .array(z.number())
    .refine((t) => t.length === 6 || t.length === 9, 'must have 6 or 9 numbers')
    .optional()
    .describe('[a, b, c, d, e, f]: x = a*column + b*row + c, y = d*column + e*row + f'),
})

const Histogram = z.strictObject({
  count: z.number(),
  min: z.number(),
  max: z.number(),
  buckets: z.array(z.int()).min(3),
})

const RasterFields = z.looseObject({
  'raster:bits_per_sample': z.int().optional(),
  'raster:sampling': z.enum(['area', 'point']).optional(),
  'raster:scale': z.number().optional(),
  'raster:offset': z.number().optional(),
  'raster:spatial_resolution': z.number().optional().describe('metres'),
  'raster:histogram': Histogram.optional(),
})

const FileFields = z.looseObject({
  'file:byte_order': z.enum(['big-endian', 'little-endian']).optional(),
  'file:checksum': z.string().optional().describe('multihash in lower-case hex'),
  'file:header_size': z.int().min(0).optional(),
  'file:size': z.int().min(0).optional(),
  'file:values': z
    .array(z.looseObject({ values: z.array(z.unknown()).min(1), summary: z.string().min(1) }))
    .min(1)
    .optional(),
  'file:local_path': z
    .string()
    .regex(/^[^\r\n\t\\:'"/]+(\/[^\r\n\t\\:'"/]+)*\/?$/)
    .optional(),
})

const ProcessingFields = z.looseObject({
  'processing:expression': z.looseObject({ format: z.string(), expression: z.unknown() }).optional(),
  'processing:lineage': z.string().optional(),
  'processing:level': z.string().optional(),
  'processing:facility': z.string().optional(),
  'processing:datetime': z.string().optional().describe('RFC 3339 in UTC'),
  'processing:version': z.string().optional(),
  'processing:software': z.record(z.string(), z.string()).optional(),
})

/** The fields of each extension; members with another prefix are not its business. */
export const EXTENSION_FIELDS = {
  projection: ProjectionFields,
  raster: RasterFields,
  file: FileFields,
  processing: ProcessingFields,
} as const satisfies Record<StacExtension, z.ZodObject>
