// Describes the files of a container as STAC items: only what is new or changed is read, what is gone is marked.
import * as z from 'zod'
import { defineJob, defineStage } from '../define/define-job.ts'
import {
  acceptContainer,
  containerParams,
  type ListingContext,
  listingOf,
  wholeListingOf,
  withContainerAlias,
} from '../inventory/container-parameters.ts'
import { readList, writeList } from '../inventory/list-file.ts'
import { ListRef } from '../models/blob.ts'
import { CatalogueMode, CollectionId } from '../models/stac-record.ts'
import { lookPool } from '../raster/pools.ts'
import { parseInterval } from '../rules/rfc3339.ts'
import type { BandStatistics } from '../models/raster-output.ts'
import { catalogueFile } from '../stac/catalogue-file.ts'
import { catalogued, changed, type ListedForCatalogue } from '../stac/catalogued-files.ts'
import { assertCollectionKind, collectionContent } from '../stac/collection.ts'
import { collectionIdOf } from '../stac/ids.ts'
import { assertDatetimePattern } from '../stac/item-time.ts'
import { isTiffName } from '../stac/sidecars.ts'
import { sweepMissing } from '../stac/sweep.ts'

const { aggregate_gdb: _, ...selection } = containerParams

const parameters = withContainerAlias(
  z
    .strictObject({
      ...selection,
      include: z.enum(['rasters', 'all']).default('rasters').describe('TIFFs by name, or every file; a .gdb folder is one'),
      mode: CatalogueMode.default('header').describe('quick: listing alone; header: directories of TIFFs; full: also statistics'),
      collection_id: CollectionId.optional().describe('default: bronze-{container}'),
      title: z.string().min(1).max(200).optional().describe('of the collection'),
      description: z.string().min(1).max(10_000).optional().describe('of the collection'),
      license: z
        .string()
        .regex(/^[\w\-.+]{1,100}$/)
        .optional()
        .describe('SPDX identifier, or other'),
      datetime: z
        .string()
        .max(80)
        .refine((text) => isTime(text), 'must be an RFC 3339 time, or an interval of two of them')
        .optional()
        .describe('when the files were taken'),
      datetime_pattern: z.string().min(1).max(256).optional().describe('finds the time in names: {YYYY}{MM}{DD}T{hh}{mm}{ss}'),
      missing: z.enum(['mark', 'delete', 'keep']).default('mark').describe('items whose files are gone'),
      reread: z.boolean().default(false).describe('reads also what has not changed'),
      label: z
        .string()
        .regex(/^[\w.:-]{1,64}$/)
        .optional()
        .describe('tells runs over one container apart, e.g. a date; a new label is a new run'),
    })
    .transform((p) => ({ ...p, collection_id: p.collection_id ?? collectionIdOf('bronze', p.container_name.replace('$', '')) })),
)
type Parameters = z.output<typeof parameters>

/** Both ends are there: the catalogue has no items that never end. */
function isTime(text: string): boolean {
  const interval = parseInterval(text)
  return interval?.start !== undefined && interval.end !== undefined
}

const common = { parameters, dependsOn: ['storage'], onTaskFailure: 'continue' } as const
const TWENTY_MINUTES_MS = 1_200_000

const Outcome = z.object({
  outcome: z.enum(['created', 'updated', 'unchanged', 'gone']),
  item_id: z.string().optional(),
  is_raster: z.boolean(),
  problem: z.string().optional(),
  warnings: z.array(z.string()).readonly(),
  before: z.string().optional().describe('outcome of the stage before'),
})

/** A .gdb folder is one item. */
const inContainer = (ctx: Omit<ListingContext, 'parameters'> & { readonly parameters: Parameters }): ListingContext => ({
  blobs: ctx.blobs,
  signal: ctx.signal,
  progress: ctx.progress,
  parameters: { ...ctx.parameters, aggregate_gdb: true },
})

const list = defineStage({
  name: 'list_blobs',
  ...common,
  weight: 'heavy',
  onTaskFailure: 'fail',
  timeoutMs: TWENTY_MINUTES_MS,
  result: z.object({ files: ListRef, listed: z.int(), unchanged: z.int(), skipped_names: z.int(), at: z.string() }),
  *plan() {
    yield { key: 'list', parameters: {} }
  },
  async run(_task, ctx) {
    const { container_name: container, collection_id, include, mode, reread } = ctx.parameters
    const at = ctx.now().toISOString()
    await assertCollectionKind(ctx.catalogue, collection_id, 'bronze')
    await ctx.catalogue.putCollection(collectionContent(ctx.parameters))
    const listing = listingOf(inContainer(ctx))
    let [listed, unchanged] = [0, 0]
    const counted = async function* () {
      for await (const file of catalogued(listing.files(), include)) {
        listed++
        yield file
      }
    }
    const test = { catalogue: ctx.catalogue, collectionId: collection_id, container, mode }
    const wanted = reread ? counted() : changed(counted(), test, (n) => (unchanged += n))
    const files = await writeList(ctx.blobs, `lists/${ctx.jobId}/a${ctx.attempt}/catalogue-${ctx.claim}`, wanted)
    return { files, listed, unchanged, skipped_names: listing.skipped.count, at }
  },
})

const describe = defineStage({
  name: 'catalog_blobs',
  ...common,
  result: Outcome,
  async *plan({ previous, blobs, signal }) {
    for await (const { result } of previous(list))
      for await (const file of readList(blobs, result.files, signal)) {
        const { name } = file as ListedForCatalogue
        yield { key: name, parameters: { file: file as ListedForCatalogue } }
      }
  },
  async run(task, ctx) {
    const { container_name: container, collection_id: collectionId, mode, datetime, datetime_pattern } = ctx.parameters
    // Statistics come after: until then the item says what its directories say.
    const first = mode === 'full' ? 'header' : mode
    const options = { collectionId, mode: first, datetime, datetimePattern: datetime_pattern } as const
    return catalogueFile(ctx, { container, ...task.parameters.file }, options)
  },
})

const statistics = defineStage({
  name: 'compute_statistics',
  ...common,
  weight: 'heavy',
  after: describe,
  timeoutMs: 600_000,
  result: Outcome,
  async *plan({ parameters: p, previous, blobs, signal }) {
    if (p.mode !== 'full') return
    for await (const { result } of previous(list))
      for await (const file of readList(blobs, result.files, signal)) {
        const { name } = file as ListedForCatalogue
        if (isTiffName(name)) yield { key: name, parameters: { file: file as ListedForCatalogue } }
      }
  },
  async run(task, ctx) {
    const before = await ctx.predecessor()
    if (!before.is_raster) return before
    const { container_name: container, collection_id: collectionId, datetime, datetime_pattern } = ctx.parameters
    const { file } = task.parameters
    const { etag = '', size } = await ctx.blobs.properties({ container, blob: file.name })
    const source = { container, blob: file.name, etag, size }
    const answer = await lookPool().run({ kind: 'look', source, look: { what: 'statistics' } }, ctx.signal)
    const bands = answer.kind === 'json' ? (answer.value as { bands: BandStatistics[] }).bands : []
    const options = { collectionId, mode: 'full', datetime, datetimePattern: datetime_pattern, statistics: bands } as const
    return { ...(await catalogueFile(ctx, { container, ...file }, options)), before: before.outcome }
  },
})

const refresh = defineStage({
  name: 'refresh_collection',
  ...common,
  weight: 'heavy',
  onTaskFailure: 'fail',
  timeoutMs: TWENTY_MINUTES_MS,
  result: z.object({ items: z.int(), missing: z.int(), deleted: z.int(), warning: z.string().optional() }),
  *plan() {
    yield { key: 'refresh', parameters: {} }
  },
  async run(_task, ctx) {
    const { container_name: container, prefix, collection_id: collectionId, missing } = ctx.parameters
    const names = async function* () {
      for await (const { name } of wholeListingOf(inContainer(ctx)).files()) yield name
    }
    let swept = { missing: 0, deleted: 0 }
    for await (const { result } of ctx.previous(list))
      if (missing !== 'keep')
        swept = await sweepMissing(ctx.catalogue, names(), { collectionId, container, prefix, missing, at: result.at })
    return { items: await ctx.catalogue.refreshCollection(collectionId), ...swept }
  },
})

export default defineJob({
  name: 'catalog_container',
  description: 'Describes the files of a container as STAC items: reads what is new or changed, marks what is gone.',
  parameters,
  stages: [list, describe, statistics, refresh],
  async accept(p, context) {
    if (p.datetime_pattern !== undefined) assertDatetimePattern(p.datetime_pattern)
    await acceptContainer(p, context)
  },
  async result({ parameters: p, previous, failed }) {
    const counts = { created: 0, updated: 0, unchanged: 0, gone: 0 }
    const problems: Record<string, number> = {}
    const warnings: Record<string, number> = {}
    const count = (into: Record<string, number>, code: string): void => void (into[code] = (into[code] ?? 0) + 1)
    for await (const { result } of previous(describe)) {
      counts[result.outcome]++
      if (result.problem !== undefined) count(problems, result.problem)
      for (const code of result.warnings) count(warnings, code)
    }
    for await (const { code } of failed(describe)) count(problems, code)
    for await (const { code } of failed(statistics)) count(problems, code)
    // What only gained statistics is updated, once.
    for await (const { result } of previous(statistics))
      if (result.before === 'unchanged' && result.outcome === 'updated')
        [counts.unchanged, counts.updated] = [counts.unchanged - 1, counts.updated + 1]
    let listed = 0
    for await (const { result } of previous(list)) {
      listed = result.listed
      counts.unchanged += result.unchanged
    }
    for await (const { result } of previous(refresh))
      return { collection_id: p.collection_id, listed, ...counts, problems, warnings, ...result }
    return { collection_id: p.collection_id, listed, ...counts, problems, warnings }
  },
})
