// Door of the submission: parameters of the job type, annotations, and what the caller wants of a job that is there already.
import * as z from 'zod'
import { jobTypeOf, type Submitted, submitJob } from '../engine/submit.ts'
import { isTerminalJob } from '../models/words.ts'
import { jobLinks } from './job-document.ts'
import { type Answer, type Call, type HttpRow, route } from './route.ts'
import { validate } from './validation.ts'

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

async function submit({
  pathParameters,
  query,
  body,
  headers,
  requestId,
  url,
  r,
  instances,
  caller,
}: SubmitCall): Promise<Answer> {
  const job = jobTypeOf(r, pathParameters.job_type)
  const { metadata, rest } = splitMetadata(body)
  const parameters: unknown = validate(job.parameters, rest, 'INVALID_PARAMETERS')
  const given = headers.get('idempotency-key')
  const idempotencyKey = given === null ? null : validate(IdempotencyKey, given, 'INVALID_PARAMETERS')
  const { finished_at, ...submitted } = await submitJob(
    { ...r, instances },
    {
      job,
      parameters,
      metadata,
      caller: caller.name,
      requestId,
      idempotencyKey,
      force: query.force === 'true',
      maxAge: query.max_age,
    },
  )
  return answerOf(url.origin, submitted, { job_type: job.name, parameters, ...(finished_at ? whenFinished(finished_at) : {}) })
}

function answerOf(origin: string, submitted: Omit<Submitted, 'finished_at'>, more: object): Answer {
  const links = jobLinks(origin, submitted.job_id)
  const isFinished = isTerminalJob(submitted.status)
  return {
    status: isFinished ? 200 : 202,
    headers: { location: links['statusQueryGetUri'] ?? '', ...(isFinished ? {} : { 'retry-after': '2' }) },
    body: {
      ...submitted,
      ...more,
      links: { ...links, ...(isFinished ? { rerun: `${origin}/api/jobs/${submitted.job_id}/rerun` } : {}) },
    },
  }
}

/** Yesterday's result is not taken for today's: the answer says when it was made and how to make it anew. */
function whenFinished(finished_at: Date): { finished_at: Date; message: string } {
  const at = finished_at.toISOString()
  const message = `finished ${at}; this is its result. ?force=true runs it again, ?max_age=SECONDS only when it is older than that.`
  return { finished_at, message }
}

function splitMetadata(body: Record<string, unknown>): { metadata: Record<string, unknown>; rest: Record<string, unknown> } {
  const metadata: unknown = validate(Metadata, body, 'INVALID_PARAMETERS')
  const rest = Object.fromEntries(Object.entries(body).filter(([k]) => !Object.hasOwn(Metadata.shape, k)))
  return { metadata: metadata as Record<string, unknown>, rest }
}

export const submitRoutes: readonly HttpRow[] = [
  route({
    name: 'submitJob',
    summary:
      'starts a job: 202 with `job_id` and links. The same parameters are the same job; a finished one answers 200 with `finished_at`; `?force=true` runs it again, `?max_age=SECONDS` only when it is older',
    method: 'POST',
    path: 'jobs/submit/{job_type}',
    role: 'submitter',
    pathParameters: Params,
    query: Query,
    body: z.record(z.string(), z.unknown()),
    handle: submit,
  }),
]
