// What is told about a raster: by list_container, by the first stage of process_raster, by GET /api/rasters/…/info.
import * as z from 'zod'

export const Crs = z.object({
  kind: z.enum(['projected', 'geographic', 'geocentric', 'none', 'user_defined', 'unknown']),
  epsg: z.int().optional(),
  citation: z.string().optional().describe('what the file calls it'),
  reason: z.string().optional().describe('why there is no EPSG code'),
})

export const Bounds = z.array(z.number()).length(4).describe('[west, south, east, north]')
export type Bounds = z.infer<typeof Bounds>

const CogIssue = z.object({ code: z.string(), message: z.string() })
const Size = z.object({ width: z.int(), height: z.int() })
const Nodata = z.union([z.number(), z.string()])

export const RasterInfo = z.object({
  format: z.enum(['TIFF', 'BigTIFF']),
  byte_order: z.enum(['little', 'big']),
  width: z.int(),
  height: z.int(),
  bands: z.int(),
  dtype: z.string().describe('by NumPy, e.g. uint8, float32, complex64'),
  bits_per_sample: z.array(z.int()).optional().describe('per band, where they differ'),
  compression: z.string(),
  predictor: z.int().optional(),
  interleave: z.enum(['pixel', 'band']),
  layout: z.enum(['tiles', 'strips']),
  block: Size.describe('pixels of a tile or strip'),
  overviews: z.array(Size),
  has_mask: z.boolean(),
  nodata: Nodata.nullable(),
  color_interpretation: z.array(z.string()).describe('per band, as GDAL names it'),
  band_metadata: z
    .array(
      z.object({
        band: z.int(),
        description: z.string().optional(),
        scale: z.number().optional(),
        offset: z.number().optional(),
        unit: z.string().optional(),
      }),
    )
    .optional(),
  georeference: z.enum(['transform', 'gcps', 'none']),
  gcps: z.int().optional(),
  gcp_hull: z.array(z.array(z.number()).length(2)).optional().describe('convex hull of the ground control points, in their CRS'),
  transform: z.array(z.number()).length(6).optional().describe("GDAL's geotransform"),
  area_or_point: z.enum(['area', 'point']),
  crs: Crs,
  epsg: z.int().optional(),
  bounds: Bounds.optional().describe('in the CRS of the raster'),
  wgs84_bounds: Bounds.optional(),
  wgs84_error_m: z.number().optional().describe('largest error of wgs84_bounds in metres'),
  is_cog: z.boolean(),
  cog_issues: z.array(CogIssue).describe('why it is no COG'),
  cog_warnings: z.array(CogIssue),
  warnings: z.array(CogIssue),
  tiff_date_time: z.string().optional().describe('tag 306 as it is'),
  acquired: z.string().optional().describe("GDAL's item ACQUISITIONDATETIME as it is"),
  pages: z.int().optional().describe('full images in the file, where there is more than one; the first is meant'),
  bytes_read: z.int(),
  reads: z.int(),
})
export type RasterInfo = z.infer<typeof RasterInfo>

/** A TIFF whose directories cannot be understood, and why. */
const BrokenRaster = z.object({
  format: z.literal('TIFF'),
  is_cog: z.literal(false),
  problem: z.object({ code: z.string(), message: z.string() }),
})
/** What the bytes of a blob are; null: no TIFF. */
export const DetectedFormat = z.union([RasterInfo, BrokenRaster])
export type DetectedFormat = z.infer<typeof DetectedFormat>
