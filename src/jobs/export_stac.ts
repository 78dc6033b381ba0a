// Writes collections of the catalogue as files: a static, self-contained STAC catalogue that any web server or disk can hold.
import * as z from 'zod'
import { defineJob, defineStage } from '../define/define-job.ts'
import { readList, writeList } from '../inventory/list-file.ts'
import { ListRef } from '../models/blob.ts'
import { CollectionId, type ItemRange } from '../models/stac-record.ts'
import { targetContainer } from '../raster/conversion-steps.ts'
import { AppError } from '../rules/errors.ts'
import { rangesOf, writeCatalogue, writeItems } from '../stac/export-steps.ts'
import { BlobPrefix, ContainerName } from '../storage/names.ts'

const parameters = z.strictObject({
  collections: z.array(CollectionId).min(1).max(1000).optional().describe('ids; default: all'),
  target_container: ContainerName.optional().describe('silver or gold; default: silver'),
  target_prefix: BlobPrefix.pipe(z.string().max(400))
    .default('stac/')
    .transform((prefix) => (prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`))
    .describe('folder of catalog.json; what lies there under the same names is replaced'),
  label: z
    .string()
    .regex(/^[\w.:-]{1,64}$/)
    .optional()
    .describe('tells runs apart, e.g. a date; a new label is a new run'),
})

const common = { parameters, dependsOn: ['storage'], onTaskFailure: 'continue' } as const
const TWENTY_MINUTES_MS = 1_200_000

const list = defineStage({
  name: 'list_items',
  ...common,
  weight: 'heavy',
  onTaskFailure: 'fail',
  timeoutMs: TWENTY_MINUTES_MS,
  result: z.object({ container: z.string(), collections: z.array(z.string()), ranges: ListRef }),
  *plan() {
    yield { key: 'list', parameters: {} }
  },
  async run(_task, ctx) {
    const { collections: wanted, target_container } = ctx.parameters
    const container = await targetContainer(ctx.blobs, target_container)
    const collections = (await ctx.catalogue.collections(wanted)).map((c) => c.collection_id)
    const unknown = wanted?.find((id) => !collections.includes(id))
    if (unknown !== undefined) throw new AppError('COLLECTION_NOT_FOUND', `There is no collection ${unknown}.`)
    const path = `lists/${ctx.jobId}/a${ctx.attempt}/ranges-${ctx.claim}`
    return { container, collections, ranges: await writeList(ctx.blobs, path, rangesOf(ctx.catalogue, collections)) }
  },
})

type Range = ItemRange & { readonly collection: string }

const items = defineStage({
  name: 'write_items',
  ...common,
  result: z.object({ collection: z.string(), stems: z.array(z.string()), warnings: z.record(z.string(), z.int()) }),
  async *plan({ previous, blobs, signal }) {
    for await (const { result } of previous(list)) {
      let number = 0
      for await (const range of readList(blobs, result.ranges, signal))
        yield { key: `${(range as Range).collection}/${++number}`, parameters: { range: range as Range } }
    }
  },
  async run(task, ctx) {
    const { range } = task.parameters
    for await (const { result } of ctx.previous(list)) {
      const place = {
        container: result.container,
        prefix: ctx.parameters.target_prefix,
        collections: new Set(result.collections),
      }
      return { collection: range.collection, ...(await writeItems(ctx, range, place)) }
    }
    throw new AppError('PREDECESSOR_MISSING', 'The list of items is not there.')
  },
})

const catalog = defineStage({
  name: 'write_catalog',
  ...common,
  weight: 'heavy',
  onTaskFailure: 'fail',
  timeoutMs: TWENTY_MINUTES_MS,
  result: z.object({
    container: z.string(),
    catalog: z.string(),
    collections: z.int(),
    items: z.int(),
    warnings: z.record(z.string(), z.int()),
  }),
  *plan() {
    yield { key: 'catalog', parameters: {} }
  },
  async run(_task, ctx) {
    const stems = new Map<string, string[]>()
    const warnings: Record<string, number> = {}
    let count = 0
    for await (const { result } of ctx.previous(items)) {
      const known = stems.get(result.collection) ?? []
      for (const stem of result.stems) known.push(stem)
      stems.set(result.collection, known)
      count += result.stems.length
      for (const [code, n] of Object.entries(result.warnings)) warnings[code] = (warnings[code] ?? 0) + n
    }
    const prefix = ctx.parameters.target_prefix
    for await (const { result } of ctx.previous(list)) {
      const { container } = result
      const written = await writeCatalogue(ctx, stems, { container, prefix, collections: new Set(result.collections) })
      return { container, catalog: `${prefix}catalog.json`, collections: written.length, items: count, warnings }
    }
    throw new AppError('PREDECESSOR_MISSING', 'The list of items is not there.')
  },
})

export default defineJob({
  name: 'export_stac',
  description: 'Writes collections of the catalogue as a static, self-contained STAC catalogue of files.',
  parameters,
  stages: [list, items, catalog],
  async accept(p, { blobs }) {
    await targetContainer(blobs, p.target_container)
  },
  async result({ previous, failed }) {
    const failures: Record<string, number> = {}
    for await (const { code } of failed(items)) failures[code] = (failures[code] ?? 0) + 1
    for await (const { result } of previous(catalog)) return { ...result, failures }
    return { failures }
  },
})
