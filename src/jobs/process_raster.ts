// Turns one raster into a Cloud-Optimized GeoTIFF: validates it, plans its tiles, makes them in parallel, puts them together and publishes.
import * as z from 'zod'
import { defineJob, defineStage } from '../define/define-job.ts'
import { CollectionId } from '../models/stac-record.ts'
import { RasterInfo } from '../models/raster.ts'
import {
  acceptConversion,
  assertTargetFree,
  planStep,
  publishStep,
  targetContainer,
  tidyStep,
  tilesStep,
  validateStep,
} from '../raster/conversion-steps.ts'
import { Conversion, conversionFields } from '../raster/options.ts'
import { conversionSlots as slots } from '../raster/pools.ts'
import { AssembledRaster, CreatedTiles, PinnedSource, PlannedRaster } from '../raster/tasks.ts'
import { tileKey } from '../raster/tiles-geojson.ts'
import { assertCollectionKind } from '../stac/collection.ts'
import { collectionIdOf, itemIdOf } from '../stac/ids.ts'
import { ItemDatetime } from '../stac/item-time.ts'
import { registrationOf } from '../stac/register-output.ts'
import { AppError } from '../rules/errors.ts'
import { BlobName, ContainerName, WritableBlobName } from '../storage/names.ts'

const parameters = z
  .strictObject({
    source_container: ContainerName.describe('where the raster is'),
    source_blob: BlobName.describe('its name'),
    target_container: ContainerName.optional().describe('silver or gold; default: silver'),
    target_name: WritableBlobName.pipe(z.string().max(900))
      .optional()
      .describe('logical name of the output; default: source without extension, `_`, output_tier'),
    ...conversionFields,
    datetime: ItemDatetime.optional().describe('when it was taken, for the catalogue'),
    collection_id: CollectionId.optional().describe('collection of the output in the catalogue; default: silver-{container}'),
    overwrite: z.boolean().default(false).describe('replaces what another job published under this name'),
  })
  .transform((p) => ({ ...p, target_name: p.target_name ?? `${p.source_blob.replace(/\.[^./]*$/, '')}_${p.output_tier}` }))

const conversionOf = (p: z.output<typeof parameters>): Conversion => Conversion.parse(p)

const common = { parameters, weight: 'heavy', dependsOn: ['storage'], onTaskFailure: 'fail', maxClaims: 3, slots } as const

const Warnings = z.array(z.object({ code: z.string(), message: z.string() }))

const validate = defineStage({
  name: 'validate_raster',
  ...common,
  result: RasterInfo.pick({
    width: true,
    height: true,
    bands: true,
    dtype: true,
    nodata: true,
    crs: true,
    transform: true,
    georeference: true,
    layout: true,
    is_cog: true,
    wgs84_bounds: true,
    color_interpretation: true,
  }).extend({
    source: PinnedSource,
    compression: z.string().describe('of the source'),
    kind: z.enum(['image', 'palette', 'data']),
    warnings: Warnings,
  }),
  *plan() {
    yield { key: 'validate', parameters: {} }
  },
  async run(_task, ctx) {
    const { source_container: container, source_blob: blob } = ctx.parameters
    const target = {
      container: await targetContainer(ctx.blobs, ctx.parameters.target_container),
      name: ctx.parameters.target_name,
    }
    await assertTargetFree(ctx, target, ctx.parameters.overwrite)
    if (ctx.parameters.collection_id !== undefined)
      await assertCollectionKind(ctx.catalogue, ctx.parameters.collection_id, 'silver')
    const { source, info, warnings } = await validateStep(ctx, { container, blob }, conversionOf(ctx.parameters))
    const first = info.color_interpretation[0]
    return {
      ...info,
      source,
      kind: first === 'palette' ? ('palette' as const) : first === 'red' ? ('image' as const) : ('data' as const),
      warnings,
    }
  },
})

const Planned = PlannedRaster.extend({
  container: z.string(),
  blob: z.string(),
  plan: z.int(),
  folder: z.string(),
  tiles_blob: z.string(),
})

const plan = defineStage({
  name: 'plan_tiles',
  ...common,
  after: validate,
  result: Planned,
  *plan() {
    yield { key: 'plan', parameters: {}, source: 'validate' }
  },
  async run(_task, ctx) {
    const { source } = await ctx.predecessor()
    const container = await targetContainer(ctx.blobs, ctx.parameters.target_container)
    const target = { container, name: ctx.parameters.target_name }
    return { ...(await planStep(ctx, source, conversionOf(ctx.parameters), target)), container }
  },
})

const tiles = defineStage({
  name: 'create_cog_tiles',
  ...common,
  after: plan,
  timeoutMs: 600_000,
  result: CreatedTiles,
  async *plan({ previous }) {
    for await (const { result } of previous(plan))
      for (let row = 0; row < result.rows; row++)
        for (let column = 0; column < result.columns; column++)
          yield { key: tileKey(row, column), parameters: { row, column }, source: 'plan' }
  },
  async run(task, ctx) {
    return tilesStep(ctx, await ctx.predecessor(), task.parameters.row, task.parameters.column)
  },
})

const publish = defineStage({
  name: 'create_stac_record',
  ...common,
  timeoutMs: 1_200_000,
  result: AssembledRaster.extend({
    container: z.string(),
    blob: z.string(),
    target_name: z.string(),
    collection_id: z.string(),
    item_id: z.string(),
    overview_resampling: z.string(),
    warnings: Warnings,
  }),
  *plan() {
    yield { key: 'publish', parameters: {} }
  },
  async run(_task, ctx) {
    for await (const { result: planned } of ctx.previous(plan)) {
      const { container, blob, folder, overview_resampling, warnings } = planned
      const { target_name, overwrite, output_tier, collection_id, datetime } = ctx.parameters
      const accessTier = output_tier === 'archive' ? ('Cool' as const) : ('Hot' as const)
      const made = await publishStep(ctx, {
        container,
        blob,
        folder,
        plan: planned.plan,
        targetName: target_name,
        overwrite,
        accessTier,
        register: (file) =>
          registrationOf(
            ctx,
            { container, blob, targetName: target_name, plan: planned.plan, collectionId: collection_id, datetime },
            file,
          ),
      })
      await tidyStep(ctx.blobs, folder)
      const item = {
        collection_id: collection_id ?? collectionIdOf('silver', container),
        item_id: itemIdOf(container, target_name),
      }
      return { ...made, container, blob, target_name, ...item, overview_resampling, warnings }
    }
    throw new AppError('SIDE_BLOB_LOST', 'The plan of this job is gone. Rerun it.')
  },
})

export default defineJob({
  name: 'process_raster',
  description: 'Turns one raster into a Cloud-Optimized GeoTIFF in silver or gold, in parallel tiles; optionally warped.',
  parameters,
  stages: [validate, plan, tiles, publish],
  async accept(p, { blobs, outputs, jobId }) {
    await acceptConversion(conversionOf(p))
    const container = await targetContainer(blobs, p.target_container)
    await blobs.checkContainer(p.source_container)
    await blobs.properties({ container: p.source_container, blob: p.source_blob })
    await assertTargetFree({ outputs, jobId }, { container, name: p.target_name }, p.overwrite)
  },
  async result({ previous }) {
    let warnings: z.infer<typeof Warnings> = []
    for await (const { result } of previous(validate)) warnings = result.warnings
    for await (const { result } of previous(publish)) return { ...result, warnings: [...warnings, ...result.warnings] }
    return { warnings }
  },
})
