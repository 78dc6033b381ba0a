// Listing a container, flat or one level: pages as the service gives them, markers and refused names sorted out.
import type { ContainerClient } from '@azure/storage-blob'
import type { BlobPage, FolderPage, ListOptions } from '../models/blob-store.ts'
import type { BlobMetadata, SkippedNames } from '../models/blob.ts'
import { toStorageError } from './blob-errors.ts'
import { blobNameProblem } from './names.ts'
import { NOT_UNDERSTOOD } from './raw-blob.ts'
import { type Listing, ListingError } from './read-listing.ts'
import { listingOf } from './listing-policy.ts'

/** The service's maximum, and the cheapest: an emulator page costs about 0.24 s whatever its size. */
const MAX_PAGE = 5000
const NAMED = 20

export async function* listPages(
  open: () => Promise<ContainerClient>,
  name: string,
  options: ListOptions,
): AsyncGenerator<BlobPage> {
  const { prefix, startFrom, signal, maxPageSize = MAX_PAGE } = options
  const narrowed = {
    ...(prefix ? { prefix } : {}),
    ...(startFrom ? { startFrom } : {}),
    ...(signal ? { abortSignal: signal } : {}),
  }
  try {
    const client = await open()
    let marker: string | undefined
    do {
      const from = { maxPageSize, ...(marker ? { continuationToken: marker } : {}) }
      const page = await readable((includeMetadata) => first(client.listBlobsFlat({ ...narrowed, includeMetadata }).byPage(from)))
      if (!page) return
      yield sortOut(page)
      marker = page.listing.next
    } while (marker !== undefined)
  } catch (error) {
    throw toStorageError(error, `container ${name}`)
  }
}

async function first<T>(pages: AsyncIterableIterator<T>): Promise<T | undefined> {
  const { done, value } = await pages.next()
  return done ? undefined : value
}

interface Page {
  readonly listing: Listing
  readonly withoutMetadata: boolean
}

/**
 * A page with metadata, or without it where that is no XML (an emulator takes metadata names that no element can have): one writer must
 * not make a container unlistable.
 */
async function readable(ask: (includeMetadata: boolean) => Promise<object | undefined>): Promise<Page | undefined> {
  const result = (page: object | undefined, withoutMetadata: boolean): Page | undefined =>
    page && { listing: listingOf(page), withoutMetadata }
  try {
    return result(await ask(true), false)
  } catch (error) {
    if (!(error instanceof ListingError) || error.isCut) throw error
    return result(await ask(false), true)
  }
}

/** One page of one level. */
export async function folderPage(
  client: ContainerClient,
  { prefix, pageSize, next }: { prefix: string; pageSize: number; next?: string | undefined },
): Promise<FolderPage> {
  const from = { maxPageSize: pageSize, ...(next ? { continuationToken: next } : {}) }
  const page = await readable((includeMetadata) =>
    first(client.listBlobsByHierarchy('/', { includeMetadata, ...(prefix ? { prefix } : {}) }).byPage(from)),
  )
  if (!page) return { folders: [], blobs: [], skipped: [], next: undefined }
  const { folders, next: token } = page.listing
  return { folders, ...sortOut(page), next: token }
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

/** Folders are not files; names that others stored against the rules are counted, never opened. */
function sortOut({ listing, withoutMetadata }: Page): BlobPage {
  const blobs: BlobMetadata[] = []
  const skipped: string[] = []
  for (const { name, isFolder, blob } of listing.blobs) {
    if (isFolder) continue
    if (name === undefined || blobNameProblem(name)) skipped.push(name ?? '(a name that cannot be read)')
    else blobs.push(withoutMetadata ? { ...blob, missing: [...(blob.missing ?? []), METADATA_UNREAD] } : blob)
  }
  return { blobs, skipped }
}

const METADATA_UNREAD = { what: 'metadata', code: NOT_UNDERSTOOD }

/** Counts names of a page that break the rules; the first 20 are named. */
export function addSkipped(sum: SkippedNames, names: readonly string[]): void {
  sum.count += names.length
  sum.sample.push(...names.slice(0, NAMED - sum.sample.length))
}
