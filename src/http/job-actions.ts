// What operators do to jobs: cancel, pause, resume, retry, run again; one job, or all that a filter finds. Postgres first, Durable after it.
import { setTimeout as sleep } from 'node:timers/promises'
import pLimit from 'p-limit'
import * as z from 'zod'
import {
  addEvent,
  cancelJob,
  confirmStart,
  type JobChange,
  pauseJob,
  rerunJob,
  resumeJob,
  retryJob,
} from '../db/job-functions.ts'
import { listJobs } from '../db/reading.ts'
import { only } from '../db/sql-function.ts'
import { AppError } from '../rules/errors.ts'
import { Instant, JobId, SnakeName, storableText } from '../models/names.ts'
import { JobStatus } from '../models/words.ts'
import { type Instances, isActive } from '../engine/instances.ts'
import type { Resources } from '../platform/resources.ts'
import { jobLinks } from './job-document.ts'
import { jobOf } from './jobs.ts'
import { type Answer, type Call, type HttpRow, JOB, route } from './route.ts'

/** Why an operator did it; stands in the audit row. */
export const Reason = storableText(1000)
/** Which failed tasks a retry takes: all, of one code, or whose keys match a glob of `*` and `?`. */
const selection = {
  error_code: z.string().min(1).max(64).optional(),
  key_pattern: z.string().min(1).max(2048).optional(),
}
const Plain = z.strictObject({ reason: Reason })
const Retry = z.strictObject({ reason: Reason, ...selection })
type Order = z.infer<typeof Retry> & { readonly actor: string }

interface Action {
  readonly summary: string
  readonly body: z.ZodType<z.infer<typeof Retry>>
  /** Job states that it makes sense for; a bulk order looks at these only. */
  readonly from: readonly JobStatus[]
  run(r: Resources, instances: Instances, job_id: string, order: Order): Promise<JobChange>
}

/** The row decides; an instance that cannot be reached now follows by itself: it asks the row, or the reconciler finds it. */
async function follow(r: Resources, job_id: string, what: () => Promise<void>): Promise<void> {
  try {
    await what()
  } catch (error) {
    r.log.warn('durable.action_failed', { job_id, error })
  }
}

/** How long a start waits for the instance of the attempt before to be gone; later the reconciler does it. */
const MAKE_ROOM_MS = 5000
const LOOK_MS = 50

/** A new attempt. Terminating takes a moment, and a start over an instance that is still there would be taken for done. */
async function begin(r: Resources, instances: Instances, job_id: string, { attempt }: JobChange): Promise<void> {
  await follow(r, job_id, async () => {
    const deadline = r.now().getTime() + MAKE_ROOM_MS
    let found = await instances.find(job_id)
    if (found && isActive(found)) await instances.terminate(job_id, 'a new attempt begins')
    while (found && isActive(found) && r.now().getTime() < deadline) {
      await sleep(LOOK_MS)
      found = await instances.find(job_id)
    }
    await instances.start({ jobId: job_id, attempt })
    await confirmStart(r.db, { job_id, attempt })
  })
}

const ENDED_BADLY = ['failed', 'completed_with_errors', 'cancelled'] as const

export const ACTIONS = {
  cancel: {
    summary: 'ends the job; nothing new is claimed',
    body: Plain,
    from: ['queued', 'processing', 'paused'],
    async run(r, instances, job_id, { reason, actor }) {
      const change = only(await cancelJob(r.db, { job_id, reason, actor }))
      await follow(r, job_id, () => instances.terminate(job_id, reason))
      return change
    },
  },
  pause: {
    summary: 'holds the job; running tasks stop',
    body: Plain,
    from: ['queued', 'processing'],
    async run(r, instances, job_id, { reason, actor }) {
      const change = only(await pauseJob(r.db, { job_id, reason, actor }))
      await follow(r, job_id, () => instances.suspend(job_id, reason))
      return change
    },
  },
  resume: {
    summary: 'lets a paused job go on',
    body: Plain,
    from: ['paused'],
    async run(r, instances, job_id, { reason, actor }) {
      const change = only(await resumeJob(r.db, { job_id, reason, actor }))
      await follow(r, job_id, async () => {
        const found = await instances.find(job_id)
        if (found?.runtimeStatus === 'Suspended') await instances.resume(job_id, reason)
        else if (!found || !isActive(found)) await begin(r, instances, job_id, change)
      })
      return change
    },
  },
  retry: {
    summary: 'failed tasks again as a new attempt: all, by error_code, by key_pattern',
    body: Retry,
    from: ENDED_BADLY,
    async run(r, instances, job_id, { reason, actor, error_code, key_pattern }) {
      const key_like = key_pattern === undefined ? null : likeOf(key_pattern)
      const change = only(await retryJob(r.db, { job_id, reason, actor, error_code: error_code ?? null, key_like }))
      await begin(r, instances, job_id, change)
      return change
    },
  },
  rerun: {
    summary: 'everything again as a new attempt',
    body: Plain,
    from: ['completed', ...ENDED_BADLY],
    async run(r, instances, job_id, { reason, actor }) {
      const row = await jobOf(r, job_id)
      const type = r.jobType(row.job_type)
      if (!type) throw new AppError('JOB_TYPE_UNKNOWN', `This release does not know the job type ${row.job_type}.`)
      const change = only(await rerunJob(r.db, { job_id, reason, actor, total_stages: type.stages.length }))
      await begin(r, instances, job_id, change)
      return change
    },
  },
} as const satisfies Record<string, Action>

/** A glob of `*` and `?` as a LIKE pattern. */
const likeOf = (glob: string): string =>
  glob
    .replaceAll(/[\\%_]/g, String.raw`\$&`)
    .replaceAll('*', '%')
    .replaceAll('?', '_')

const ById = z.object({ job_id: JobId })

/** Retries, reruns and resumes run on: 202; what has ended or holds: 200. */
function rowOf(name: keyof typeof ACTIONS): HttpRow {
  const action: Action = ACTIONS[name]
  return route({
    name: `${name}Job`,
    summary: action.summary,
    method: 'POST',
    path: `jobs/${JOB}/${name}`,
    role: 'operator',
    params: ById,
    body: action.body,
    async handle({ params: { job_id }, body, caller, r, instances, url }): Promise<Answer> {
      const change = await action.run(r, instances, job_id, { ...body, actor: caller.name })
      r.log.info('job.action', { action: name, job_id, actor: caller.name, changed: change.changed })
      const running = change.status === 'queued' || change.status === 'processing'
      return { status: running ? 202 : 200, body: { job_id, ...change, links: jobLinks(url.origin, job_id) } }
    },
  })
}
/** Most jobs of one order: the answer names each. */
const MAX_BULK = 1000
const AT_ONCE = 8

const Bulk = z.strictObject({
  action: z.enum(Object.keys(ACTIONS) as [keyof typeof ACTIONS, ...(keyof typeof ACTIONS)[]]),
  filter: z
    .strictObject({
      type: SnakeName.optional(),
      status: JobStatus.optional(),
      since: Instant.optional(),
      error_code: z.string().min(1).max(64).optional(),
      text: z.string().min(1).max(200).optional(),
    })
    .refine(
      (f) => Object.values(f).some((v) => v !== undefined),
      'must have at least one field: an order for all jobs is never meant',
    ),
  reason: Reason,
  ...selection,
  dry_run: z.boolean().default(true),
  limit: z.int().min(1).max(MAX_BULK).default(100),
})

interface Outcome {
  readonly job_id: string
  readonly was: JobStatus
  readonly outcome: 'would_change' | 'changed' | 'unchanged' | 'refused'
  readonly status?: JobStatus
  readonly code?: string
  readonly message?: string
}

async function bulk({ body, caller, r, instances }: Call<object, object, z.infer<typeof Bulk>>): Promise<Answer> {
  const { action: name, filter, dry_run, limit, ...order } = body
  const action: Action = ACTIONS[name]
  const statuses = action.from.filter((s) => filter.status === undefined || s === filter.status)
  const found = await matching(r, filter, statuses, limit + 1)
  const jobs = found.slice(0, limit)
  const pool = pLimit(AT_ONCE)
  const outcomes = await pool.map(jobs, async ({ job_id, status }): Promise<Outcome> => {
    if (dry_run) return { job_id, was: status, outcome: 'would_change' }
    try {
      const change = await action.run(r, instances, job_id, { ...order, actor: caller.name })
      return { job_id, was: status, outcome: change.changed ? 'changed' : 'unchanged', status: change.status }
    } catch (error) {
      if (!(error instanceof AppError) || error.status >= 500) throw error
      return { job_id, was: status, outcome: 'refused', code: error.code, message: error.message }
    }
  })
  const changed = outcomes.filter((o) => o.outcome === 'changed').length
  if (!dry_run) {
    const data = { filter, reason: body.reason, matched: jobs.length, changed }
    await addEvent(r.db, { job_id: null, event: `bulk.${name}`, actor: caller.name, data })
  }
  return { body: { action: name, dry_run, matched: jobs.length, changed, more: found.length > limit, jobs: outcomes } }
}

/** Jobs of a filter in the given states, newest first. */
async function matching(
  r: Resources,
  filter: z.infer<typeof Bulk>['filter'],
  statuses: readonly JobStatus[],
  limit: number,
): Promise<{ job_id: string; status: JobStatus }[]> {
  const lists = await Promise.all(statuses.map((status) => listJobs(r.db, { ...filter, status, limit })))
  return lists
    .flat()
    .sort((a, b) => b.created_at.getTime() - a.created_at.getTime())
    .slice(0, limit)
}

export const jobActionRoutes: readonly HttpRow[] = [
  ...(Object.keys(ACTIONS) as (keyof typeof ACTIONS)[]).map(rowOf),
  route({
    name: 'changeJobs',
    summary: 'one action for all jobs of a filter; a dry run by default',
    method: 'POST',
    path: 'bulk/jobs',
    role: 'operator',
    body: Bulk,
    handle: bulk,
  }),
]
