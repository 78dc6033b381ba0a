// What is written: the form of the finished COG, as the plan fixes it for every task. JSON, so that it crosses processes.
import * as z from 'zod'
import type { OverviewRules } from './overview.ts'
import { parseNodata } from './samples.ts'
import type { TileForm } from './tile-encoder.ts'

const DecodedTypeName = z.enum(['uint8', 'int8', 'uint16', 'int16', 'uint32', 'int32', 'uint64', 'int64', 'float32', 'float64'])

/** A tag that is written as it is: `bytes` are little-endian values in base64. */
export const RawTag = z.object({ tag: z.int(), type: z.int(), count: z.int(), bytes: z.string() })
export type RawTag = z.infer<typeof RawTag>

/** How the samples of a source become those of the output. */
export const SampleSteps = z.object({
  /** 0-based bands of the source, in the order of the output (before a palette is expanded). */
  bands: z.array(z.int()),
  /** Red, green, blue of 256 entries each, in base64. */
  expandPalette: z.string().nullable(),
  /** 0-based band of the source whose zeros become holes of the mask. */
  maskFromAlpha: z.int().nullable(),
  maskFromNodata: z.boolean(),
  sourceMask: z.boolean(),
})
export type SampleSteps = z.infer<typeof SampleSteps>

export const OutputForm = z.object({
  width: z.int(),
  height: z.int(),
  bands: z.int(),
  dtype: DecodedTypeName,
  tile_size: z.int(),
  compression: z.enum(['deflate', 'zstd', 'jpeg', 'webp']),
  quality: z.int(),
  photometric: z.int(),
  extra_samples: z.array(z.int()),
  color_map: RawTag.nullable(),
  nodata: z.string().nullable().describe('as the file says it'),
  alpha: z.int().nullable().describe('0-based'),
  has_mask: z.boolean(),
  overview_method: z.enum(['nearest', 'average', 'mode']),
  tags: z.array(RawTag).describe('georeference, ICC profile'),
  metadata_xml: z.string().nullable(),
  /** The band of the source that a declared nodata or the file itself tells missing, as text. */
  source_nodata: z.string().nullable(),
  steps: SampleSteps,
})
export type OutputForm = z.infer<typeof OutputForm>

export const isPalette = (form: OutputForm): boolean => form.color_map !== null

export const tileFormOf = (form: OutputForm): TileForm => ({
  tileSize: form.tile_size,
  bands: form.bands,
  dtype: form.dtype,
  compression: form.compression,
  quality: form.quality,
  isPalette: isPalette(form),
  nodata: parseNodata(form.nodata ?? undefined, form.dtype),
})

export const overviewRulesOf = (form: OutputForm): OverviewRules => ({
  method: form.overview_method,
  nodata: parseNodata(form.nodata ?? undefined, form.dtype),
  alpha: form.alpha ?? undefined,
})
