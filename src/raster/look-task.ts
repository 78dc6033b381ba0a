// Looking at a raster: what is asked of the child process, and what it answers.
import * as z from 'zod'
import { COLORMAP_NAMES } from './colormaps.ts'
import { PinnedSource } from './tasks.ts'

/** How samples become a picture; names as in TiTiler. */
export const Render = z.object({
  bidx: z.array(z.int().min(1)).max(4).optional(),
  rescale: z.array(z.tuple([z.number(), z.number()])).optional(),
  colormap_name: z.enum(COLORMAP_NAMES).optional(),
  resampling: z.enum(['nearest', 'bilinear']),
  nodata: z.union([z.number(), z.literal('nan')]).optional(),
})
export type Render = z.infer<typeof Render>

const Side = z.int().min(1)
const Area = z.object({ x: z.int().min(0), y: z.int().min(0), width: Side, height: Side })

export const Look = z.discriminatedUnion('what', [
  z.object({ what: z.literal('info') }),
  z.object({ what: z.literal('preview'), width: Side.max(2048), render: Render }),
  z.object({ what: z.literal('window'), area: Area, format: z.enum(['png', 'json', 'tif']), render: Render }),
  z.object({ what: z.literal('tile'), z: z.int().min(0).max(30), x: z.int().min(0), y: z.int().min(0), render: Render }),
  z.object({
    what: z.literal('point'),
    at: z.tuple([z.number(), z.number()]),
    isLonLat: z.boolean(),
    bidx: z.array(z.int().min(1)).optional(),
  }),
  z.object({ what: z.literal('statistics'), bidx: z.array(z.int().min(1)).optional() }),
])
export type Look = z.infer<typeof Look>

export const LookTask = z.object({ kind: z.literal('look'), source: PinnedSource, look: Look })
export type LookTask = z.infer<typeof LookTask>

export interface BandStatistics {
  readonly band: number
  readonly count: number
  readonly valid_percent: number
  readonly min: number | null
  readonly max: number | null
  readonly mean: number | null
  readonly std: number | null
  readonly percentile_2: number | null
  readonly percentile_98: number | null
  readonly histogram: readonly [counts: readonly number[], edges: readonly number[]] | null
}

/** Bytes, or JSON; `empty`: nothing of the raster is in the tile. */
export type LookAnswer =
  | { readonly kind: 'bytes'; readonly contentType: string; readonly bytes: Uint8Array }
  | { readonly kind: 'empty' }
  | { readonly kind: 'json'; readonly value: unknown }
