// Inventory of a container of any size: split by folders, listed side by side, kept as parts in blobs, put together as one record.
import * as z from 'zod'
import { defineJob, defineStage } from '../define/define-job.ts'
import { ContainerInventory, NameRange, RangeResult } from '../models/inventory.ts'
import { acceptContainer, containerParams, listingOf, withContainerAlias } from '../inventory/container-parameters.ts'
import { findDuplicates } from '../inventory/duplicates.ts'
import { keepInventory, readParts } from '../inventory/inventory-file.ts'
import { writeList } from '../inventory/list-file.ts'
import { planRanges } from '../inventory/plan-ranges.ts'
import { mergeStatistics, RangeStatistics } from '../inventory/statistics.ts'

const TWENTY_MINUTES_MS = 1_200_000

const parameters = withContainerAlias(
  z.strictObject({
    ...containerParams,
    level: z.enum(['basic', 'full']).default('basic').describe('full also finds duplicates by MD5 and size'),
    label: z
      .string()
      .regex(/^[\w.:-]{1,64}$/)
      .optional()
      .describe('tells inventories of one container apart, e.g. a date; a new label is a new inventory'),
  }),
)

const plan = defineStage({
  name: 'plan_ranges',
  dependsOn: ['storage'],
  weight: 'heavy',
  parameters,
  timeoutMs: TWENTY_MINUTES_MS,
  result: z.object({ ranges: z.array(NameRange).min(1) }),
  *plan() {
    yield { key: 'ranges', parameters: {} }
  },
  async run(_task, ctx) {
    const { container_name: container, prefix, aggregate_gdb: wholeGdb } = ctx.parameters
    return { ranges: await planRanges(ctx.blobs, { container, prefix, wholeGdb, signal: ctx.signal }) }
  },
})

const partName = (number: number): string => `part-${String(number).padStart(5, '0')}`

const listRange = defineStage({
  name: 'list_range',
  dependsOn: ['storage'],
  weight: 'heavy',
  maxParallel: 8,
  parameters,
  timeoutMs: TWENTY_MINUTES_MS,
  result: RangeResult,
  async *plan({ previous }) {
    for await (const { result } of previous(plan)) {
      for (const [i, range] of result.ranges.entries()) yield { key: partName(i + 1), parameters: { range }, source: 'ranges' }
    }
  },
  async run(task, ctx) {
    const { range } = task.parameters
    const listing = listingOf(ctx, range)
    const statistics = new RangeStatistics(ctx.parameters.prefix)
    const files = async function* () {
      for await (const file of listing.files()) {
        statistics.add(file)
        yield file
      }
    }
    // The claim in the name: a worker that lost its lease never replaces the part that its successor wrote.
    const path = `inventory/${ctx.jobId}/a${ctx.attempt}/${task.key}.c${ctx.claim}`
    const part = await writeList(ctx.blobs, path, files())
    return { range, part, ...statistics.result(listing.skipped) }
  },
})

const merge = defineStage({
  name: 'merge_inventory',
  dependsOn: ['storage'],
  weight: 'heavy',
  parameters,
  timeoutMs: TWENTY_MINUTES_MS,
  result: ContainerInventory,
  *plan() {
    yield { key: 'inventory', parameters: {}, source: partName(1) }
  },
  async run(_task, ctx) {
    const ranges: RangeResult[] = []
    for await (const { result } of ctx.previous(listRange)) ranges.push(result)
    const { container_name, prefix, filter, level } = ctx.parameters
    const parts = ranges.map((r) => r.part)
    const statistics = mergeStatistics(ranges)
    const inventory: ContainerInventory = {
      container_name,
      ...statistics,
      ...(prefix ? { prefix_filter: prefix } : {}),
      ...(filter ? { filter_applied: filter } : {}),
      level,
      blobs_ref: { parts, count: statistics.blob_count, bytes: parts.reduce((sum, p) => sum + p.bytes, 0) },
      truncated: false,
      inventory_time: ctx.now().toISOString(),
      ...(level === 'full' ? { duplicates: await findDuplicates(() => readParts(ctx.blobs, parts, ctx.signal)) } : {}),
      ...(statistics.blob_count === 0 ? { warning: 'no files matched' } : {}),
      success: true,
    }
    await keepInventory(ctx.blobs, { job_id: ctx.jobId, attempt: ctx.attempt }, inventory)
    return inventory
  },
})

export default defineJob({
  name: 'inventory_container',
  description: 'Lists a container of any size into parts, with statistics; full also finds duplicates.',
  parameters,
  stages: [plan, listRange, merge],
  accept: acceptContainer,
  async result({ previous }) {
    for await (const { result } of previous(merge)) return result
    return null
  },
})
