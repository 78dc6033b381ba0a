// Takes the STAC documents of a container into the catalogue: valid items only, each other one with its reason; again only what changed.
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
import { CollectionId } from '../models/stac-record.ts'
import { bestFacts, type FoundFacts } from '../stac/collection-facts.ts'
import { assertCollectionKind, collectionContent } from '../stac/collection.ts'
import { type DocumentFile, documentFiles } from '../stac/document-file.ts'
import { registeredFiles, sweepFiled, unregistered } from '../stac/filed-items.ts'
import { ingestedCollectionId } from '../stac/ids.ts'
import { IngestedFile, ingestFile } from '../stac/ingest-file.ts'
import { addIngested, emptyIngestSummary } from '../stac/ingest-summary.ts'

const { aggregate_gdb: _, ...selection } = containerParams

const parameters = withContainerAlias(
  z
    .strictObject({
      ...selection,
      collection_id: CollectionId.optional().describe('default: ingested-{container}'),
      title: z.string().min(1).max(200).optional().describe('of the collection; default: what its documents say'),
      description: z.string().min(1).max(10_000).optional().describe('of the collection; default: what its documents say'),
      license: z
        .string()
        .regex(/^[\w\-.+]{1,100}$/)
        .optional()
        .describe('SPDX identifier, or other; default: what its documents say'),
      missing: z.enum(['mark', 'delete', 'keep']).default('mark').describe('items whose files are gone, or have them no more'),
      reread: z.boolean().default(false).describe('reads also what has not changed'),
      label: z
        .string()
        .regex(/^[\w.:-]{1,64}$/)
        .optional()
        .describe('tells runs over one container apart, e.g. a date; a new label is a new run'),
    })
    .transform((p) => ({ ...p, collection_id: p.collection_id ?? ingestedCollectionId(p.container_name) })),
)
type Parameters = z.output<typeof parameters>

const common = { parameters, dependsOn: ['storage'], onTaskFailure: 'continue' } as const
const TWENTY_MINUTES_MS = 1_200_000

/** Documents within a .gdb folder count one by one. */
const inContainer = (ctx: Omit<ListingContext, 'parameters'> & { readonly parameters: Parameters }): ListingContext => ({
  blobs: ctx.blobs,
  signal: ctx.signal,
  progress: ctx.progress,
  parameters: { ...ctx.parameters, aggregate_gdb: false },
})

const scopeOf = (p: Parameters) => ({ collectionId: p.collection_id, container: p.container_name, prefix: p.prefix })
const contentOf = (p: Parameters) => ({ ...collectionContent(p), kind: 'foreign' as const })

const list = defineStage({
  name: 'list_documents',
  ...common,
  weight: 'heavy',
  onTaskFailure: 'fail',
  timeoutMs: TWENTY_MINUTES_MS,
  result: z.object({ files: ListRef, listed: z.int(), unchanged_files: z.int(), skipped_names: z.int(), at: z.string() }),
  *plan() {
    yield { key: 'list', parameters: {} }
  },
  async run(_task, ctx) {
    const { collection_id, reread } = ctx.parameters
    const at = ctx.now().toISOString()
    await assertCollectionKind(ctx.catalogue, collection_id, 'foreign')
    await ctx.catalogue.putCollection(contentOf(ctx.parameters))
    const listing = listingOf(inContainer(ctx))
    let unchanged_files = 0
    const isRegistered = reread ? () => false : await registeredFiles(ctx.catalogue, scopeOf(ctx.parameters))
    const wanted = unregistered(documentFiles(listing.files()), isRegistered, () => unchanged_files++)
    const files = await writeList(ctx.blobs, `lists/${ctx.jobId}/a${ctx.attempt}/documents-${ctx.claim}`, wanted)
    return { files, listed: files.count + unchanged_files, unchanged_files, skipped_names: listing.skipped.count, at }
  },
})

const ingest = defineStage({
  name: 'ingest_documents',
  ...common,
  // A document of 10 MiB takes ten times that while it is judged.
  taskConcurrency: 2,
  timeoutMs: 600_000,
  result: IngestedFile,
  async *plan({ previous, blobs, signal }) {
    for await (const { result } of previous(list))
      for await (const file of readList(blobs, result.files, signal)) yield { key: (file as DocumentFile).name }
  },
  async run(task, ctx) {
    const { collection_id: collectionId, container_name: container } = ctx.parameters
    return ingestFile(ctx, task.key, { collectionId, container })
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
    const { missing, collection_id } = ctx.parameters
    let best: FoundFacts | undefined
    for await (const { key: file, result } of ctx.previous(ingest)) {
      const { document_type, facts } = result
      if (document_type && facts) best = bestFacts(best, { file, document_type, facts })
    }
    if (best) {
      const content = contentOf(ctx.parameters)
      await ctx.catalogue.putCollection({ ...content, content: { ...best.facts, ...content.content } })
    }
    let swept = { missing: 0, deleted: 0 }
    for await (const { result } of ctx.previous(list))
      if (missing !== 'keep') {
        const files = documentFiles(wholeListingOf(inContainer(ctx)).files())
        swept = await sweepFiled(ctx.catalogue, files, { ...scopeOf(ctx.parameters), missing, at: result.at })
      }
    return { items: await ctx.catalogue.refreshCollection(collection_id), ...swept }
  },
})

export default defineJob({
  name: 'ingest_stac',
  description: 'Takes the STAC documents of a container into the catalogue: valid items only, again only what changed.',
  parameters,
  stages: [list, ingest, refresh],
  accept: acceptContainer,
  async result({ parameters: p, previous, failed }) {
    const summary = emptyIngestSummary()
    for await (const { key, result } of previous(ingest)) addIngested(summary, key, result)
    for await (const { code } of failed(ingest)) summary.failures[code] = (summary.failures[code] ?? 0) + 1
    let listed = { listed: 0, unchanged_files: 0 }
    for await (const { result } of previous(list)) listed = { listed: result.listed, unchanged_files: result.unchanged_files }
    for await (const { result } of previous(refresh)) return { collection_id: p.collection_id, ...listed, ...summary, ...result }
    return { collection_id: p.collection_id, ...listed, ...summary }
  },
})
