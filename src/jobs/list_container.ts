// Lists a container and stores metadata of every file as a task of its own; optionally an index of all files.
import * as z from 'zod'
import { defineJob, defineStage } from '../define/define-job.ts'
import { AppError } from '../rules/errors.ts'
import { BlobMetadata, type ListedFile, ListRef, MetadataLevel, OrchestrationData, SkippedNames } from '../models/blob.ts'
import { DetectedFormat } from '../models/raster.ts'
import { detectRaster } from '../raster/detect.ts'
import { acceptContainer, containerParams, listingOf, withContainerAlias } from '../inventory/container-parameters.ts'
import { readExtras } from '../storage/extras.ts'
import { readList, writeList } from '../inventory/list-file.ts'

/** Named sizes of containers, for documents; the only limit that is enforced is `max_files`. */
export const CONTAINER_SIZE_LIMITS = { SAFE: 1000, STANDARD: 2500, MAX: 5000, HARD: 5000, DEV: 500 } as const

const parameters = withContainerAlias(
  z.strictObject({
    ...containerParams,
    max_files: z.int().min(1).max(1_000_000).default(CONTAINER_SIZE_LIMITS.MAX).describe('most files that may match'),
    overflow: z.enum(['error', 'truncate']).default('error').describe('what happens when more match'),
    metadata_level: MetadataLevel.default('standard').describe(
      'basic and standard use the listing; full also asks for tags and reads the directories of TIFFs',
    ),
    create_index: z.boolean().default(false).describe('third stage: one index of all files, as a blob'),
    index_format: z.enum(['ndjson', 'csv']).default('ndjson').describe('how the index blob is written; gzip in both cases'),
  }),
)

const BATCH_SIZE = 100
/** Without history; with it, the recent rate of the second stage. */
const SECONDS_PER_FILE = 0.5
/** Lists up to this many bytes stay in the row. */
const MAX_INLINE_BYTES = 48_000
const SAMPLE_FILES = 20

const analyze = defineStage({
  name: 'analyze_and_orchestrate',
  dependsOn: ['storage'],
  weight: 'heavy',
  parameters,
  timeoutMs: 1_200_000,
  result: z.object({
    orchestration: OrchestrationData,
    ready_for_stage_2: z.boolean(),
    skipped_names: z.number().int(),
    skipped: SkippedNames.optional(),
  }),
  *plan() {
    yield { key: 'orchestrator', parameters: {} }
  },
  async run(_task, ctx) {
    const { container_name, prefix, filter, max_files, overflow, metadata_level } = ctx.parameters
    const listing = listingOf(ctx)
    const seen = new Seen(container_name, max_files, overflow)
    const files_ref = await writeList(
      ctx.blobs,
      `lists/${ctx.jobId}/a${ctx.attempt}/files-${ctx.claim}`,
      seen.keep(listing.files()),
    )
    const { total } = seen
    const rate = await ctx.recentRate('extract_metadata')
    return {
      orchestration: {
        total_files: total,
        files_to_process: files_ref.count,
        files: seen.sample(),
        files_ref,
        batch_size: BATCH_SIZE,
        estimated_duration_seconds: Math.round(files_ref.count * (rate ? 1 / rate : SECONDS_PER_FILE) * 100) / 100,
        ...(filter ? { filter_applied: filter } : {}),
        ...(prefix ? { prefix_applied: prefix } : {}),
        overflow_detected: total > files_ref.count,
        ...(total > files_ref.count ? { overflow_message: `Showing first ${files_ref.count} of ${total} files` } : {}),
        metadata_level,
      },
      ready_for_stage_2: files_ref.count > 0,
      skipped_names: listing.skipped.count,
      skipped: listing.skipped,
    }
  },
})

/** What passes through a listing: counted, cut at the limit, the first files kept for the row. Memory stays bounded. */
class Seen {
  total = 0
  readonly #container: string
  readonly #most: number
  readonly #overflow: 'error' | 'truncate'
  readonly #first: ListedFile[] = []
  #bytes = 0

  constructor(container: string, most: number, overflow: 'error' | 'truncate') {
    this.#container = container
    this.#most = most
    this.#overflow = overflow
  }

  /** The files up to the limit. @throws AppError `CONTAINER_TOO_LARGE` at the first one beyond, unless they are to be cut */
  async *keep(files: AsyncIterable<BlobMetadata>): AsyncGenerator<BlobMetadata> {
    for await (const file of files) {
      if (++this.total > this.#most) {
        if (this.#overflow === 'error') throw tooLarge(this.#container, this.#most)
        continue
      }
      if (this.#bytes <= MAX_INLINE_BYTES) {
        const shown = toListed(file)
        this.#first.push(shown)
        this.#bytes += Buffer.byteLength(JSON.stringify(shown)) + 1
      }
      yield file
    }
  }

  /** All of them where they are small, else the first ones. */
  sample(): ListedFile[] {
    return this.#bytes <= MAX_INLINE_BYTES ? this.#first : this.#first.slice(0, SAMPLE_FILES)
  }
}

const toListed = ({ name, size, last_modified, etag }: BlobMetadata): ListedFile => ({
  path: name,
  size,
  last_modified,
  ...(etag ? { etag } : {}),
})

function tooLarge(container: string, max: number): AppError {
  return new AppError(
    'CONTAINER_TOO_LARGE',
    `Container '${container}' has more than ${max} matching files (max_files: ${max}). Narrow it with prefix or filter, raise max_files (up to 1000000), allow overflow=truncate, or run inventory_container.`,
  )
}

const extract = defineStage({
  name: 'extract_metadata',
  dependsOn: ['storage'],
  parameters,
  onTaskFailure: 'continue',
  result: BlobMetadata.extend({
    extraction_level: MetadataLevel,
    tags: z.record(z.string(), z.string()).optional(),
    detected_format: DetectedFormat.nullable().optional(),
    not_read: z.literal('archived').optional().describe('why no byte of it was read'),
    success: z.literal(true),
  }),
  async *plan({ parameters, previous, blobs, signal }) {
    for await (const { result } of previous(analyze)) {
      const { files_ref } = result.orchestration
      if (!files_ref) continue
      for await (const file of readList(blobs, files_ref, signal)) {
        const listed = BlobMetadata.parse(file)
        yield { key: keyOf(listed, parameters.aggregate_gdb), parameters: { file: listed }, source: 'orchestrator' }
      }
    }
  },
  async run(task, ctx) {
    const listed = task.parameters.file
    const level = ctx.parameters.metadata_level
    if (level !== 'full' || listed.is_aggregate) return { ...listed, extraction_level: level, success: true as const }
    const ref = { container: ctx.parameters.container_name, blob: listed.name }
    const { properties, tags, found, missing } = await readExtras(ctx.blobs, ref, (blob) => detectRaster(ctx.blobs, blob))
    return {
      ...properties,
      extraction_level: level,
      ...(tags ? { tags } : {}),
      ...(found === undefined ? {} : { detected_format: found }),
      ...(properties.access_tier?.toLowerCase() === 'archive' ? { not_read: 'archived' as const } : {}),
      ...(missing.length > 0 ? { missing: [...missing] } : {}),
      success: true as const,
    }
  },
})

/**
 * A geodatabase has the path of its folder, and a blob may have that very name. Where folders are folded no blob's name can end in
 * `.gdb/`, so such a blob takes the slash: two names never become one key.
 */
const keyOf = ({ name, is_aggregate }: Pick<BlobMetadata, 'name' | 'is_aggregate'>, folded: boolean): string =>
  folded && !is_aggregate && /\.gdb$/i.test(name) ? `${name}/` : name

const index = defineStage({
  name: 'create_file_index',
  dependsOn: ['storage'],
  weight: 'heavy',
  parameters,
  result: z.object({
    container: z.string(),
    job_id: z.string(),
    task_count: z.number().int(),
    index_created: z.boolean(),
    file_index: z.record(z.string(), z.object({ size: z.number(), type: z.string(), modified: z.string() })).optional(),
    file_index_ref: ListRef.optional(),
    success: z.literal(true),
  }),
  async *plan({ parameters, previous }) {
    if (!parameters.create_index) return
    // One result is enough to know that there is something to index.
    for await (const _ of previous(extract)) {
      yield { key: 'index', parameters: {} }
      return
    }
  },
  async run(_task, ctx) {
    const file_index = new Map<string, { size: number; type: string; modified: string }>()
    let bytes = 0
    const entries = async function* (): AsyncGenerator<IndexEntry> {
      for await (const { result } of ctx.previous(extract)) {
        const { name, size, extension: type, last_modified: modified } = result
        if (bytes <= MAX_INLINE_BYTES) {
          file_index.set(keyOf(result, ctx.parameters.aggregate_gdb), { size, type, modified })
          bytes += Buffer.byteLength(JSON.stringify({ name, size, type, modified }))
        }
        yield { name, size, type, modified }
      }
    }
    const path = `lists/${ctx.jobId}/a${ctx.attempt}/index-${ctx.claim}`
    const csv = {
      format: 'csv.gz',
      head: csvLine(INDEX_COLUMNS),
      line: (e: IndexEntry) => csvLine(INDEX_COLUMNS.map((c) => e[c])),
    } as const
    const file_index_ref = await writeList(ctx.blobs, path, entries(), ctx.parameters.index_format === 'csv' ? csv : {})
    return {
      container: ctx.parameters.container_name,
      job_id: ctx.jobId,
      task_count: file_index_ref.count,
      index_created: true,
      ...(bytes <= MAX_INLINE_BYTES ? { file_index: Object.fromEntries(file_index) } : {}),
      file_index_ref,
      success: true as const,
    }
  },
})

const INDEX_COLUMNS = ['name', 'size', 'type', 'modified'] as const
type IndexEntry = Record<'name' | 'type' | 'modified', string> & { readonly size: number }

/** RFC 4180: quoted where it must be, quotes doubled. */
const csvLine = (cells: readonly (string | number)[]): string =>
  cells.map((c) => (/[",\r\n]/.test(String(c)) ? `"${String(c).replaceAll('"', '""')}"` : String(c))).join(',')

export default defineJob({
  name: 'list_container',
  description: 'Lists a container, one task per file with its metadata; optionally one index of all files.',
  parameters,
  stages: [analyze, extract, index],
  accept: acceptContainer,
  async result({ stages, previous, secondsRunning }) {
    let orchestration: z.infer<typeof OrchestrationData> | undefined
    let skipped: SkippedNames | undefined
    for await (const { result } of previous(analyze)) {
      orchestration = result.orchestration
      skipped = result.skipped
    }
    let indexed: object = {}
    for await (const { result } of previous(index))
      indexed = { ...(result.file_index ? { file_index: result.file_index } : {}), file_index_ref: result.file_index_ref }
    const extracted = stages.find((s) => s.name === 'extract_metadata')
    return {
      stage: 'extract_metadata',
      total_files: orchestration?.total_files ?? 0,
      files_to_process: orchestration?.files_to_process ?? 0,
      successful: extracted?.completed ?? 0,
      failed: extracted?.failed ?? 0,
      overflow_detected: orchestration?.overflow_detected ?? false,
      ...(orchestration?.overflow_message ? { overflow_message: orchestration.overflow_message } : {}),
      ...(orchestration && orchestration.total_files === 0 ? { warning: 'no files matched' } : {}),
      ...(skipped ? { skipped_names: skipped } : {}),
      ...indexed,
      execution_time_seconds: secondsRunning,
    }
  },
})
