// process_raster for every raster of a container: one job, one outcome per file; what cannot be converted does not stop the others.
import * as z from 'zod'
import { defineJob, defineStage, type TaskResult } from '../define/define-job.ts'
import { acceptContainer, containerParams, listingOf, withContainerAlias } from '../inventory/container-parameters.ts'
import { CollectionId } from '../models/stac-record.ts'
import { RasterInfo } from '../models/raster.ts'
import { fileId, listedSources } from '../raster/container-sources.ts'
import {
  acceptConversion,
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
import { ItemDatetime } from '../stac/item-time.ts'
import { registrationOf } from '../stac/register-output.ts'
import { BlobPrefix, ContainerName } from '../storage/names.ts'

const parameters = withContainerAlias(
  z.strictObject({
    ...containerParams,
    max_files: z.int().min(1).max(100_000).default(10_000).describe('most rasters that may match'),
    target_container: ContainerName.optional().describe('silver or gold; default: silver'),
    target_prefix: BlobPrefix.pipe(z.string().max(400)).default('').describe('put before the name of each output'),
    ...conversionFields,
    datetime: ItemDatetime.optional().describe('when the rasters were taken, for the catalogue'),
    collection_id: CollectionId.optional().describe('collection of the outputs in the catalogue; default: silver-{container}'),
    overwrite: z.boolean().default(false).describe('replaces what other jobs published under these names'),
  }),
)
type Parameters = z.output<typeof parameters>

const conversionOf = (p: Parameters): Conversion => Conversion.parse(p)
const common = { parameters, weight: 'heavy', dependsOn: ['storage'], onTaskFailure: 'continue', maxClaims: 3, slots } as const
const Warnings = z.array(z.object({ code: z.string(), message: z.string() }))

const validate = defineStage({
  name: 'validate_raster',
  ...common,
  result: RasterInfo.pick({ width: true, height: true, bands: true, dtype: true, crs: true, is_cog: true }).extend({
    source: PinnedSource,
    target_name: z.string(),
    warnings: Warnings,
  }),
  async *plan({ parameters: p, blobs, signal, jobId, attempt }) {
    const listing = listingOf({ blobs, signal, parameters: p, progress: () => undefined })
    const sources = await listedSources(blobs, `lists/${jobId}/a${attempt}/rasters.json`, () => listing.files(), {
      maxFiles: p.max_files,
      prefix: p.target_prefix,
      suffix: p.output_tier,
    })
    for (const { source, target } of sources) yield { key: source, parameters: { target } }
  },
  async run(task, ctx) {
    const at = { container: ctx.parameters.container_name, blob: task.key }
    const { source, info, warnings } = await validateStep(ctx, at, conversionOf(ctx.parameters))
    return { ...info, source, target_name: task.parameters.target, warnings }
  },
})

const plan = defineStage({
  name: 'plan_tiles',
  ...common,
  after: validate,
  result: PlannedRaster.extend({
    container: z.string(),
    blob: z.string(),
    plan: z.int(),
    folder: z.string(),
    tiles_blob: z.string(),
    target_name: z.string(),
  }),
  async *plan({ previous }) {
    for await (const { key } of previous(validate)) yield { key, parameters: {} }
  },
  async run(task, ctx) {
    const { source, target_name } = await ctx.predecessor()
    const container = await targetContainer(ctx.blobs, ctx.parameters.target_container)
    const file = { id: fileId(task.key), keyPrefix: `${task.key}#` }
    const planned = await planStep(ctx, source, conversionOf(ctx.parameters), { container, name: target_name }, file)
    return { ...planned, container, target_name }
  },
})

const tiles = defineStage({
  name: 'create_cog_tiles',
  ...common,
  after: plan,
  timeoutMs: 600_000,
  result: CreatedTiles,
  async *plan({ previous }) {
    for await (const { key, result } of previous(plan))
      for (let row = 0; row < result.rows; row++)
        for (let column = 0; column < result.columns; column++)
          yield { key: `${key}#${tileKey(row, column)}`, parameters: { row, column }, source: key }
  },
  async run(task, ctx) {
    return tilesStep(ctx, await ctx.predecessor(), task.parameters.row, task.parameters.column)
  },
})

const publish = defineStage({
  name: 'create_stac_record',
  ...common,
  timeoutMs: 1_200_000,
  result: AssembledRaster.extend({ container: z.string(), blob: z.string(), target_name: z.string() }),
  async *plan({ previous }) {
    const made = previous(tiles)[Symbol.asyncIterator]()
    let next = await made.next()
    for await (const { key, result } of previous(plan)) {
      const { container, blob, folder, target_name, plan: number, tiles: wanted } = result
      let found = 0
      // Tiles stand in the order of their files; a file that lacks one is not put together.
      while (!next.done && isTileOf(next.value, key)) {
        found++
        next = await made.next()
      }
      if (found === wanted) yield { key, parameters: { container, blob, folder, target_name, plan: number } }
    }
  },
  async run(task, ctx) {
    const { container, blob, folder, target_name, plan: number } = task.parameters
    const { overwrite, output_tier, collection_id, datetime } = ctx.parameters
    const accessTier = output_tier === 'archive' ? ('Cool' as const) : ('Hot' as const)
    const place = { container, blob, plan: number, targetName: target_name }
    const register = (file: AssembledRaster) => registrationOf(ctx, { ...place, collectionId: collection_id, datetime }, file)
    const made = await publishStep(ctx, { ...place, folder, overwrite, accessTier, register })
    await tidyStep(ctx.blobs, folder)
    return { ...made, container, blob, target_name }
  },
})

const isTileOf = ({ key }: TaskResult<unknown>, file: string): boolean => key.slice(0, key.lastIndexOf('#')) === file

/** Files that a result names, of each kind; the rest is counted, and found among the tasks. */
const NAMED = 500

interface Outcome {
  readonly source: string
  readonly stage: string
  readonly code: string
  readonly details: string
}

export default defineJob({
  name: 'process_container',
  description: 'Turns every raster of a container into a Cloud-Optimized GeoTIFF, with an outcome for each file.',
  parameters,
  stages: [validate, plan, tiles, publish],
  async accept(p, { blobs }) {
    await acceptConversion(conversionOf(p))
    await acceptContainer(p, { blobs })
    await targetContainer(blobs, p.target_container)
  },
  async result({ stages, previous, failed }) {
    const published: { source: string; container: string; blob: string; bytes: number }[] = []
    let [count, bytes] = [0, 0]
    for await (const { key: source, result } of previous(publish)) {
      count++
      bytes += result.bytes
      if (published.length < NAMED)
        published.push({ source, container: result.container, blob: result.blob, bytes: result.bytes })
    }
    const failures = new Map<string, Outcome>()
    for (const stage of [validate, plan, tiles, publish])
      for await (const { key, code, details } of failed(stage)) {
        const source = stage === tiles ? key.slice(0, key.lastIndexOf('#')) : key
        if (!failures.has(source)) failures.set(source, { source, stage: stage.name, code, details })
      }
    return {
      files: stages[0]?.expected ?? 0,
      published: count,
      failed: failures.size,
      bytes,
      outputs: published,
      failures: [...failures.values()].slice(0, NAMED),
      ...(count > NAMED || failures.size > NAMED
        ? { note: `the first ${NAMED} of each are named here; GET /api/jobs/{job_id}/tasks has all` }
        : {}),
      ...(stages[0]?.expected === 0 ? { warning: 'no rasters matched' } : {}),
    }
  },
})
