// Containers and blobs for readers: which there are, what is in them, one blob's properties.
import * as z from 'zod'
import { AppError } from '../rules/errors.ts'
import type { ContainerSummary, ScanEnd } from '../models/blob.ts'
import { FileFilter } from '../models/file-filter.ts'
import { allowedContainers } from '../platform/config.ts'
import { Tally } from '../inventory/distributions.ts'
import { blobMatcher } from '../inventory/file-filter.ts'
import { BlobName, BlobPrefix, ContainerName } from '../storage/names.ts'
import { scanAll, scanFlat, scanLevel } from '../inventory/scan.ts'
import { tagsOf } from './conditional.ts'
import { makeCursor, PositionName, readCursor } from './cursor.ts'
import { type Answer, type Call, type HttpRow, route } from './route.ts'

async function containers({ r }: Call<object, object, undefined>): Promise<Answer> {
  const { BRONZE_CONTAINER, SILVER_CONTAINER, GOLD_CONTAINER } = r.config
  const tiers = new Map([
    [BRONZE_CONTAINER, 'bronze'],
    [SILVER_CONTAINER, 'silver'],
    [GOLD_CONTAINER, 'gold'],
  ])
  const names = [...allowedContainers(r.config)].sort()
  const rows = await Promise.all(
    names.map(async (container_name) => {
      const tier = tiers.get(container_name) ?? 'other'
      try {
        const last_modified = await r.blobs.containerModified(container_name)
        return { container_name, tier, exists: last_modified !== undefined, last_modified }
      } catch (error) {
        // A role may be given per container: one that is refused must not hide the others.
        if (!(error instanceof AppError) || error.code !== 'STORAGE_FORBIDDEN') throw error
        return { container_name, tier, exists: null, code: error.code }
      }
    }),
  )
  return { body: { containers: rows, count: rows.length } }
}

export const ContainerParams = z.object({ container: ContainerName })
const { prefix: _prefix, metadata_match: _metadata, min_size: _min, max_size: _max, ...texts } = FileFilter.shape
const size = z.coerce.number().int().min(0).optional()
/** What narrows a listing. */
const narrowing = {
  prefix: BlobPrefix.default(''),
  filter: z.string().min(1).max(256).optional(),
  ...texts,
  min_size: size,
  max_size: size,
}
type Narrowing = z.infer<z.ZodObject<typeof narrowing>>
/** What is wrong together, or as a pattern, is told with the rest: storage is asked only when all is right. */
const canNarrow = (query: Narrowing, ctx: z.RefinementCtx): void => {
  const parsed = FileFilter.safeParse(fieldsOf(query))
  for (const { path, message } of parsed.error?.issues ?? []) ctx.addIssue({ code: 'custom', path, message })
  try {
    if (parsed.success) blobMatcher(query.filter, parsed.data)
  } catch (error) {
    ctx.addIssue({ code: 'custom', path: ['pattern'], message: error instanceof Error ? error.message : 'not a glob' })
  }
}
const SummaryQuery = z.strictObject(narrowing).superRefine(canNarrow)
const BlobsQuery = z
  .strictObject({
    ...narrowing,
    delimiter: z.literal('/').optional(),
    limit: z.coerce.number().int().min(1).max(5000).default(100),
    next: z.string().max(4000).optional(),
  })
  .superRefine(canNarrow)
const NoQuery = z.strictObject({})
type BlobsQuery = z.infer<typeof BlobsQuery>
type BlobsCall<P, Q> = Pick<Call<P, Q, undefined>, 'pathParameters' | 'query' | 'headers' | 'r'>

async function listBlobs({ pathParameters, query, r }: BlobsCall<z.infer<typeof ContainerParams>, BlobsQuery>): Promise<Answer> {
  const { limit, next, ...bound } = query
  const matches = matcherOf(bound)
  const key = { ...pathParameters, ...bound }
  const from = readCursor(next, key, PositionName)
  const scan = { ...pathParameters, prefix: bound.prefix, matches, limit }
  const found = bound.delimiter
    ? await scanLevel(r.blobs, { ...scan, token: from })
    : await scanFlat(r.blobs, { ...scan, after: from })
  const { position, ...page } = found
  const more = position === undefined ? {} : { next: makeCursor(key, position) }
  return { body: { container_name: pathParameters.container, prefix: bound.prefix, ...page, count: page.blobs.length, ...more } }
}

const fieldsOf = ({ extension, pattern, min_size, max_size, modified_after, modified_before }: Narrowing) => ({
  extension,
  pattern,
  min_size,
  max_size,
  modified_after,
  modified_before,
})

/** Undefined when nothing narrows. */
function matcherOf(query: Narrowing) {
  const fields = fieldsOf(query)
  const isNarrow = query.filter !== undefined || Object.values(fields).some((value) => value !== undefined)
  return isNarrow ? blobMatcher(query.filter, FileFilter.parse(fields)) : undefined
}

const HINTS = {
  names: 'Only the first 25,000 names were looked at. Submit summarize_container for all of them.',
  time: 'The time of one request ended before the last name. Submit summarize_container for all of them.',
} satisfies Record<ScanEnd, string>

async function summary({
  pathParameters: { container },
  query,
  r,
}: Call<z.infer<typeof ContainerParams>, z.infer<typeof SummaryQuery>, undefined>): Promise<Answer> {
  const matches = matcherOf(query)
  const tally = new Tally()
  const { skipped_names, truncated } = await scanAll(r.blobs, { container, prefix: query.prefix, matches }, (blob) =>
    tally.add(blob),
  )
  const { largest } = tally
  const body: ContainerSummary = {
    container_name: container,
    file_count: tally.count,
    total_size: tally.size,
    ...(largest ? { largest_file_name: largest.name, largest_file_size: largest.size } : {}),
    ...tally.result(),
    scan_time: r.now().toISOString(),
    ...(query.prefix ? { prefix_filter: query.prefix } : {}),
    skipped_names,
    truncated,
    ...(truncated ? { hint: HINTS[truncated] } : {}),
  }
  return { body }
}

export const BlobParams = z.object({ container: ContainerName, path: BlobName })

async function getBlob({ pathParameters, headers, r }: BlobsCall<z.infer<typeof BlobParams>, unknown>): Promise<Answer> {
  const found = await r.blobs.properties({ container: pathParameters.container, blob: pathParameters.path })
  const etag = found.etag ?? ''
  if (etag !== '' && tagsOf(headers.get('if-none-match')).includes(etag))
    return { status: 304, headers: { etag }, body: undefined }
  return { headers: { etag }, body: found }
}

const MaybeBlobParams = z.object({ container: ContainerName, path: z.union([z.literal(''), BlobName]) })

/**
 * One function for the list and for one blob: the rest of `blobs/{*path}` may be empty, and the host would give the list's own URL to
 * whichever of two functions comes first by name.
 */
function blobs({
  pathParameters,
  query,
  headers,
  r,
}: BlobsCall<z.infer<typeof MaybeBlobParams>, BlobsQuery | object>): Promise<Answer> {
  const { container, path } = pathParameters
  if (path !== '') return getBlob({ headers, r, pathParameters: { container, path }, query })
  return listBlobs({ headers, r, pathParameters: { container }, query: query as BlobsQuery })
}

export const containerRoutes: readonly HttpRow[] = [
  route({
    name: 'listContainers',
    summary: 'the containers that may be named, their tier, whether they exist',
    method: 'GET',
    path: 'containers',
    role: 'reader',
    handle: containers,
  }),
  route({
    name: 'getBlobs',
    summary:
      'blobs of a container; filter by `prefix`, `filter`, `extension`, `pattern`, sizes and times; `delimiter=/` for one level; `limit`, `next`. With a path: properties of one, 304 for a known ETag',
    method: 'GET',
    path: 'containers/{container}/blobs/{*path}',
    role: 'reader',
    pathParameters: MaybeBlobParams,
    query: ({ path }): z.ZodType<BlobsQuery | object> => (path === '' ? BlobsQuery : NoQuery),
    handle: blobs,
  }),
  route({
    name: 'getContainerSummary',
    summary: 'counts by size, extension and kind of up to 25,000 names, at once',
    method: 'GET',
    path: 'containers/{container}/summary',
    role: 'reader',
    pathParameters: ContainerParams,
    query: SummaryQuery,
    handle: summary,
  }),
]
