// Submission: accept → submit_job → start. A crash between any two steps is repaired by the reconciler.
import { submitJob as submitRow } from '../db/job-functions.ts'
import { findJob } from '../db/reading.ts'
import { only } from '../db/sql-function.ts'
import type { AnyJob } from '../define/define-job.ts'
import { type JobStatus, isTerminalJob } from '../models/words.ts'
import { AppError } from '../rules/errors.ts'
import { jobId } from '../rules/ids.ts'
import { didYouMean } from '../rules/nearest.ts'
import { storableJson } from '../rules/storable.ts'
import { activeTraceId } from '../telemetry/spans.ts'
import { assertQuota } from './caller-quota.ts'
import type { Deps, InstanceDeps } from './deps.ts'
import { type KnownJob, rememberSubmitted } from './known-jobs.ts'

export interface Submission {
  readonly job: AnyJob
  /** Valid ones: what the schema of the job type made of them. */
  readonly parameters: unknown
  /** Annotations: not part of the job's identity. */
  readonly metadata: Record<string, unknown>
  readonly caller: string | null
  /** Id of the request; the row keeps it behind the id of its trace. */
  readonly requestId: string | null
  readonly idempotencyKey: string | null
  /** Runs a finished job again. */
  readonly force: boolean
  /** Seconds: a finished job older than that runs again. */
  readonly maxAge?: number | undefined
}

export interface Submitted {
  readonly job_id: string
  readonly status: JobStatus
  /** False: the job was there. */
  readonly created: boolean
  readonly attempt: number
  /** Of a job that has ended: this is its result, unless it is asked for anew. */
  readonly finished_at?: Date
}

/** What a job row keeps is read with every list of jobs: large inputs belong into a blob. */
const MAX_PARAMETER_BYTES = 16_384

/** @throws AppError `JOB_TYPE_UNKNOWN` naming all that there are */
export function jobTypeOf(deps: Deps, name: string): AnyJob {
  const job = deps.jobType(name)
  if (job) return job
  const known = deps.jobTypes.map((j) => j.name)
  const meant = didYouMean(name, known)
  throw new AppError('JOB_TYPE_UNKNOWN', `There is no job type ${JSON.stringify(name)}.${meant} Known: ${known.join(', ')}.`)
}

/**
 * Submits a job and starts its instance; the same parameters are the same job.
 * @throws AppError `PARAMETERS_TOO_LARGE`, `TEXT_NOT_STORABLE`, `TOO_MANY_JOBS`, `TOO_MANY_TASKS`, what the job type does not accept, and
 * `DURABLE_UNAVAILABLE`: the row is there then, and the reconciler starts it
 */
export async function submitJob(deps: InstanceDeps, submission: Submission): Promise<Submitted> {
  const { job, parameters, metadata, caller, force, maxAge } = submission
  const json = storableJson(parameters)
  assertSmall(json)
  storableJson(metadata)
  const job_id = jobId(job.name, parameters)
  await job.accept?.(parameters, { jobId: job_id, blobs: deps.blobs, outputs: deps.outputs })
  if (caller !== null) await assertQuota(deps, caller, job_id)
  const row = only(
    await submitRow(deps.db, {
      job_id,
      job_type: job.name,
      total_stages: job.stages.length,
      parameters,
      metadata,
      on_task_failure: job.onTaskFailure ?? 'fail',
      submitted_by: caller,
      correlation_id: correlationOf(submission.requestId),
      idempotency_key: submission.idempotencyKey,
      force: force || (await isOlder(deps, job_id, maxAge)),
    }),
  )
  const { attempt, status, created } = row
  // The job's first turn closes the outbox: begin_job notes that the start has happened. Until then the reconciler looks at it anyway.
  if (row.start_needed) {
    if (created)
      rememberSubmitted(deps, job_id, attempt, { job_type: job.name, parameters: JSON.parse(json) as KnownJob['parameters'] })
    await deps.instances.start({ jobId: job_id, attempt })
  }
  if (created)
    deps.log.info('job.submitted', {
      job_id,
      job_type: job.name,
      attempt,
      request_id: submission.requestId,
      trace_id: activeTraceId(),
    })
  const finished_at = isTerminalJob(status) ? (await findJob(deps.db, job_id))?.finished_at : undefined
  return { job_id, status, created, attempt, ...(finished_at ? { finished_at } : {}) }
}

/** `<trace id>/<request id>`, or the one that there is. */
function correlationOf(requestId: string | null): string | null {
  const ids = [activeTraceId(), requestId].filter((id) => id !== undefined && id !== null)
  return ids.length > 0 ? ids.join('/') : null
}

/** Is the job finished, and longer ago than the caller accepts? Not part of the job's identity. */
async function isOlder(deps: Deps, id: string, maxAge: number | undefined): Promise<boolean> {
  if (maxAge === undefined) return false
  const row = await findJob(deps.db, id)
  return !!row?.finished_at && isTerminalJob(row.status) && deps.now().getTime() - row.finished_at.getTime() > maxAge * 1000
}

function assertSmall(json: string): void {
  const bytes = Buffer.byteLength(json)
  if (bytes <= MAX_PARAMETER_BYTES) return
  throw new AppError(
    'PARAMETERS_TOO_LARGE',
    `The parameters have ${bytes} bytes as JSON, ${MAX_PARAMETER_BYTES} at most. Put large lists into a blob and name it.`,
  )
}
