// Listing a container, flat or one level: pages as the service gives them, markers and refused names sorted out.
import type { BlobItem, ContainerClient } from '@azure/storage-blob'
import type { BlobPage, FolderPage, ListOptions } from '../models/blob-store.ts'
import type { BlobMetadata, SkippedNames } from '../models/blob.ts'
import { toStorageError } from './blob-errors.ts'
import { describeBlob } from './blob-metadata.ts'
import { blobNameProblem } from './names.ts'

/** The service's maximum, and the cheapest: an emulator page costs about 0.24 s whatever its size. */
const MAX_PAGE = 5000
const NAMED = 20

export async function* listPages(
  open: () => Promise<ContainerClient>,
  name: string,
  options: ListOptions,
): AsyncGenerator<BlobPage> {
  const { prefix, startFrom, signal, maxPageSize = MAX_PAGE } = options
  try {
    const flat = (await open()).listBlobsFlat({
      includeMetadata: true,
      ...(prefix ? { prefix } : {}),
      ...(startFrom ? { startFrom } : {}),
      ...(signal ? { abortSignal: signal } : {}),
    })
    for await (const page of flat.byPage({ maxPageSize })) yield sortOut(page.segment.blobItems)
  } catch (error) {
    throw toStorageError(error, `container ${name}`)
  }
}

/** One page of one level. */
export async function folderPage(
  client: ContainerClient,
  { prefix, pageSize, next }: { prefix: string; pageSize: number; next?: string | undefined },
): Promise<FolderPage> {
  const level = client.listBlobsByHierarchy('/', { includeMetadata: true, ...(prefix ? { prefix } : {}) })
  const pages = level.byPage({ maxPageSize: pageSize, ...(next ? { continuationToken: next } : {}) })
  for await (const page of pages) {
    const folders = (page.segment.blobPrefixes ?? []).map((p) => p.name)
    return { folders, ...sortOut(page.segment.blobItems), next: page.continuationToken || undefined }
  }
  return { folders: [], blobs: [], skipped: [], next: undefined }
}

/** By the service's index of tags, which lags behind writes. */
export async function* findByTags(
  open: () => Promise<ContainerClient>,
  name: string,
  query: string,
): AsyncGenerator<{ name: string; tags: Readonly<Record<string, string>> }> {
  try {
    for await (const found of (await open()).findBlobsByTags(query)) yield { name: found.name, tags: found.tags ?? {} }
  } catch (error) {
    throw toStorageError(error, `container ${name}`)
  }
}

/** Zero-byte folder markers are not files; names that others stored against the rules are counted, never opened. */
function sortOut(items: readonly BlobItem[]): BlobPage {
  const blobs: BlobMetadata[] = []
  const skipped: string[] = []
  for (const { name, properties, metadata } of items) {
    if (name.endsWith('/') || metadata?.['hdi_isfolder'] === 'true') continue
    if (blobNameProblem(name)) skipped.push(name)
    else blobs.push(describeBlob({ ...properties, name, size: properties.contentLength ?? 0, metadata }))
  }
  return { blobs, skipped }
}

/** Counts names of a page that break the rules; the first 20 are named. */
export function addSkipped(sum: SkippedNames, names: readonly string[]): void {
  sum.count += names.length
  sum.sample.push(...names.slice(0, NAMED - sum.sample.length))
}
