// How a raster is to be converted, and which combinations do not go together whatever the raster.
import * as z from 'zod'
import { AppError } from '../rules/errors.ts'

export const OutputTier = z.enum(['visualization', 'analysis', 'archive'])
export type OutputTier = z.infer<typeof OutputTier>
export const Compression = z.enum(['deflate', 'zstd', 'jpeg', 'webp'])
export const OverviewResampling = z.enum(['auto', 'nearest', 'average', 'mode'])
export const WarpResampling = z.enum(['auto', 'nearest', 'bilinear', 'cubic'])

/** Fields of a conversion, for the parameters of job types. */
export const conversionFields = {
  target_crs: z
    .string()
    .regex(/^EPSG:\d{4,5}$/, 'must be EPSG:n')
    .optional()
    .describe('`EPSG:n`: the pixels are warped; default: kept as they are'),
  resolution: z.number().positive().optional().describe('pixel size in units of target_crs; default: that of the source'),
  output_tier: OutputTier.default('analysis').describe('what the output is for; docs/rasters.md has the table'),
  compression: Compression.optional().describe('default: jpeg for visualization, else deflate'),
  quality: z.int().min(1).max(100).optional().describe('of jpeg and webp; default 85'),
  tile_size: z
    .union([z.literal(256), z.literal(512), z.literal(1024)])
    .default(512)
    .describe('pixels of a tile'),
  overview_resampling: OverviewResampling.default('auto').describe('auto: mode for palettes, else average'),
  warp_resampling: WarpResampling.default('auto').describe('auto: nearest for palettes, else bilinear'),
  bands: z
    .array(z.int().min(1).max(65_535))
    .min(1)
    .max(384)
    .refine((list) => new Set(list).size === list.length, 'must not repeat a band')
    .optional()
    .describe('1-based, in the order of the output; default: all'),
  nodata: z
    .union([z.number(), z.literal('nan')])
    .optional()
    .describe('declares it where the source has none'),
} as const

export const Conversion = z.object(conversionFields)
export type Conversion = z.infer<typeof Conversion>

export const DEFAULT_QUALITY = 85

export const compressionOf = ({
  output_tier,
  compression,
}: Pick<Conversion, 'output_tier' | 'compression'>): z.infer<typeof Compression> =>
  compression ?? (output_tier === 'visualization' ? 'jpeg' : 'deflate')

/** @throws AppError `OPTION_INVALID` naming every pair that does not fit */
export function assertOptions(options: Conversion): void {
  const compression = compressionOf(options)
  const isPicture = compression === 'jpeg' || compression === 'webp'
  const issues: { path: string; message: string }[] = []
  const wrong = (path: string, message: string): void => void issues.push({ path, message })
  if (isPicture && options.output_tier !== 'visualization')
    wrong('compression', `${compression} loses information: it is for output_tier visualization`)
  if (!isPicture && options.quality !== undefined) wrong('quality', `is for jpeg and webp; compression is ${compression}`)
  if (options.resolution !== undefined && options.target_crs === undefined) wrong('resolution', 'needs target_crs')
  if (options.output_tier === 'archive')
    for (const key of ['target_crs', 'bands', 'nodata'] as const)
      if (options[key] !== undefined) wrong(key, 'is not for output_tier archive, which keeps the raster as it is')
  if (issues.length === 0) return
  throw new AppError('OPTION_INVALID', `Options do not fit: ${issues.map((i) => `${i.path} ${i.message}`).join('; ')}.`, {
    issues,
  })
}
