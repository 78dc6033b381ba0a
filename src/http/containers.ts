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
import { type Answer, type Call, type HttpRow, route, validate } from './route.ts'

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
const SummaryQuery = z.strictObject(narrowing)
const BlobsQuery = z.strictObject({
  ...narrowing,
  delimiter: z.literal('/').optional(),
  limit: z.coerce.number().int().min(1).max(5000).default(100),
  next: z.string().max(4000).optional(),
})
type BlobsQuery = z.infer<typeof BlobsQuery>
type BlobsCall<P, Q> = Pick<Call<P, Q, undefined>, 'params' | 'query' | 'headers' | 'r'>

async function listBlobs({ params, query, r }: BlobsCall<z.infer<typeof ContainerParams>, BlobsQuery>): Promise<Answer> {
  const { limit, next, ...bound } = query
  const matches = matcherOf(bound)
  await r.blobs.checkContainer(params.container)
  const key = { ...params, ...bound }
  const from = readCursor(next, key, PositionName)
  const scan = { ...params, prefix: bound.prefix, matches, limit }
  const found = bound.delimiter
    ? await scanLevel(r.blobs, { ...scan, token: from })
    : await scanFlat(r.blobs, { ...scan, after: from })
  const { position, ...page } = found
  const more = position === undefined ? {} : { next: makeCursor(key, position) }
  return { body: { container_name: params.container, prefix: bound.prefix, ...page, count: page.blobs.length, ...more } }
}

/** Undefined when nothing narrows. @throws AppError `INVALID_QUERY` with the path of what is wrong together */
function matcherOf({
  filter,
  extension,
  pattern,
  min_size,
  max_size,
  modified_after,
  modified_before,
}: z.infer<typeof SummaryQuery>) {
  const parsed = FileFilter.safeParse({ extension, pattern, min_size, max_size, modified_after, modified_before })
  const refuse = (path: string, message: string): never => {
    throw new AppError('INVALID_QUERY', `Invalid query: ${path}: ${message}`, { issues: [{ path, message }] })
  }
  const issue = parsed.error?.issues[0]
  if (issue) return refuse(issue.path.join('.'), issue.message)
  const isNarrow = filter !== undefined || Object.values(parsed.data ?? {}).some((value) => value !== undefined)
  try {
    return isNarrow ? blobMatcher(filter, parsed.data) : undefined
  } catch (error) {
    return refuse('pattern', error instanceof Error ? error.message : 'not a glob')
  }
}

const HINTS = {
  names: 'Only the first 25,000 names were looked at. Submit summarize_container for all of them.',
  time: 'The time of one request ended before the last name. Submit summarize_container for all of them.',
} satisfies Record<ScanEnd, string>

async function summary({
  params: { container },
  query,
  r,
}: Call<z.infer<typeof ContainerParams>, z.infer<typeof SummaryQuery>, undefined>): Promise<Answer> {
  const matches = matcherOf(query)
  await r.blobs.checkContainer(container)
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

async function getBlob({ params, headers, r }: BlobsCall<z.infer<typeof BlobParams>, unknown>): Promise<Answer> {
  await r.blobs.checkContainer(params.container)
  const found = await r.blobs.properties({ container: params.container, blob: params.path })
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
function blobs(call: Call<z.infer<typeof MaybeBlobParams>, Record<string, string>, undefined>): Promise<Answer> {
  const { headers, r } = call
  const { container, path } = call.params
  if (path === '')
    return listBlobs({ headers, r, params: { container }, query: validate<BlobsQuery>(BlobsQuery, call.query, 'INVALID_QUERY') })
  return getBlob({ headers, r, params: { container, path }, query: validate(z.strictObject({}), call.query, 'INVALID_QUERY') })
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
    summary: 'blobs of a container with filters and paging; with a path, properties of one',
    method: 'GET',
    path: 'containers/{container}/blobs/{*path}',
    role: 'reader',
    params: MaybeBlobParams,
    query: z.record(z.string(), z.string()),
    handle: blobs,
  }),
  route({
    name: 'getContainerSummary',
    summary: 'counts by size, extension and kind of up to 25,000 names, at once',
    method: 'GET',
    path: 'containers/{container}/summary',
    role: 'reader',
    params: ContainerParams,
    query: SummaryQuery,
    handle: summary,
  }),
]
