// What changed in a container between two inventories: added, changed by ETag, removed.
import * as z from 'zod'
import { defineJob, defineStage } from '../define/define-job.ts'
import { type ContainerInventory, type InventoryChange, InventoryChanges, InventoryId } from '../models/inventory.ts'
import { changesBetween } from '../inventory/compare-inventories.ts'
import { Growth } from '../inventory/growth.ts'
import { loadInventory, readParts } from '../inventory/inventory-file.ts'
import { writeList } from '../inventory/list-file.ts'

const SAMPLE = 20

const parameters = z.strictObject({
  before: InventoryId.describe('the earlier inventory: job id of inventory_container, and its attempt'),
  after: InventoryId.describe('the later one'),
})

const compare = defineStage({
  name: 'compare_inventories',
  dependsOn: ['storage'],
  weight: 'heavy',
  parameters,
  timeoutMs: 1_200_000,
  result: InventoryChanges,
  *plan() {
    yield { key: 'changes', parameters: {} }
  },
  async run(_task, ctx) {
    const { before, after } = ctx.parameters
    const [earlier, later] = [await loadInventory(ctx.blobs, before), await loadInventory(ctx.blobs, after)]
    const blobsOf = (inventory: ContainerInventory) => readParts(ctx.blobs, inventory.blobs_ref.parts, ctx.signal)
    const found = { added: 0, changed: 0, removed: 0 }
    const counts = { unchanged: 0, bytes_added: 0, bytes_removed: 0 }
    const growth = new Growth(later.prefix_filter ?? '')
    const sample: InventoryChange[] = []
    const changes = async function* () {
      for await (const change of changesBetween(
        () => blobsOf(earlier),
        () => blobsOf(later),
        counts,
      )) {
        found[change.change]++
        growth.add(change)
        if (sample.length < SAMPLE) sample.push(change)
        yield change
      }
    }
    const path = `lists/${ctx.jobId}/a${ctx.attempt}/changes-${ctx.claim}`
    const changes_ref = await writeList(ctx.blobs, path, changes())
    const warning = differenceOf(earlier, later)
    return {
      before: { ...before, inventory_time: earlier.inventory_time, blob_count: earlier.blob_count },
      after: { ...after, inventory_time: later.inventory_time, blob_count: later.blob_count },
      container_name: later.container_name,
      ...found,
      ...counts,
      ...growth.result(),
      changes_ref,
      sample,
      ...(warning ? { warning } : {}),
      success: true as const,
    }
  },
})

/** Inventories of different names can be compared; the answer says that they are. */
function differenceOf(a: ContainerInventory, b: ContainerInventory): string | undefined {
  const keys = ['container_name', 'prefix_filter', 'filter_applied'] as const
  const differing = keys.filter((key) => a[key] !== b[key])
  if (differing.length === 0) return undefined
  return `The inventories differ in ${differing.join(', ')}: what one of them never looked at counts as added or removed.`
}

export default defineJob({
  name: 'compare_inventories',
  description: 'Compares two inventories of a container: blobs added, changed by ETag, removed; by extension and folder.',
  parameters,
  stages: [compare],
  async accept({ before, after }, { blobs }) {
    await loadInventory(blobs, before)
    await loadInventory(blobs, after)
  },
  async result({ previous }) {
    for await (const { result } of previous(compare)) return result
    return null
  },
})
