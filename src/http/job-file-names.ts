// Names of a job's files: blobs of the internal container, below the job's id, which the URL carries already.
import { encodePath } from '../rules/encode-path.ts'
import { INTERNAL_CONTAINER } from '../models/blob-store.ts'

/** What jobs write there: lists and indexes, parts of inventories, results too large for a row. */
export const KINDS = ['inventory', 'lists', 'results'] as const

/** Absolute URL of a blob that a job wrote. */
export const fileHref = (origin: string, jobId: string, blob: string): string =>
  `${origin}/api/jobs/${jobId}/file/${encodePath(blob.replace(`/${jobId}/`, '/'))}`

/** A copy of a result in which each reference to a blob of a job carries an `href`. */
export function withHrefs(value: unknown, origin: string): unknown {
  if (Array.isArray(value)) return value.map((member) => withHrefs(member, origin))
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  const members = Object.entries(value).map(([key, member]) => [key, withHrefs(member, origin)] as const)
  const copy: Record<string, unknown> = Object.fromEntries(members)
  const { container = INTERNAL_CONTAINER, blob } = copy
  const [, owner] = typeof blob === 'string' ? (/^(?:inventory|lists|results)\/([0-9a-f]{64})\//.exec(blob) ?? []) : []
  if (container === INTERNAL_CONTAINER && owner !== undefined) copy['href'] = fileHref(origin, owner, String(blob))
  return copy
}
