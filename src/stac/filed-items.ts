// Which files of documents are registered as a whole, and which items their files do not have any more.
import { createHash } from 'node:crypto'
import type { CatalogueRecords } from '../models/stac-record.ts'
import type { DocumentFile } from './document-file.ts'
import { sweepFound, type SweepRequest, type Swept } from './sweep.ts'

/** A set of a million numbers is 40 MB, of names 150. A collision leaves one file unread, or one item unswept. */
function keyOf(...texts: readonly string[]): number {
  return Number.parseInt(createHash('sha256').update(texts.join('\0')).digest('hex').slice(0, 13), 16)
}

type Scope = Pick<SweepRequest, 'collectionId' | 'container' | 'prefix'>

/**
 * A file is registered in a version when all of its items are. One item that was refused, or a job that ended in between, and it is
 * read again: an ETag at a single row says nothing of the others.
 */
export async function registeredFiles(
  catalogue: CatalogueRecords,
  { collectionId, container, prefix }: Scope,
): Promise<(file: DocumentFile) => boolean> {
  const lacking = new Map<number, number>()
  for await (const page of catalogue.filesOf(collectionId, container, prefix))
    for (const { name, etag, features } of page) {
      if (etag === null) continue
      const key = keyOf(name, etag)
      lacking.set(key, (lacking.get(key) ?? features) - 1)
    }
  return ({ name, etag }) => etag !== undefined && lacking.get(keyOf(name, etag)) === 0
}

/** Files that are not, in order; `onUnchanged` is told of each other one. */
export async function* unregistered(
  files: AsyncIterable<DocumentFile>,
  isRegistered: (file: DocumentFile) => boolean,
  onUnchanged: () => void,
): AsyncGenerator<DocumentFile> {
  for await (const file of files)
    if (isRegistered(file)) onUnchanged()
    else yield file
}

/**
 * Items whose file is gone, or has them no more: the latter only where the file is registered as a whole in the version that is listed.
 * Of a file with refused items the old ones stay: the refused ones may be they.
 * @param files every document of the container below the prefix
 */
export async function sweepFiled(
  catalogue: CatalogueRecords,
  files: AsyncIterable<DocumentFile>,
  request: SweepRequest,
): Promise<Swept> {
  const isRegistered = await registeredFiles(catalogue, request)
  /** By name, the version; NaN: not known as a whole. */
  const present = new Map<number, number>()
  for await (const file of files)
    present.set(keyOf(file.name), isRegistered(file) ? keyOf(file.name, file.etag ?? '') : Number.NaN)
  const [gone, back]: [string[], string[]] = [[], []]
  let total = 0
  for await (const page of catalogue.filesOf(request.collectionId, request.container, request.prefix))
    for (const { item_id, name, etag, isMissing } of page) {
      total++
      const version = present.get(keyOf(name))
      const isOwn = version === keyOf(name, etag ?? '')
      if (version === undefined || (!Number.isNaN(version) && !isOwn)) gone.push(item_id)
      else if (isMissing && isOwn) back.push(item_id)
    }
  return sweepFound(catalogue, { gone, back, total }, request)
}
