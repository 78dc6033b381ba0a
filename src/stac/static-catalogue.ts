// A static, self-contained catalogue of files (stac-spec, best practices: self-contained catalogs): links are relative, none is `self`.
import { encodePath } from '../rules/encode-path.ts'
import { createHash } from 'node:crypto'
import {
  STAC_VERSION,
  type StacAsset,
  type StacCatalog,
  type StacCollection,
  type StacItem,
  type StacLink,
} from '../models/stac.ts'
import type { CataloguedCollection, CataloguedItem } from '../models/stac-record.ts'
import { AppError } from '../rules/errors.ts'
import { NOWHERE_API } from './check-item.ts'
import { catalogHead, collectionDocument, itemDocument } from './documents.ts'
import { validateDocument } from './validate.ts'

/** Where the catalogue is written. */
export interface ExportTarget {
  readonly container: string
  /** Empty, or with a slash at its end. */
  readonly prefix: string
  /** Collections that are written: links lead to no others. */
  readonly collections: ReadonlySet<string>
  /** Of a blob in another container, without signature; undefined: not known. */
  readonly blobUrl: (container: string, blob: string) => string | undefined
}

export interface ExportedDocument<T> {
  /** Of the blob. */
  readonly name: string
  readonly document: T
  readonly warnings: readonly string[]
}

const GEOJSON = 'application/geo+json'
const JSON_TYPE = 'application/json'
/** What URLs and file systems take as it is. */
const PLAIN = /^[A-Za-z0-9_][A-Za-z0-9._~-]{0,198}[A-Za-z0-9_~-]$|^[A-Za-z0-9_]$/

/** Folder and file of an item: its id, or where that is no plain name, what can be written of it and a part of its hash. */
export function fileStemOf(itemId: string): string {
  if (PLAIN.test(itemId)) return itemId
  const slug = itemId.replaceAll(/[^A-Za-z0-9_-]/g, '-').slice(0, 80)
  return `${slug}-${createHash('sha256').update(itemId).digest('hex').slice(0, 32)}`
}

const itemFile = (collection: string, itemId: string): string => {
  const stem = fileStemOf(itemId)
  return `${collection}/${stem}/${stem}.json`
}

/**
 * From the folder of one blob to another blob of the same container.
 * @example relativeHref('stac/c/i/i.json', 'dem/a b.tif') // '../../../dem/a%20b.tif'
 */
export function relativeHref(from: string, to: string): string {
  const [folder, target] = [from.split('/').slice(0, -1), to.split('/')]
  let common = 0
  while (common < folder.length && common < target.length - 1 && folder[common] === target[common]) common++
  const up = '../'.repeat(folder.length - common)
  // The dot keeps a colon of the first segment from being read as the end of a scheme.
  return `${up || './'}${encodePath(target.slice(common).join('/'))}`
}

/** @throws AppError `STAC_INVALID` */
export function exportedItem(record: CataloguedItem, target: ExportTarget, now: Date): ExportedDocument<StacItem> {
  const name = target.prefix + itemFile(record.collection_id, record.item_id)
  const warnings: string[] = []
  const blobUrl = (container: string, blob: string): string => {
    const href = container === target.container ? relativeHref(name, blob) : target.blobUrl(container, blob)
    if (href === undefined) warnings.push('ASSET_WITHOUT_URL')
    return href ?? NOWHERE_API
  }
  const served = itemDocument(record, { api: NOWHERE_API, blobUrl })
  const document = {
    ...served,
    // What this service makes on request (previews, tiles) is no part of files.
    assets: Object.fromEntries(Object.entries<StacAsset>(served.assets).filter(([, { href }]) => !href.startsWith(NOWHERE_API))),
    links: [
      { rel: 'root', href: '../../catalog.json', type: JSON_TYPE },
      { rel: 'parent', href: '../collection.json', type: JSON_TYPE },
      { rel: 'collection', href: '../collection.json', type: JSON_TYPE },
      ...sourceLink(record, target),
      ...served.links.filter(({ href }) => !href.startsWith(NOWHERE_API)),
    ],
  }
  return { name, document: checked(document, name, now), warnings }
}

function sourceLink({ source_collection, source_item, source_state }: CataloguedItem, { collections }: ExportTarget): StacLink[] {
  const isThere = source_state === 'same' || source_state === 'changed'
  if (!isThere || source_collection === null || source_item === null || !collections.has(source_collection)) return []
  return [{ rel: 'derived_from', href: `../../${itemFile(source_collection, source_item)}`, type: GEOJSON }]
}

/** @param stems of the items that were written @throws AppError `STAC_INVALID` */
export function exportedCollection(
  record: CataloguedCollection,
  stems: readonly string[],
  { prefix }: ExportTarget,
  now: Date,
): ExportedDocument<StacCollection> {
  const name = `${prefix}${record.collection_id}/collection.json`
  const document = {
    ...collectionDocument(record, { api: NOWHERE_API }),
    links: [
      { rel: 'root', href: '../catalog.json', type: JSON_TYPE },
      { rel: 'parent', href: '../catalog.json', type: JSON_TYPE },
      ...stems.map((stem) => ({ rel: 'item', href: `./${stem}/${stem}.json`, type: GEOJSON })),
    ],
  }
  return { name, document: checked(document, name, now), warnings: [] }
}

/** @throws AppError `STAC_INVALID` */
export function exportedCatalog(ids: readonly string[], { prefix }: ExportTarget, now: Date): ExportedDocument<StacCatalog> {
  const name = `${prefix}catalog.json`
  const links = [
    { rel: 'root', href: './catalog.json', type: JSON_TYPE },
    ...ids.map((id) => ({ rel: 'child', href: `./${id}/collection.json`, type: JSON_TYPE, title: id })),
  ]
  return { name, document: checked({ ...catalogHead, stac_version: STAC_VERSION, links }, name, now), warnings: [] }
}

function checked<T>(document: T, name: string, now: Date): T {
  const report = validateDocument(document, { now })
  const [issue] = 'issues' in report ? report.issues : []
  if (issue)
    throw new AppError('STAC_INVALID', `${name} would break STAC: ${issue.code} at ${issue.path || 'the top'}: ${issue.message}.`)
  return document
}
