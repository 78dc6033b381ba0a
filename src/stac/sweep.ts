// Items whose files are gone: found by comparing all ids of a collection with a complete listing.
import type { CatalogueRecords } from '../models/stac-record.ts'
import { itemIdOf } from './ids.ts'

/** More than so many, and more than half: something is wrong with the listing, not with the files. */
const MANY = 100
const PAGE = 5000

export interface SweepRequest {
  readonly collectionId: string
  readonly container: string
  readonly prefix: string
  readonly missing: 'mark' | 'delete'
  /** Of the listing; a repetition gives the same. */
  readonly at: string
}

export interface Swept {
  readonly missing: number
  readonly deleted: number
  /** `SWEEP_REFUSED` */
  readonly warning?: string
}

/** A part of the id's hash as a number: a set of a million of them is 40 MB, of texts 150. A collision hides one missing file. */
const numberOf = (itemId: string): number => Number.parseInt(itemId.slice(-13), 16)

/** @param names every file of the container below the prefix */
export async function sweepMissing(
  catalogue: CatalogueRecords,
  names: AsyncIterable<string>,
  request: SweepRequest,
): Promise<Swept> {
  const { collectionId, container, prefix } = request
  const present = new Set<number>()
  for await (const name of names) present.add(numberOf(itemIdOf(container, name)))
  const [gone, back]: [string[], string[]] = [[], []]
  let total = 0
  for await (const page of catalogue.itemsOf(collectionId, container, prefix))
    for (const { item_id, isMissing } of page) {
      total++
      if (!present.has(numberOf(item_id))) gone.push(item_id)
      else if (isMissing) back.push(item_id)
    }
  return sweepFound(catalogue, { gone, back, total }, request)
}

export interface Compared {
  readonly gone: readonly string[]
  /** Marked, and there again. */
  readonly back: readonly string[]
  /** Items that were compared. */
  readonly total: number
}

/** Marks or deletes, unless so much is gone that the listing is doubted. */
export async function sweepFound(
  catalogue: CatalogueRecords,
  { gone, back, total }: Compared,
  { collectionId, missing, at }: Pick<SweepRequest, 'collectionId' | 'missing' | 'at'>,
): Promise<Swept> {
  const refused = gone.length > MANY && gone.length > total / 2
  const pages = Math.ceil(Math.max(refused ? 0 : gone.length, back.length) / PAGE)
  let [marked, deleted] = [0, 0]
  for (let i = 0; i < pages; i++) {
    const part = (ids: readonly string[]): string[] => ids.slice(i * PAGE, (i + 1) * PAGE)
    const done = await catalogue.sweep(collectionId, { gone: refused ? [] : part(gone), back: part(back) }, { at, missing })
    marked += done.marked
    deleted += done.deleted
  }
  return { missing: gone.length - deleted, deleted, ...(refused ? { warning: 'SWEEP_REFUSED' } : {}) }
}
