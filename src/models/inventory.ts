// Inventories: how a container is split for listing, what each part found, what all of them are together, and what changed between two.
import * as z from 'zod'
import { Distribution, ListRef, SkippedNames } from './blob.ts'
import { JobId } from './names.ts'

/**
 * Names that one listing covers. Ranges of a plan cover the prefix without gap or overlap.
 * `from` is inclusive, `until` exclusive; both are folders (they end in a slash), so neither cuts a folder in two.
 */
export const NameRange = z.object({
  prefix: z.string(),
  from: z.string().optional(),
  until: z.string().optional(),
  one_level: z.boolean().default(false).describe('only blobs directly at the prefix, not in its folders'),
})
export type NameRange = z.infer<typeof NameRange>

const NamedSize = z.object({ name: z.string(), size: z.number().int() })
const NamedTime = z.object({ name: z.string(), last_modified: z.string() })
export const PrefixSize = z.object({ prefix: z.string(), count: z.number().int(), size: z.number().int() })
export type PrefixSize = z.infer<typeof PrefixSize>

/** What is known of some blobs without their names: of a range, or of all. */
export const BlobStatistics = z.object({
  blob_count: z.number().int(),
  total_size: z.number().int(),
  largest: NamedSize.nullable(),
  oldest: NamedTime.nullable(),
  newest: NamedTime.nullable(),
  size_distribution: Distribution,
  type_distribution: Distribution,
  category_distribution: Distribution,
  by_prefix: z.array(PrefixSize).describe('folders right below the prefix, most bytes first; 100 at most'),
  skipped_names: SkippedNames,
})
export type BlobStatistics = z.infer<typeof BlobStatistics>

export const RangeResult = BlobStatistics.extend({ range: NameRange, part: ListRef })
export type RangeResult = z.infer<typeof RangeResult>

export const DuplicateGroup = z.object({
  content_md5: z.string(),
  size: z.number().int(),
  count: z.number().int(),
  wasted_bytes: z.number().int(),
  names: z.array(z.string()).describe('10 at most'),
})
export type DuplicateGroup = z.infer<typeof DuplicateGroup>

export const Duplicates = z.object({
  groups: z.number().int(),
  wasted_bytes: z.number().int(),
  without_md5: z.number().int().describe('blobs that cannot be compared: the service has no MD5 of them'),
  largest: z.array(DuplicateGroup).max(20).describe('most wasted bytes first'),
})
export type Duplicates = z.infer<typeof Duplicates>

export const ContainerInventory = BlobStatistics.extend({
  container_name: z.string(),
  prefix_filter: z.string().optional(),
  filter_applied: z.string().optional(),
  level: z.enum(['basic', 'full']),
  blobs_ref: z.object({ parts: z.array(ListRef), count: z.number().int(), bytes: z.number().int() }),
  truncated: z.literal(false),
  inventory_time: z.iso.datetime(),
  duplicates: Duplicates.optional(),
  warning: z.string().optional(),
  success: z.literal(true),
})
export type ContainerInventory = z.infer<typeof ContainerInventory>

/** Names one inventory: attempts of a job are inventories of their own. */
export const InventoryId = z.strictObject({ job_id: JobId, attempt: z.int().min(1).max(1_000_000).default(1) })
export type InventoryId = z.infer<typeof InventoryId>

export const InventoryChange = z.object({
  change: z.enum(['added', 'changed', 'removed']),
  name: z.string(),
  size: z.number().int(),
  last_modified: z.string(),
  etag: z.string().optional(),
  size_before: z.number().int().optional(),
})
export type InventoryChange = z.infer<typeof InventoryChange>

const Change = z.object({ count: z.int(), bytes: z.int() })
/** What changed below one name. */
export const GrowthRow = z.object({
  name: z.string().nullable().describe('an extension or a folder; null: all others'),
  added: Change,
  changed: Change.extend({ bytes: z.int().describe('by which they grew; below zero: shrank') }),
  removed: Change,
})
export type GrowthRow = z.infer<typeof GrowthRow>

export const InventoryChanges = z.object({
  before: InventoryId.extend({ inventory_time: z.string(), blob_count: z.number().int() }),
  after: InventoryId.extend({ inventory_time: z.string(), blob_count: z.number().int() }),
  container_name: z.string(),
  added: z.number().int(),
  changed: z.number().int(),
  removed: z.number().int(),
  unchanged: z.number().int(),
  bytes_added: z.number().int().describe('sizes of added blobs, and growth of changed ones'),
  bytes_removed: z.number().int().describe('sizes of removed blobs, and shrinkage of changed ones'),
  by_extension: z.array(GrowthRow).optional().describe('most bytes first, 50 and the others; results of older releases lack it'),
  by_prefix: z.array(GrowthRow).optional().describe('as by_extension, for the folders right below the prefix'),
  changes_ref: ListRef,
  sample: z.array(InventoryChange).max(20),
  warning: z.string().optional(),
  success: z.literal(true),
})
export type InventoryChanges = z.infer<typeof InventoryChanges>
