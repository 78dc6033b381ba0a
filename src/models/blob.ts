// Blob records: what the listing of a container tells, and what is derived from it.
import * as z from 'zod'

export const SizeCategory = z.enum(['tiny', 'small', 'medium', 'large', 'huge'])
export type SizeCategory = z.infer<typeof SizeCategory>

/** A fact that is not there, and why: a code of this product, or `NOT_UNDERSTOOD` for what the service answered. */
export const MissingFact = z.object({ what: z.string(), code: z.string() })
export type MissingFact = z.infer<typeof MissingFact>

export const BlobMetadata = z.object({
  name: z.string().min(1).max(1024),
  size: z.number().int().min(0).describe('bytes'),
  last_modified: z.iso.datetime({ offset: true }),
  content_type: z.string().optional(),
  etag: z.string().optional(),
  metadata: z.record(z.string(), z.string()).default({}),
  content_encoding: z.string().optional().describe('as stored, e.g. gzip: the bytes are handed on as they are'),
  content_md5: z.string().optional().describe('hex'),
  access_tier: z.string().optional(),
  archive_status: z.string().optional().describe('of a blob that is being brought back from the archive'),
  size_category: SizeCategory.describe('tiny < 1 MiB ≤ small < 10 MiB ≤ medium < 100 MiB ≤ large < 1 GiB ≤ huge'),
  extension: z.string().describe('lower case, no_extension when there is none'),
  folder_path: z.string().describe('everything before the last slash, or empty'),
  is_aggregate: z.boolean().default(false).describe('a .gdb folder counted as one item'),
  file_count: z.number().int().optional(),
  missing: z.array(MissingFact).optional().describe('facts that could not be had, with the reason'),
})
export type BlobMetadata = z.infer<typeof BlobMetadata>

/** The only way to name a blob between stages. */
export const BlobRef = z.object({
  container: z.string(),
  blob: z.string(),
  etag: z.string().optional(),
  size: z.number().int().optional(),
})
export type BlobRef = z.infer<typeof BlobRef>

export const ListFormat = z.enum(['ndjson.gz', 'csv.gz'])
export type ListFormat = z.infer<typeof ListFormat>

/** A list that is too large for a row: gzipped lines in a blob. Readers check count and sha256. */
export const ListRef = z.object({
  container: z.string(),
  blob: z.string(),
  count: z.number().int(),
  bytes: z.number().int(),
  sha256: z.string(),
  format: ListFormat,
})
export type ListRef = z.infer<typeof ListRef>

export const SkippedNames = z.object({ count: z.number().int(), sample: z.array(z.string()).max(20) })
export type SkippedNames = z.infer<typeof SkippedNames>

/** Counts by key: extension, size category or kind of file. */
export const Distribution = z.record(z.string(), z.object({ count: z.number().int(), size: z.number().int() }))
export type Distribution = z.infer<typeof Distribution>

export const MetadataLevel = z.enum(['basic', 'standard', 'full'])
export type MetadataLevel = z.infer<typeof MetadataLevel>

export const ListedFile = z.object({
  path: z.string(),
  size: z.number().int(),
  last_modified: z.string(),
  etag: z.string().optional(),
})
export type ListedFile = z.infer<typeof ListedFile>

/** What the first stage of list_container found and the second is planned from. */
export const OrchestrationData = z.object({
  total_files: z.number().int(),
  files_to_process: z.number().int(),
  files: z.array(ListedFile),
  files_ref: ListRef.optional(),
  batch_size: z.number().int(),
  estimated_duration_seconds: z.number(),
  filter_applied: z.string().optional(),
  prefix_applied: z.string().optional(),
  overflow_detected: z.boolean(),
  overflow_message: z.string().optional(),
  metadata_level: MetadataLevel,
})
export type OrchestrationData = z.infer<typeof OrchestrationData>

export const LargestFile = z.object({ name: z.string(), size_mb: z.number() })

/** Why a bounded look ended before the end: so many names, or so much time. */
export const ScanEnd = z.enum(['names', 'time'])
export type ScanEnd = z.infer<typeof ScanEnd>

/** What a bounded look at a container tells at once; `truncated` says which bound was met when there is more than was looked at. */
export const ContainerSummary = z.object({
  container_name: z.string(),
  file_count: z.number().int(),
  total_size: z.number().int(),
  largest_file_name: z.string().optional(),
  largest_file_size: z.number().int().optional(),
  size_distribution: Distribution,
  type_distribution: Distribution,
  category_distribution: Distribution,
  scan_time: z.iso.datetime(),
  prefix_filter: z.string().optional(),
  skipped_names: SkippedNames,
  truncated: z.union([z.literal(false), ScanEnd]),
  hint: z.string().optional(),
})
export type ContainerSummary = z.infer<typeof ContainerSummary>

/** Result of the job summarize_container. */
export const SummaryResult = z.object({
  container: z.string(),
  file_count: z.number().int(),
  total_size: z.number().int(),
  total_size_mb: z.number(),
  largest_file: LargestFile.nullable(),
  size_distribution: Distribution,
  type_distribution: Distribution,
  category_distribution: Distribution,
  scan_time: z.iso.datetime(),
  prefix: z.string(),
  truncated: z.boolean(),
  skipped_names: SkippedNames,
  warning: z.string().optional(),
  success: z.literal(true),
})
