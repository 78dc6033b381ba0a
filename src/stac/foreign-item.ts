// Items that others described: taken as they are where they are valid, without the links of the place they came from.
import type { NewItem } from '../models/stac-record.ts'
import { ItemId } from '../models/stac-record.ts'
import type { DocumentReport, ItemCollectionReport } from '../models/stac-report.ts'
import type { StacAsset, StacItem, StacLink } from '../models/stac.ts'
import { AppError } from '../rules/errors.ts'
import { parseRfc3339 } from '../rules/rfc3339.ts'
import { cleanText, storableJson } from '../rules/storable.ts'
import { judgeItem } from './check-item.ts'
import { placeOf } from './documents.ts'
import { isKeptLink, storedHref } from './foreign-href.ts'
import { placeColumns } from './place-columns.ts'
import { isObject, type JsonObject, pointer } from './validation/json.ts'
import { partsOf, surround } from './validation/parts.ts'
import { isOld, upgrade } from './validation/upgrade.ts'
import { copyOf } from './validation/walk.ts'
import { validateDocument } from './validate.ts'

export interface ForeignOptions {
  readonly collectionId: string
  readonly container: string
  /** The file that holds the document. */
  readonly name: string
  readonly etag: string
  /** Of the file: all of them registered means that it need not be read again. */
  readonly features: number
  readonly jobId: string
  readonly plan: number
  readonly now: Date
}

/** Why a document does not become an item. */
export interface Problem {
  readonly code: string
  readonly path: string
  readonly message: string
}

export type ForeignItem =
  | { readonly item: NewItem; readonly warnings: readonly string[] }
  | { readonly problem: Problem; readonly warnings: readonly string[] }

/** Pure, and never throws, whatever JSON it gets. STAC 1.0 is upgraded; a bbox that is missing comes from the geometry. */
export function foreignItem(document: unknown, options: ForeignOptions): ForeignItem {
  const whole = withBox(document)
  const report = judged(whole, options.now)
  const warnings = report.warnings.map((w) => w.code)
  const problem = (code: string, path: string, message: string): ForeignItem => ({
    problem: { code, path: cleanText(path), message: cleanText(message) },
    warnings,
  })
  const issue = firstIssue(report)
  if (issue) return problem(issue.code, issue.path, issue.message)
  const copy = copyOf(whole) as JsonObject
  if (isOld(copy)) upgrade(copy)
  const source = copy as unknown as StacItem
  if (!ItemId.safeParse(source.id).success) return problem('ITEM_ID_TOO_LONG', '/id', 'more than 256 characters')
  const unreachable = [['/id', source.id], ...Object.keys(source.assets).map((key) => [pointer(['assets', key]), key])].find(
    ([, name = '']) => !isReachable(name),
  )
  if (unreachable)
    return problem('NAME_UNREACHABLE', unreachable[0] ?? '', 'cannot be part of an address: it has a slash, or is . or ..')
  if (positionsOf(source.geometry) > MOST_POSITIONS)
    return problem('GEOMETRY_TOO_DETAILED', '/geometry', `has more than ${MOST_POSITIONS} positions; simplify it`)
  const assets = assetsOf(source, options)
  if ('problem' in assets) return problem(assets.problem.code, assets.problem.path, assets.problem.message)
  const item = recordOf(source, assets.assets, options)
  try {
    storableJson(item)
  } catch (error) {
    if (error instanceof AppError) return problem(error.code, '', error.message)
    throw error
  }
  const served = firstIssue(judgeItem(item, options.now))
  if (served) return problem(served.code, served.path, `as it would be served: ${served.message}`)
  return { item, warnings: [...warnings, ...assets.warnings] }
}

/** Of one item: a search decides each of its shapes against those of the catalogue, position by position. */
const MOST_POSITIONS = 5000

/** Its document and files have addresses; browsers and hosts take these for something else. */
const isReachable = (name: string): boolean => !/[\\/]|%2f|^\.{1,2}$/i.test(name)

function positionsOf(geometry: unknown): number {
  if (Array.isArray(geometry))
    return typeof geometry[0] === 'number' ? 1 : geometry.reduce<number>((n, part) => n + positionsOf(part), 0)
  if (!isObject(geometry)) return 0
  return positionsOf(geometry['coordinates'] ?? geometry['geometries'] ?? [])
}

/** Features of a FeatureCollection are judged as items: a Collection among them is none. */
function judged(document: unknown, now: Date): DocumentReport {
  const { results } = validateDocument({ type: 'FeatureCollection', features: [document] }, { now }) as ItemCollectionReport
  return results[0] as DocumentReport
}

/** A secret is told before what else is wrong: somebody has to revoke it. */
const firstIssue = ({ issues }: DocumentReport): Problem | undefined =>
  issues.find((i) => i.code === 'ASSET_HREF_SECRET') ?? issues[0]

/** STAC demands a box beside a geometry; who left it out said it with the geometry. */
function withBox(document: unknown): unknown {
  if (!isObject(document) || document['bbox'] !== undefined || !isObject(document['geometry'])) return document
  const parts = partsOf(document['geometry'])
  const box = parts && surround(parts)?.box
  return box ? { ...document, bbox: [...box] } : document
}

type Assets = { readonly assets: Record<string, StacAsset>; readonly warnings: string[] } | { readonly problem: Problem }

function assetsOf(source: StacItem, place: ForeignOptions): Assets {
  const warnings: string[] = []
  const assets: [string, StacAsset][] = []
  for (const [key, asset] of Object.entries(source.assets)) {
    const stored = storedHref(asset.href, place)
    if ('problem' in stored)
      return { problem: { code: stored.problem, path: pointer(['assets', key, 'href']), message: stored.message } }
    if (stored.warning) warnings.push(stored.warning)
    assets.push([key, { ...asset, href: stored.href }])
  }
  // Not by assignment: a key may be `__proto__`.
  return { assets: Object.fromEntries(assets), warnings }
}

function recordOf(source: StacItem, assets: Record<string, StacAsset>, options: ForeignOptions): NewItem {
  const { collectionId, container, name, etag, features, jobId, plan } = options
  const place = placeOf(assets['data']?.href ?? '')
  return {
    collection_id: collectionId,
    item_id: source.id,
    kind: 'foreign',
    container,
    name,
    blob: place?.[1] ?? null,
    etag: etag || null,
    mode: 'full',
    ...placeColumns(source.geometry, source.bbox),
    ...timesOf(source.properties),
    source_collection: null,
    source_item: null,
    source_etag: null,
    job_id: jobId,
    plan,
    content: {
      stac_extensions: source.stac_extensions ?? [],
      geometry: source.geometry,
      ...(source.bbox ? { bbox: source.bbox } : {}),
      properties: ownMembersRemoved(source.properties),
      assets,
      links: (source.links as StacLink[]).filter(isKeptLink),
      file: { features },
    },
  }
}

/** `lamplighter:` is what this catalogue says of files; nobody else does. */
const ownMembersRemoved = (properties: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(properties).filter(([key]) => !key.startsWith('lamplighter:')))

/** Ends that enclose datetime: the search finds the item at each of them, also where they contradict one another. */
function timesOf(properties: Readonly<Record<string, unknown>>): Pick<NewItem, 'start_at' | 'end_at' | 'sort_at'> {
  const [at, start, end] = ['datetime', 'start_datetime', 'end_datetime'].map((key) => parseRfc3339(String(properties[key])))
  const given = [at, start, end].filter((time) => time !== undefined).sort((a, b) => a.ms - b.ms)
  const [first, last] = [given[0]?.iso, given.at(-1)?.iso] as [string, string]
  return { start_at: first, end_at: last, sort_at: at?.iso ?? first }
}
