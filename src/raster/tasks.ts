// What a raster's child process is asked: plain JSON in, plain JSON out.
import * as z from 'zod'
import { RasterInfo } from '../models/raster.ts'
import { Conversion } from './options.ts'

export const SourceRef = z.object({ container: z.string(), blob: z.string() })
export const PinnedSource = SourceRef.extend({ etag: z.string(), size: z.int() })
export type PinnedSource = z.infer<typeof PinnedSource>

const Warning = z.object({ code: z.string(), message: z.string() })
export type Warning = z.infer<typeof Warning>

/** First stage: what the source is, and whether it can become what is wished. */
export const ValidateRaster = z.object({ kind: z.literal('validate'), source: SourceRef, conversion: Conversion })
export const ValidatedRaster = z.object({
  source: PinnedSource,
  info: RasterInfo,
  compression: z.string(),
  warnings: z.array(Warning),
})
export type ValidatedRaster = z.infer<typeof ValidatedRaster>

/** Second stage: the plan as a blob, the tiles as GeoJSON beside it. */
export const PlanRaster = z.object({
  kind: z.literal('plan'),
  source: PinnedSource,
  conversion: Conversion,
  folder: z.string(),
  geoJson: z.string(),
  keyPrefix: z.string(),
})
export const PlannedRaster = z.object({
  tiles: z.int(),
  columns: z.int(),
  rows: z.int(),
  k: z.int().describe('levels above the image that each tile makes'),
  levels: z.int(),
  output: z.object({
    width: z.int(),
    height: z.int(),
    bands: z.int(),
    dtype: z.string(),
    tile_size: z.int(),
    compression: z.string(),
    transform: z.array(z.number()).length(6).nullable(),
    crs: z.string().nullable(),
  }),
  overview_resampling: z.string(),
  blocks: z.int(),
  read_amplification: z.number(),
  estimated_bytes: z.int(),
  memory_mb: z.int(),
  warnings: z.array(Warning),
})
export type PlannedRaster = z.infer<typeof PlannedRaster>

const Target = z.object({ container: z.string(), blob: z.string() })

/** Third stage: one region. */
export const CreateTiles = z.object({
  kind: z.literal('tiles'),
  folder: z.string(),
  target: Target,
  row: z.int(),
  column: z.int(),
})
const Moments = z.object({ count: z.number(), min: z.number(), max: z.number(), mean: z.number(), m2: z.number() })
export const CreatedTiles = z.object({ blocks: z.int(), bytes: z.int(), side: z.string(), stats: z.array(Moments) })
export type CreatedTiles = z.infer<typeof CreatedTiles>

/** Last stage: levels above, header, commit, check. */
export const AssembleRaster = z.object({
  kind: z.literal('assemble'),
  folder: z.string(),
  target: Target,
  metadata: z.record(z.string(), z.string()),
  accessTier: z.enum(['Hot', 'Cool']),
})
export const AssembledRaster = z.object({
  bytes: z.int(),
  etag: z.string(),
  bigtiff: z.boolean(),
  levels: z.int(),
  checks: z.array(z.string()).describe('rules that were checked'),
  statistics: z.array(
    z.object({ band: z.int(), count: z.number(), min: z.number(), max: z.number(), mean: z.number(), std: z.number() }),
  ),
})
export type AssembledRaster = z.infer<typeof AssembledRaster>

export const RasterTask = z.discriminatedUnion('kind', [ValidateRaster, PlanRaster, CreateTiles, AssembleRaster])
export type RasterTask = z.infer<typeof RasterTask>
/** What each kind answers with. */
export interface RasterAnswers {
  readonly validate: ValidatedRaster
  readonly plan: PlannedRaster
  readonly tiles: CreatedTiles
  readonly assemble: AssembledRaster
}
