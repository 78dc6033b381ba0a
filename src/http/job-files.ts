// What a job wrote for its readers: indexes, parts of inventories, large results. Limited to the job's own blobs.
import * as z from 'zod'
import { requireJob } from '../engine/require-job.ts'
import { AppError } from '../rules/errors.ts'
import type { BlobRef } from '../models/blob.ts'
import { JobId } from '../models/names.ts'
import { INTERNAL_CONTAINER } from '../models/blob-store.ts'
import { blobNameProblem } from '../storage/names.ts'
import { blobAnswer } from './blob-answer.ts'
import { makeCursor, PositionName, readCursor } from './cursor.ts'
import { ById } from './job-filter.ts'
import { fileHref, KINDS } from './job-file-names.ts'
import { type Answer, type Call, JOB, type HttpRow, route } from './route.ts'

const FilesQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  next: z.string().max(4000).optional(),
})

/** Types of the files by the end of their name; lists are stored packed and handed out as lines unless gzip is asked for. */
const TYPES: readonly (readonly [end: string, type: string])[] = [
  ['.ndjson.gz', 'application/x-ndjson'],
  ['.csv.gz', 'text/csv'],
  ['.json', 'application/json'],
]
const typeOf = (name: string): string => TYPES.find(([end]) => name.endsWith(end))?.[1] ?? 'application/octet-stream'

async function files({
  pathParameters: { job_id },
  query,
  url,
  r,
}: Call<z.infer<typeof ById>, z.infer<typeof FilesQuery>, undefined>) {
  await requireJob(r, job_id)
  const after = readCursor(query.next, { job_id }, z.tuple([z.int().min(0).max(KINDS.length), PositionName]))
  const found: object[] = []
  for (const [at, kind] of KINDS.entries()) {
    if (after && at < after[0]) continue
    const startFrom = after && at === after[0] ? after[1] : undefined
    for await (const page of r.blobs.list(INTERNAL_CONTAINER, {
      prefix: `${kind}/${job_id}/`,
      ...(startFrom ? { startFrom } : {}),
    })) {
      for (const { name, size, last_modified, metadata } of page.blobs) {
        if (name === startFrom) continue
        const rows = Number(metadata['rows'] ?? Number.NaN)
        found.push({
          name: name.replace(`/${job_id}/`, '/'),
          bytes: size,
          type: typeOf(name),
          ...(Number.isSafeInteger(rows) ? { rows } : {}),
          last_modified,
          href: fileHref(url.origin, job_id, name),
        })
        if (found.length === query.limit)
          return { body: { job_id, files: found, count: found.length, next: makeCursor({ job_id }, [at, name]) } }
      }
    }
  }
  return { body: { job_id, files: found, count: found.length } }
}

const OneParams = z.object({
  job_id: JobId,
  file: z.string().superRefine((text, ctx) => {
    const kind = KINDS.some((k) => text.startsWith(`${k}/`))
    const problem = blobNameProblem(text) ?? (kind ? undefined : `must begin with ${KINDS.map((k) => `${k}/`).join(', ')}`)
    if (problem) ctx.addIssue({ code: 'custom', message: problem })
  }),
})

async function file({ pathParameters: { job_id, file: name }, headers, r }: Call<z.infer<typeof OneParams>, object, undefined>) {
  await requireJob(r, job_id)
  const ref = { container: INTERNAL_CONTAINER, blob: name.replace('/', `/${job_id}/`) }
  const type = typeOf(name)
  const packed = name.endsWith('.gz')
  if (!packed || accepts(headers.get('accept'), 'application/gzip', false))
    return blobAnswer(r, ref, headers, packed ? 'application/gzip' : type)
  if (!accepts(headers.get('accept'), type, true))
    throw new AppError('NOT_ACCEPTABLE', `This file is ${type}, stored as application/gzip; Accept asks for neither.`)
  return lines({ ...ref }, type, r)
}

/** @param any does `*` in the header count? */
function accepts(header: string | null, type: string, any: boolean): boolean {
  const asked = (header ?? '*/*').split(',').map((part) => part.split(';')[0]?.trim().toLowerCase())
  return asked.includes(type) || (any && (asked.includes('*/*') || asked.includes(`${type.split('/')[0]}/*`)))
}

/** The list unpacked on the way. Ranges and strong ETags belong to the stored bytes: ask for application/gzip. */
async function lines(ref: BlobRef, type: string, r: Call<unknown, unknown, unknown>['r']): Promise<Answer> {
  const { body, etag } = await r.blobs.readStream(ref)
  return {
    headers: { 'content-type': `${type}; charset=utf-8`, etag: `W/${etag}`, vary: 'accept' },
    stream: body.pipeThrough(new DecompressionStream('gzip') as unknown as ReadableWritablePair<Uint8Array, Uint8Array>),
  }
}

export const jobFileRoutes: readonly HttpRow[] = [
  route({
    name: 'listJobFiles',
    summary: 'what the job wrote: indexes, parts, large results; each `…_ref` in results carries its `href`',
    method: 'GET',
    path: `jobs/${JOB}/files`,
    role: 'reader',
    pathParameters: ById,
    query: FilesQuery,
    handle: files,
  }),
  route({
    name: 'getJobFile',
    summary: 'one of them: lines of NDJSON or CSV, or with `Accept: application/gzip` as stored, with ranges',
    method: 'GET',
    path: `jobs/${JOB}/file/{*file}`,
    role: 'reader',
    pathParameters: OneParams,
    handle: file,
  }),
]
