// Doors for what operators do to jobs: one job, or all that a filter finds.
import * as z from 'zod'
import { changeJobs, purgeJobs } from '../engine/bulk.ts'
import { changeJob, JOB_ACTIONS, type JobAction } from '../engine/lifecycle.ts'
import { purgeOne } from '../engine/purge-one.ts'
import { storableText } from '../models/names.ts'
import { ById, failureFields, jobFilterFields } from './job-filter.ts'
import { jobLinks } from './job-document.ts'
import { type HttpRow, JOB, route } from './route.ts'

/** Why an operator did it; stands in the audit row. */
export const Reason = storableText(1000)
/** Which failed tasks a retry takes: all, of one code, or whose keys match a glob of `*` and `?`. */
const selection = {
  error_code: failureFields.error_code,
  key_pattern: z.string().min(1).max(2048).optional(),
}
const Plain = z.strictObject({ reason: Reason })
const Retry = z.strictObject({ reason: Reason, ...selection })

const SUMMARIES: Readonly<Record<JobAction, string>> = {
  cancel: 'ends the job; nothing new is claimed',
  pause: 'holds the job; running tasks stop',
  resume: 'lets a paused job go on',
  retry: 'failed tasks again as a new attempt: all, by `error_code`, by `key_pattern` (`*`, `?`); completed ones are kept',
  rerun: 'everything again as a new attempt',
}

/** Retries, reruns and resumes run on: 202; what has ended or holds: 200. */
function rowOf(action: JobAction): HttpRow {
  const body: z.ZodType<z.infer<typeof Retry>> = action === 'retry' ? Retry : Plain
  return route({
    name: `${action}Job`,
    summary: SUMMARIES[action],
    method: 'POST',
    path: `jobs/${JOB}/${action}`,
    role: 'operator',
    pathParameters: ById,
    body,
    async handle({ pathParameters: { job_id }, body: order, caller, r, instances, url }) {
      const change = await changeJob({ ...r, instances }, action, job_id, { ...order, actor: caller.name })
      r.log.info('job.action', { action, job_id, actor: caller.name, changed: change.changed })
      const isRunning = change.status === 'queued' || change.status === 'processing'
      return { status: isRunning ? 202 : 200, body: { job_id, ...change, links: jobLinks(url.origin, job_id) } }
    },
  })
}

/** Most jobs of one order: the answer names each. */
const MAX_BULK = 1000
const bulkFields = {
  filter: z
    .strictObject(jobFilterFields)
    .refine(
      (f) => Object.values(f).some((v) => v !== undefined),
      'must have at least one field: an order for all jobs is never meant',
    ),
  reason: Reason,
  dry_run: z.boolean().default(true),
  limit: z.int().min(1).max(MAX_BULK).default(100),
}
const Bulk = z.strictObject({ action: z.enum(JOB_ACTIONS), ...bulkFields, ...selection })
const BulkPurge = z.strictObject(bulkFields)

export const jobActionRoutes: readonly HttpRow[] = [
  ...JOB_ACTIONS.map(rowOf),
  route({
    name: 'purgeJob',
    summary: 'removes an ended job with its tasks, events and history before its age; what it made stays',
    method: 'POST',
    path: `jobs/${JOB}/purge`,
    role: 'admin',
    pathParameters: ById,
    body: Plain,
    async handle({ pathParameters: { job_id }, body: { reason }, caller, r, instances }) {
      const changed = await purgeOne({ ...r, instances }, job_id, { reason, actor: caller.name })
      r.log.info('job.action', { action: 'purge', job_id, actor: caller.name, changed })
      return { body: { job_id, purged: true, changed } }
    },
  }),
  route({
    name: 'changeJobs',
    summary: 'one of these for all jobs of a `filter`; `dry_run` (the default) only lists them',
    method: 'POST',
    path: 'bulk/jobs',
    role: 'operator',
    body: Bulk,
    handle: async ({ body: { action, ...order }, caller, r, instances }) => ({
      body: await changeJobs({ ...r, instances }, action, { ...order, actor: caller.name }),
    }),
  }),
  route({
    name: 'purgeEndedJobs',
    summary: 'removes the ended jobs of a `filter` before their age; `dry_run` (the default) only lists them',
    method: 'POST',
    path: 'bulk/purge',
    role: 'admin',
    body: BulkPurge,
    handle: async ({ body, caller, r, instances }) => ({
      body: await purgeJobs({ ...r, instances }, { ...body, actor: caller.name }),
    }),
  }),
]
