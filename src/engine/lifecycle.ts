// What operators do to a job: cancel, pause, resume, retry, run again. Postgres first, Durable after it.
import { setTimeout as pause } from 'node:timers/promises'
import * as rows from '../db/job-functions.ts'
import { only } from '../db/sql-function.ts'
import type { JobStatus } from '../models/words.ts'
import type { InstanceDeps } from './deps.ts'
import { isActive } from './instances.ts'
import { requireJob } from './require-job.ts'
import { jobTypeOf } from './submit.ts'

export type { JobChange } from '../db/job-functions.ts'

export const JOB_ACTIONS = ['cancel', 'pause', 'resume', 'retry', 'rerun'] as const
export type JobAction = (typeof JOB_ACTIONS)[number]

/** Who did it and why: stands in the audit row. */
export interface Order {
  readonly reason: string
  readonly actor: string
  /** Of a retry: only failed tasks of this code, or whose keys match a glob of `*` and `?`. */
  readonly error_code?: string | undefined
  readonly key_pattern?: string | undefined
}

const ENDED_BADLY = ['failed', 'completed_with_errors', 'cancelled'] as const
/** Job states that an action makes sense for; a bulk order looks at these only. */
export const ACTS_ON: Readonly<Record<JobAction, readonly JobStatus[]>> = {
  cancel: ['queued', 'processing', 'paused'],
  pause: ['queued', 'processing'],
  resume: ['paused'],
  retry: ENDED_BADLY,
  rerun: ['completed', ...ENDED_BADLY],
}

/** @throws AppError `JOB_NOT_FOUND`, `ILLEGAL_STATE`; an instance that cannot be reached is none: it follows by itself */
export function changeJob(deps: InstanceDeps, action: JobAction, jobId: string, order: Order): Promise<rows.JobChange> {
  return ACTIONS[action](deps, jobId, order)
}

/** @throws AppError as {@link changeJob}; answers with the number of tasks that run again too */
export async function retryJob(deps: InstanceDeps, job_id: string, order: Order): Promise<rows.JobChange & { tasks: number }> {
  const { reason, actor, error_code, key_pattern } = order
  const key_like = key_pattern === undefined ? null : likeOf(key_pattern)
  const change = only(await rows.retryJob(deps.db, { job_id, reason, actor, error_code: error_code ?? null, key_like }))
  await beginAttempt(deps, job_id, change)
  return change
}

const ACTIONS: Readonly<Record<JobAction, (deps: InstanceDeps, job_id: string, order: Order) => Promise<rows.JobChange>>> = {
  async cancel(deps, job_id, { reason, actor }) {
    const change = only(await rows.cancelJob(deps.db, { job_id, reason, actor }))
    await followRow(deps, job_id, () => deps.instances.terminate(job_id, reason))
    return change
  },
  async pause(deps, job_id, { reason, actor }) {
    const change = only(await rows.pauseJob(deps.db, { job_id, reason, actor }))
    await followRow(deps, job_id, () => deps.instances.suspend(job_id, reason))
    return change
  },
  async resume(deps, job_id, { reason, actor }) {
    const change = only(await rows.resumeJob(deps.db, { job_id, reason, actor }))
    await followRow(deps, job_id, async () => {
      const found = await deps.instances.find(job_id)
      if (found?.runtimeStatus === 'Suspended') await deps.instances.resume(job_id, reason)
      else if (!found || !isActive(found)) await beginAttempt(deps, job_id, change)
    })
    return change
  },
  retry: retryJob,
  async rerun(deps, job_id, { reason, actor }) {
    const { job_type } = await requireJob(deps, job_id)
    const total_stages = jobTypeOf(deps, job_type).stages.length
    const change = only(await rows.rerunJob(deps.db, { job_id, reason, actor, total_stages }))
    await beginAttempt(deps, job_id, change)
    return change
  },
}

/** The row decides; an instance that cannot be reached now follows by itself: it asks the row, or the reconciler finds it. */
async function followRow(deps: InstanceDeps, job_id: string, what: () => Promise<void>): Promise<void> {
  try {
    await what()
  } catch (error) {
    deps.log.warn('durable.action_failed', { job_id, error })
  }
}

/** How long a start waits for the instance of the attempt before to be gone; later the reconciler does it. */
const MAKE_ROOM_MS = 5000
const LOOK_MS = 50

/** Terminating takes a moment, and a start over an instance that is still there would be taken for done. */
async function beginAttempt(deps: InstanceDeps, job_id: string, { attempt }: rows.JobChange): Promise<void> {
  await followRow(deps, job_id, async () => {
    await endInstance(deps, job_id, 'a new attempt begins')
    await deps.instances.start({ jobId: job_id, attempt })
    await rows.confirmStart(deps.db, { job_id, attempt })
  })
}

/** Terminates the instance of a job where it is active, and waits until it is not, for five seconds at most. */
export async function endInstance({ instances, now }: InstanceDeps, job_id: string, why: string): Promise<void> {
  const deadline = now().getTime() + MAKE_ROOM_MS
  let found = await instances.find(job_id)
  if (found && isActive(found)) await instances.terminate(job_id, why)
  while (found && isActive(found) && now().getTime() < deadline) {
    await pause(LOOK_MS)
    found = await instances.find(job_id)
  }
}

/** A glob of `*` and `?` as a LIKE pattern. */
const likeOf = (glob: string): string =>
  glob
    .replaceAll(/[\\%_]/g, String.raw`\$&`)
    .replaceAll('*', '%')
    .replaceAll('?', '_')
