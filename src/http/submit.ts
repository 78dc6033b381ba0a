// Submission: validate → accept → submit_job → start → confirm. A crash between any two steps is repaired by the reconciler.
import * as z from 'zod'
import { callerLoad, confirmStart, submitJob } from '../db/job-functions.ts'
import { findJob } from '../db/reading.ts'
import { only } from '../db/sql-function.ts'
import { AppError } from '../rules/errors.ts'
import { jobId } from '../rules/ids.ts'
import { storableJson } from '../rules/storable.ts'
import { SnakeName } from '../models/names.ts'
import { isTerminalJob } from '../models/words.ts'
import type { Resources } from '../platform/resources.ts'
import { jobLinks } from './job-document.ts'
import { type Answer, type Call, type HttpRow, route, validate } from './route.ts'

/** Accepted beside the parameters of every job type: annotations, not part of the job's identity. */
const Metadata = z.object({
  dataset_id: z.string().max(200).optional(),
  resource_id: z.string().max(200).optional(),
  version_id: z.string().max(200).optional(),
})
const Params = z.object({ job_type: z.string().max(200) })
const Query = z.strictObject({
  force: z.enum(['true', 'false']).default('false'),
  max_age: z.coerce
    .number()
    .int()
    .min(0)
    .max(1_000_000_000)
    .optional()
    .describe('seconds: a finished job older than that runs again'),
})
const IdempotencyKey = z.string().regex(/^[\x21-\x7e]{1,200}$/, 'must be 1-200 visible ASCII characters')

type SubmitCall = Call<z.infer<typeof Params>, z.infer<typeof Query>, Record<string, unknown>>

async function submit({ params, query, body, headers, requestId, url, r, instances, caller }: SubmitCall): Promise<Answer> {
  const job = SnakeName.safeParse(params.job_type).success ? r.jobType(params.job_type) : undefined
  if (!job)
    throw new AppError(
      'JOB_TYPE_UNKNOWN',
      `There is no job type ${JSON.stringify(params.job_type)}. Known: ${r.jobTypes.map((j) => j.name).join(', ')}.`,
    )
  const { metadata, rest } = splitMetadata(body)
  const parameters: unknown = validate(job.params, rest, 'INVALID_PARAMETERS')
  assertSmall(storableJson(parameters))
  storableJson(metadata)
  const given = headers.get('idempotency-key')
  const key = given === null ? null : validate(IdempotencyKey, given, 'INVALID_PARAMETERS')
  await job.accept?.(parameters, { blobs: r.blobs })
  const id = jobId(job.name, parameters)
  await assertQuota(r, caller.name, id)
  const row = only(
    await submitJob(r.db, {
      job_id: id,
      job_type: job.name,
      total_stages: job.stages.length,
      parameters,
      metadata,
      on_task_failure: job.onTaskFailure ?? 'fail',
      submitted_by: caller.name,
      correlation_id: requestId,
      idempotency_key: key,
      force: query.force === 'true' || (await isOlder(r, id, query.max_age)),
    }),
  )
  if (row.start_needed) {
    await instances.start({ jobId: id, attempt: row.attempt })
    await confirmStart(r.db, { job_id: id, attempt: row.attempt })
  }
  if (row.created) r.log.info('job.submitted', { job_id: id, job_type: job.name, attempt: row.attempt, request_id: requestId })
  const links = jobLinks(url.origin, id)
  const finished = isTerminalJob(row.status)
  return {
    status: finished ? 200 : 202,
    headers: { location: links['statusQueryGetUri'] ?? '', ...(finished ? {} : { 'retry-after': '2' }) },
    body: {
      job_id: id,
      job_type: job.name,
      status: row.status,
      created: row.created,
      attempt: row.attempt,
      parameters,
      ...(finished ? await whenFinished(r, id) : {}),
      links: { ...links, ...(finished ? { rerun: `${url.origin}/api/jobs/${id}/rerun` } : {}) },
    },
  }
}

/** Yesterday's result is not taken for today's: the answer says when it was made and how to make it anew. */
async function whenFinished(r: Resources, id: string): Promise<{ finished_at?: Date; message?: string }> {
  const finished_at = (await findJob(r.db, id))?.finished_at
  if (!finished_at) return {}
  const at = finished_at.toISOString()
  return {
    finished_at,
    message: `finished ${at}; this is its result. ?force=true runs it again, ?max_age=SECONDS only when it is older than that.`,
  }
}

/** Is the job finished, and longer ago than the caller accepts? Not part of the job's identity. */
async function isOlder(r: Resources, id: string, maxAge: number | undefined): Promise<boolean> {
  if (maxAge === undefined) return false
  const row = await findJob(r.db, id)
  return !!row?.finished_at && isTerminalJob(row.status) && r.now().getTime() - row.finished_at.getTime() > maxAge * 1000
}

const QUOTA_RETRY_MS = 30_000

/** A job that is there already adds nothing. @throws AppError `TOO_MANY_JOBS`, `TOO_MANY_TASKS` */
async function assertQuota(r: Resources, caller: string, job_id: string): Promise<void> {
  const load = only(await callerLoad(r.db, { caller, job_id }))
  if (load.is_known) return
  const { MAX_JOBS_PER_CALLER: jobs, MAX_TASKS_PER_CALLER: tasks } = r.config
  const options = { retryAfterMs: QUOTA_RETRY_MS }
  if (load.jobs >= jobs)
    throw new AppError(
      'TOO_MANY_JOBS',
      `${load.jobs} jobs of ${caller} have not ended, ${jobs} at most (MAX_JOBS_PER_CALLER).`,
      options,
    )
  if (Number(load.tasks) >= tasks)
    throw new AppError(
      'TOO_MANY_TASKS',
      `${load.tasks} tasks of ${caller} wait for a worker, ${tasks} at most (MAX_TASKS_PER_CALLER).`,
      options,
    )
}

/** What a job row keeps is read with every list of jobs: large inputs belong into a blob. */
const MAX_PARAMETER_BYTES = 16_384

function assertSmall(json: string): void {
  const bytes = Buffer.byteLength(json)
  if (bytes <= MAX_PARAMETER_BYTES) return
  throw new AppError(
    'PARAMETERS_TOO_LARGE',
    `The parameters have ${bytes} bytes as JSON, ${MAX_PARAMETER_BYTES} at most. Put large lists into a blob and name it.`,
  )
}

function splitMetadata(body: Record<string, unknown>): { metadata: Record<string, unknown>; rest: Record<string, unknown> } {
  const metadata: unknown = validate(Metadata, body, 'INVALID_PARAMETERS')
  const rest = Object.fromEntries(Object.entries(body).filter(([k]) => !Object.hasOwn(Metadata.shape, k)))
  return { metadata: metadata as Record<string, unknown>, rest }
}

export const submitRoutes: readonly HttpRow[] = [
  route({
    name: 'submitJob',
    summary: 'starts a job; the same parameters are the same job',
    method: 'POST',
    path: 'jobs/submit/{job_type}',
    role: 'submitter',
    params: Params,
    query: Query,
    body: z.record(z.string(), z.unknown()),
    handle: submit,
  }),
]
