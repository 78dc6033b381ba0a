// A listing as files to catalogue: side-cars join their raster, what is registered already is left out.
import type { BlobMetadata } from '../models/blob.ts'
import { type CatalogueMode, type CatalogueRecords, isAsClose, type KnownItem } from '../models/stac-record.ts'
import { itemIdOf } from './ids.ts'
import type { CataloguedFile } from './item.ts'
import { isSidecarName, isTiffName, sidecarsOf, stemOf } from './sidecars.ts'

/** Files of one stem that are held at a time; a stem of more than that is taken in parts. */
const GROUP = 10_000
/** Files of one question. */
const BATCH = 1000

export type ListedForCatalogue = Omit<CataloguedFile, 'container'>

const toListed = (file: BlobMetadata, sidecars: readonly string[]): ListedForCatalogue => ({
  name: file.name,
  size: file.size,
  last_modified: file.last_modified,
  ...(file.etag ? { etag: file.etag } : {}),
  ...(file.content_type ? { content_type: file.content_type } : {}),
  ...(file.content_md5 ? { content_md5: file.content_md5 } : {}),
  ...(sidecars.length > 0 ? { sidecars } : {}),
})

/**
 * Files of a listing in byte order, where those of one stem are neighbours.
 * @param include `rasters`: names of TIFFs; `all`: every file that is no side-car of a raster
 */
export async function* catalogued(
  files: AsyncIterable<BlobMetadata>,
  include: 'rasters' | 'all',
): AsyncGenerator<ListedForCatalogue> {
  let group: BlobMetadata[] = []
  let stem: string | undefined
  for await (const file of files) {
    const own = stemOf(file.name)
    // `a` and `a-b` share a beginning, but not a stem: `a.tif` comes after `a-b.tif`.
    if (own !== stem || group.length >= GROUP) {
      yield* ofGroup(group, include)
      group = []
      stem = own
    }
    group.push(file)
  }
  yield* ofGroup(group, include)
}

function* ofGroup(group: readonly BlobMetadata[], include: 'rasters' | 'all'): Generator<ListedForCatalogue> {
  const names = group.filter((f) => isSidecarName(f.name)).map((f) => f.name)
  const taken = new Set<string>()
  const rasters = new Map(group.filter((f) => isTiffName(f.name)).map((f) => [f.name, sidecarsOf(f.name, names)]))
  for (const sidecars of rasters.values()) for (const name of sidecars) taken.add(name)
  for (const file of group) {
    const sidecars = rasters.get(file.name)
    if (sidecars) yield toListed(file, sidecars)
    else if (include === 'all' && !taken.has(file.name)) yield toListed(file, [])
  }
}

export interface UnchangedTest {
  readonly catalogue: CatalogueRecords
  readonly collectionId: string
  readonly container: string
  readonly mode: CatalogueMode
}

/** Files that are not registered in this version and at least so closely; `onUnchanged` counts the others. */
export async function* changed(
  files: AsyncIterable<ListedForCatalogue>,
  { catalogue, collectionId, container, mode }: UnchangedTest,
  onUnchanged: (count: number) => void,
): AsyncGenerator<ListedForCatalogue> {
  for await (const batch of batches(files)) {
    const ids = batch.map((f) => itemIdOf(container, f.name))
    const known = await catalogue.known(collectionId, ids)
    let unchanged = 0
    for (const [i, file] of batch.entries()) {
      const row = known.get(ids[i] as string)
      if (row && row.etag !== null && row.etag === file.etag && isAsClose(row.mode, mode) && hasFiles(row, container, file))
        unchanged++
      else yield file
    }
    onUnchanged(unchanged)
  }
}

/** The same side-cars as before: none came, none went. */
function hasFiles({ hrefs }: KnownItem, container: string, { name, sidecars = [] }: ListedForCatalogue): boolean {
  const now = [name, ...sidecars].map((file) => `blob:${container}/${file}`)
  return hrefs.length === now.length && now.every((href) => hrefs.includes(href))
}

async function* batches<T>(items: AsyncIterable<T>): AsyncGenerator<T[]> {
  let batch: T[] = []
  for await (const item of items) {
    batch.push(item)
    if (batch.length < BATCH) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
