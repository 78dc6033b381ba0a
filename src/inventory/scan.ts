// A bounded look at a container within one request: so many names, so much time, and then the place where the next request goes on.
import type { BlobStore } from '../models/blob-store.ts'
import type { BlobMetadata, ScanEnd, SkippedNames } from '../models/blob.ts'
import { addSkipped } from '../storage/list-blobs.ts'
import { Pace } from './pace.ts'

/** What one request looks at: a filter that matches little answers with few blobs and a `next`. */
const MAX_NAMES = 25_000
/** What one request may spend on looking; waiting for the service is not counted, since it holds nobody up. */
const MAX_MS = 2000
/** The SDK reads a page in one piece, and nobody else runs meanwhile: of 5,000 names for up to a second on a busy machine. */
const PAGE = 1000
/** Names of one level come behind a token of the service and cannot be taken up within a page: small pages, so that the time is kept. */
const LEVEL_PAGE = 500

export type Matches = (blob: BlobMetadata) => boolean

export interface Found {
  readonly blobs: readonly BlobMetadata[]
  readonly folders: readonly string[]
  readonly skipped_names: SkippedNames
  /** Where the next page starts; undefined at the end. */
  readonly position: string | undefined
  /** Set when a bound ended the page before it was full. */
  readonly truncated?: ScanEnd
}

/** The bounds of one request; at least one name is looked at, so that each request comes further. */
export class ScanBudget {
  readonly #pace: Pace
  #names = 0

  constructor(pace = new Pace()) {
    this.#pace = pace
  }

  /** Before each name: why the look ends here, or undefined. Lets others run when it is time. */
  async spend(): Promise<ScanEnd | undefined> {
    if (this.#names >= MAX_NAMES) return 'names'
    if (this.#pace.isDue) await this.#pace.giveWay()
    if (this.#names > 0 && this.#pace.spentMs >= MAX_MS) return 'time'
    this.#names++
    return undefined
  }

  /** A page came: waiting for it was no work. */
  resume(): void {
    this.#pace.goOn()
  }
}

export interface Scan {
  readonly container: string
  readonly prefix: string
  /** Default: every blob. */
  readonly matches?: Matches | undefined
  readonly budget?: ScanBudget
}

/** All names below the prefix; the position is the last name that was looked at: `startFrom` is inclusive, so it is skipped once. */
export async function scanFlat(
  blobs: Pick<BlobStore, 'list'>,
  { container, prefix, matches, budget = new ScanBudget(), limit, after }: Scan & { limit: number; after: string | undefined },
): Promise<Found> {
  const found: BlobMetadata[] = []
  const skipped_names: SkippedNames = { count: 0, sample: [] }
  const page = (position: string | undefined, truncated?: ScanEnd): Found => ({
    blobs: found,
    folders: [],
    skipped_names,
    position,
    ...(truncated ? { truncated } : {}),
  })
  let last = after
  // Without a filter the wanted ones are the first ones: with the one that is skipped, and the one that says that there are more.
  const maxPageSize = matches ? PAGE : Math.min(limit + 2, PAGE)
  const from = after === undefined ? {} : { startFrom: after }
  for await (const { blobs: names, skipped } of blobs.list(container, { prefix, maxPageSize, ...from })) {
    budget.resume()
    addSkipped(skipped_names, skipped)
    for (const blob of names) {
      if (blob.name === after) continue
      if (found.length === limit) return page(last)
      const end = await budget.spend()
      if (end) return page(last, end)
      last = blob.name
      if (!matches || matches(blob)) found.push(blob)
    }
  }
  return page(undefined)
}

/** One level: blobs and folders; the position is the service's token. */
export async function scanLevel(
  blobs: Pick<BlobStore, 'listFolders'>,
  { container, prefix, matches, budget = new ScanBudget(), limit, token }: Scan & { limit: number; token: string | undefined },
): Promise<Found> {
  const found: BlobMetadata[] = []
  const folders: string[] = []
  const skipped_names: SkippedNames = { count: 0, sample: [] }
  let position = token
  let end: ScanEnd | undefined
  do {
    const pageSize = Math.min(limit - found.length - folders.length, LEVEL_PAGE)
    const page = await blobs.listFolders(container, { prefix, pageSize, next: position })
    budget.resume()
    addSkipped(skipped_names, page.skipped)
    for (const blob of page.blobs) {
      end = await budget.spend()
      if (!matches || matches(blob)) found.push(blob)
    }
    folders.push(...page.folders)
    position = page.next
  } while (position !== undefined && end === undefined && found.length + folders.length < limit)
  return { blobs: found, folders, skipped_names, position, ...(end && position !== undefined ? { truncated: end } : {}) }
}

/** Every name below the prefix up to the bounds, given to `take` when it matches. */
export async function scanAll(
  blobs: Pick<BlobStore, 'list'>,
  { container, prefix, matches, budget = new ScanBudget() }: Scan,
  take: (blob: BlobMetadata) => void,
): Promise<{ readonly skipped_names: SkippedNames; readonly truncated: ScanEnd | false }> {
  const skipped_names: SkippedNames = { count: 0, sample: [] }
  for await (const page of blobs.list(container, { prefix, maxPageSize: PAGE })) {
    budget.resume()
    addSkipped(skipped_names, page.skipped)
    for (const blob of page.blobs) {
      const truncated = await budget.spend()
      if (truncated) return { skipped_names, truncated }
      if (!matches || matches(blob)) take(blob)
    }
  }
  return { skipped_names, truncated: false }
}
