// A published output in the catalogue: its item, that of its source, and their collections, handed to the transaction that turns the name.
import * as z from 'zod'
import type { BlobStore } from '../models/blob-store.ts'
import type { BlobRef } from '../models/blob.ts'
import type { OutputRecords } from '../models/raster-output.ts'
import type { CatalogueRecords, NewCollection, NewItem } from '../models/stac-record.ts'
import { describeRaster } from '../raster/describe.ts'
import { detectRaster } from '../raster/detect.ts'
import { blobSource } from '../raster/range-source.ts'
import { AppError } from '../rules/errors.ts'
import type { BandStatistics } from '../models/raster-output.ts'
import { assertItem } from './check-item.ts'
import { assertCollectionKind } from './collection.ts'
import { collectionIdOf, itemIdOf } from './ids.ts'
import { bronzeItem, type CataloguedFile, type SilverFacts, silverItem } from './item.ts'

/** What was recorded of an output before its first block (raster_outputs.provenance). */
const Provenance = z.object({
  source: z.object({ container: z.string(), blob: z.string(), etag: z.string() }),
  conversion: z.object({ output_tier: z.string() }),
  output: z.object({ compression: z.string() }),
  overview_resampling: z.string(),
})

interface StepContext {
  readonly jobId: string
  readonly attempt: number
  readonly blobs: Blobs
  readonly outputs: OutputRecords
  readonly catalogue: CatalogueRecords
  readonly now: () => Date
}

export interface OutputPlace {
  readonly container: string
  readonly blob: string
  readonly targetName: string
  readonly plan: number
  /** Of the output; default: `silver-{container}`. */
  readonly collectionId?: string | undefined
  /** When it was taken; default: what its source says. */
  readonly datetime?: string | undefined
}

/** Of the committed file. */
export interface CommittedFile {
  readonly etag: string
  readonly bytes: number
  readonly statistics: readonly BandStatistics[]
}

type Blobs = Pick<BlobStore, 'readRange' | 'properties'>

/**
 * What the catalogue learns when the name turns. The output was taken when its source was: as the catalogue knows it, or as the file says.
 * @throws AppError `STAC_INVALID`, and what storage answers
 */
export async function registrationOf(
  ctx: StepContext,
  place: OutputPlace,
  file: CommittedFile,
): Promise<{ collections: NewCollection[]; items: NewItem[] }> {
  const provenance = Provenance.parse(await ctx.outputs.provenance(place.container, place.blob))
  const { source } = provenance
  const bronze = collectionIdOf('bronze', source.container)
  const silver = place.collectionId ?? collectionIdOf('silver', place.container)
  const came = await sourceItem(ctx, source, bronze, place)
  const itemId = itemIdOf(source.container, source.blob)
  const taken = place.datetime ?? (await ctx.catalogue.timeOf(bronze, itemId)) ?? timeOf(came)
  const facts = {
    targetName: place.targetName,
    source: { collectionId: bronze, itemId, ...source },
    outputTier: provenance.conversion.output_tier,
    compression: provenance.output.compression,
    overviewResampling: provenance.overview_resampling,
  }
  const made = await outputItem(ctx, place, file, { facts, silver, taken })
  const items = came ? [came, made] : [made]
  for (const item of items) assertItem(item, ctx.now())
  await assertCollectionKind(ctx.catalogue, silver, 'silver')
  const known = came ? [collection(bronze, 'bronze', source.container)] : []
  return { collections: [...known, collection(silver, 'silver', place.container)], items }
}

interface OutputFacts {
  readonly facts: SilverFacts
  /** Collection of the output. */
  readonly silver: string
  readonly taken: string | undefined
}

async function outputItem(
  ctx: StepContext,
  { container, blob, plan }: OutputPlace,
  { etag, bytes, statistics }: CommittedFile,
  { facts, silver, taken }: OutputFacts,
): Promise<NewItem> {
  const info = await describeRaster(blobSource(ctx.blobs, { container, blob, etag, size: bytes }))
  const listed = { container, name: blob, size: bytes, etag, last_modified: ctx.now().toISOString() }
  const options = { collectionId: silver, mode: 'full', jobId: ctx.jobId, plan, datetime: taken, statistics } as const
  return (await silverItem(listed, info, facts, options)).item
}

const collection = (collection_id: string, kind: 'bronze' | 'silver', container: string): NewCollection => ({
  collection_id,
  kind,
  container,
  prefix: '',
  content: {},
})

const timeOf = (item: NewItem | undefined): string | undefined =>
  item && (item.start_at === item.end_at ? item.sort_at : `${item.start_at}/${item.end_at}`)

/** Of the version that is there now; undefined: it is gone. */
async function sourceItem(
  { blobs, jobId, attempt: plan }: StepContext,
  { container, blob }: BlobRef,
  collectionId: string,
  { datetime }: OutputPlace,
): Promise<NewItem | undefined> {
  try {
    const { size, etag = '', last_modified, content_type, content_md5 } = await blobs.properties({ container, blob })
    const found = await detectRaster(blobs, { container, blob, etag, size })
    const file: CataloguedFile = { container, name: blob, size, etag, last_modified, content_type, content_md5 }
    return (await bronzeItem(file, found, { collectionId, mode: 'header', jobId, plan, datetime })).item
  } catch (error) {
    if (
      error instanceof AppError &&
      (error.code === 'BLOB_NOT_FOUND' || error.code === 'BLOB_CHANGED' || error.code === 'SOURCE_CHANGED')
    )
      return undefined
    throw error
  }
}
