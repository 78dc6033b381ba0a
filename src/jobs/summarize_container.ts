// What is in a container: counts, bytes, kinds and the largest file, in one pass and bounded memory.
import * as z from 'zod'
import { defineJob, defineStage } from '../define/define-job.ts'
import { SummaryResult } from '../models/blob.ts'
import { toMib } from '../storage/blob-metadata.ts'
import { acceptContainer, containerParams, listingOf, withContainerAlias } from '../inventory/container-parameters.ts'
import { Tally } from '../inventory/distributions.ts'

const parameters = withContainerAlias(
  z.strictObject({
    ...containerParams,
    max_files: z
      .int()
      .min(1)
      .max(100_000_000)
      .optional()
      .describe('stop after this many matching files; default: the whole container'),
  }),
)

const summarize = defineStage({
  name: 'summarize_container',
  dependsOn: ['storage'],
  weight: 'heavy',
  parameters,
  result: SummaryResult,
  timeoutMs: 1_200_000,
  *plan() {
    yield { key: 'summary', parameters: {} }
  },
  async run(_task, ctx) {
    const { container_name, prefix, max_files } = ctx.parameters
    const listing = listingOf(ctx)
    const tally = new Tally()
    let truncated = false
    for await (const file of listing.files()) {
      truncated = max_files !== undefined && tally.count >= max_files
      if (truncated) break
      tally.add(file)
    }
    return {
      container: container_name,
      file_count: tally.count,
      total_size: tally.size,
      total_size_mb: toMib(tally.size),
      largest_file: tally.largest ? { name: tally.largest.name, size_mb: toMib(tally.largest.size) } : null,
      ...tally.result(),
      scan_time: ctx.now().toISOString(),
      prefix,
      truncated,
      skipped_names: listing.skipped,
      ...(tally.count === 0 ? { warning: 'no files matched' } : {}),
      success: true as const,
    }
  },
})

export default defineJob({
  name: 'summarize_container',
  description: 'Counts the files of a container by size, extension and kind.',
  parameters,
  stages: [summarize],
  accept: acceptContainer,
  async result({ previous }) {
    for await (const { result } of previous(summarize)) return result
    return null
  },
})
