// The job machine without a host: activities called by hand, so that tests choose every boundary.
import { BlobServiceClient } from '@azure/storage-blob'
import { inject } from 'vitest'
import { advanceJob } from '../../src/engine/advance.ts'
import type { Instances } from '../../src/engine/instances.ts'
import { runTasks } from '../../src/engine/run-tasks.ts'
import { jobTypeOf, submitJob } from '../../src/engine/submit.ts'
import { catalogueRecords } from '../../src/db/catalogue-records.ts'
import { outputRecords } from '../../src/db/output-functions.ts'
import type { Pool } from '../../src/db/pool.ts'
import type { AnyJob } from '../../src/define/define-job.ts'
import { jobs } from '../../src/jobs/index.gen.ts'
import type { Step } from '../../src/models/steps.ts'
import { openBreakers } from '../../src/platform/breakers.ts'
import { processIdentity } from '../../src/platform/process-identity.ts'
import type { Deps } from '../../src/engine/deps.ts'
import { openBlobStore } from '../../src/storage/blob-store.ts'

export interface Machine extends Deps {
  /** Containers that this test made. */
  readonly service: BlobServiceClient
}

export function machine(
  db: Pool,
  more: { jobs?: readonly AnyJob[]; allowed?: readonly string[]; stopping?: AbortSignal } = {},
): Machine {
  const types = [...jobs, ...(more.jobs ?? [])]
  const storage = inject('storage')
  const quiet = (): void => undefined
  return {
    db,
    service: BlobServiceClient.fromConnectionString(storage),
    blobs: openBlobStore({ connectionString: storage, accountUrl: undefined, allowed: new Set(more.allowed ?? []) }),
    outputs: outputRecords(db),
    catalogue: catalogueRecords(db),
    breakers: openBreakers({ failures: 5, cooldownMs: 1000, onChange: quiet }),
    webhooks: { send: () => Promise.reject(new Error('no webhooks here')), problemOf: () => undefined },
    log: { info: quiet, warn: quiet, error: quiet },
    settings: {
      leaseSeconds: 60,
      breakerCooldownSeconds: 30,
      retentionDays: 30,
      retentionDaysFailed: 90,
      maxJobsPerCaller: 1000,
      maxTasksPerCaller: 1_000_000,
    },
    now: () => new Date(),
    random: () => 0,
    process: processIdentity({}),
    stopping: more.stopping ?? new AbortController().signal,
    jobType: (name) => types.find((j) => j.name === name),
    jobTypes: types,
  }
}

/** A hub that starts nothing: turns are taken by hand. */
const NO_HUB = { start: () => Promise.resolve() } as unknown as Instances

/** Submits without HTTP; answers with the job id. */
export async function submitTo(r: Machine, type: string, parameters: object): Promise<string> {
  const job = jobTypeOf(r, type)
  const { job_id } = await submitJob(
    { ...r, instances: NO_HUB },
    {
      job,
      parameters: job.parameters.parse(parameters),
      metadata: {},
      caller: null,
      requestId: null,
      idempotencyKey: null,
      force: false,
    },
  )
  return job_id
}

/** One turn of the orchestrator, workers side by side. */
export async function turn(r: Machine, id: string, attempt = 1): Promise<Step> {
  const step = await advanceJob({ jobId: id, attempt }, r)
  if (step.kind === 'run')
    await Promise.all(Array.from({ length: step.workers }, () => runTasks({ jobId: id, attempt, stage: step.stage }, r)))
  return step
}

/** Turns until the job has ended. @throws Error when it waits: nothing here makes time pass */
export async function runToEnd(r: Machine, id: string, attempt = 1): Promise<Extract<Step, { kind: 'done' }>> {
  for (;;) {
    const step = await turn(r, id, attempt)
    if (step.kind === 'done') return step
    if (step.kind === 'wait') throw new Error(`the job waits for ${step.seconds} s`)
  }
}

/** Rows of the current attempt by stage and number. */
export const tasksOf = (db: Pool, id: string) =>
  db.query<{
    stage: number
    task_no: number
    task_key: string
    status: string
    claims: number
    result_data: unknown
    error_code: string | null
    error_details: string | null
  }>(
    `SELECT s.stage_no AS stage, t.* FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1 AND s.retired_at IS NULL ORDER BY 1, t.task_no`,
    [id],
  )
