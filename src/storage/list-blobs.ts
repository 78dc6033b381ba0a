// Listing a container, flat or one level: pages as the service gives them, markers and refused names sorted out.
import type { ContainerClient } from '@azure/storage-blob'
import type { BlobPage, FolderPage, ListOptions } from '../models/blob-store.ts'
import type { BlobMetadata, SkippedNames } from '../models/blob.ts'
import { toStorageError } from './blob-errors.ts'
import { blobNameProblem } from './names.ts'
import { parseBlob } from './raw-blob.ts'

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
      yield sortOut(page.answer.segment.blobItems, page.withoutMetadata)
      marker = page.answer.continuationToken || undefined
    } while (marker !== undefined)
  } catch (error) {
    throw toStorageError(error, `container ${name}`)
  }
}

async function first<T>(pages: AsyncIterableIterator<T>): Promise<T | undefined> {
  const { done, value } = await pages.next()
  return done ? undefined : value
}

/**
 * A page with metadata, or without it where the SDK's XML parser refuses a metadata name (`constructor` and its like are legal): one
 * writer must not make a container unlistable.
 */
async function readable<T>(
  ask: (includeMetadata: boolean) => Promise<T | undefined>,
): Promise<{ readonly answer: T; readonly withoutMetadata: boolean } | undefined> {
  const result = (answer: T | undefined, withoutMetadata: boolean) =>
    answer === undefined ? undefined : { answer, withoutMetadata }
  try {
    return result(await ask(true), false)
  } catch (error) {
    if ((error as { code?: string }).code !== 'PARSE_ERROR') throw error
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
  const { answer, withoutMetadata } = page
  const folders = (answer.segment.blobPrefixes ?? []).map((p) => p.name)
  return { folders, ...sortOut(answer.segment.blobItems, withoutMetadata), next: answer.continuationToken || undefined }
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
function sortOut(items: readonly unknown[], withoutMetadata: boolean): BlobPage {
  const blobs: BlobMetadata[] = []
  const skipped: string[] = []
  for (const item of items) {
    const { name, isFolder, blob } = parseBlob(item, withoutMetadata)
    if (isFolder) continue
    if (name === undefined || blobNameProblem(name)) skipped.push(name ?? '(a name that cannot be read)')
    else blobs.push(blob)
  }
  return { blobs, skipped }
}

/** Counts names of a page that break the rules; the first 20 are named. */
export function addSkipped(sum: SkippedNames, names: readonly string[]): void {
  sum.count += names.length
  sum.sample.push(...names.slice(0, NAMED - sum.sample.length))
}
