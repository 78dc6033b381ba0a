// Jobs: list, status document, Durable instance contract, events.
import * as z from 'zod'
import { addEvent } from '../db/job-functions.ts'
import { type JobPosition, listJobs, LOOKED_THROUGH } from '../db/list-jobs.ts'
import { type JobRow, type JobSummary, listEvents } from '../db/reading.ts'
import { requireJob } from '../engine/require-job.ts'
import { JobId } from '../models/names.ts'
import type { JobStatus } from '../models/words.ts'
import { type Instances, type InstanceStatus, isActive } from '../engine/instances.ts'
import type { Resources } from '../platform/resources.ts'
import { makeCursor, paging, PositionTime, readCursor } from './cursor.ts'
import { instanceHistory } from '../engine/instance-history.ts'
import { ById, jobFilterFields } from './job-filter.ts'
import { jobDocument, jobSummary } from './job-document.ts'
import { pageOf, readingOf } from './pages.ts'
import { type Answer, type Call, JOB, type HttpRow, route } from './route.ts'

export type JobCall = Pick<Call<z.infer<typeof ById>, unknown, undefined>, 'pathParameters' | 'url' | 'r' | 'instances'>

/** The status document, with what Durable says where it can be asked. @throws AppError `JOB_NOT_FOUND` */
export async function statusDocument({ pathParameters, url, r, instances }: JobCall): Promise<Record<string, unknown>> {
  const row = await requireJob(r, pathParameters.job_id)
  return jobDocument(r, row, await tolerant(r, instances, row.job_id), url.origin)
}

const status = async (call: JobCall): Promise<Answer> => ({ body: await statusDocument(call) })

/** A status document without Durable is better than none: the row is the truth. */
async function tolerant(r: Resources, instances: Instances, jobId: string): Promise<InstanceStatus | undefined> {
  try {
    return await instances.find(jobId)
  } catch (error) {
    r.log.warn('durable.status_failed', { job_id: jobId, error })
    return undefined
  }
}

const flag = z
  .enum(['true', 'false', 'True', 'False'])
  .transform((text) => text.toLowerCase() === 'true')
  .optional()
/** What clients of the Durable status contract send. */
const InstanceQuery = z.strictObject({
  showHistory: flag,
  showHistoryOutput: flag,
  showInput: flag,
  returnInternalServerErrorOnFailure: flag,
})
type InstanceCall = Call<z.infer<typeof ById>, z.infer<typeof InstanceQuery>, undefined>

async function instance({ pathParameters, query, url, r, instances }: InstanceCall): Promise<Answer> {
  const row = await requireJob(r, pathParameters.job_id)
  const known = await instances.find(row.job_id)
  const found = known ?? instanceOfRow(row)
  const history =
    known && query.showHistory
      ? { historyEvents: await instanceHistory(instances, row.job_id, query.showHistoryOutput ?? false) }
      : {}
  const body = { ...found, ...(query.showInput === false ? { input: null } : {}), ...history }
  if (isActive(found)) return { status: 202, headers: { location: url.href, 'retry-after': '5' }, body }
  const failed = query.returnInternalServerErrorOnFailure && found.runtimeStatus === 'Failed'
  return { status: failed ? 500 : 200, body }
}

const RUNTIME_STATUS: Record<JobStatus, string> = {
  queued: 'Pending',
  processing: 'Running',
  paused: 'Suspended',
  completed: 'Completed',
  completed_with_errors: 'Completed',
  failed: 'Completed',
  cancelled: 'Terminated',
}

/** The same document from the job row, for an instance that Durable does not know (purged, task hub lost). */
function instanceOfRow(row: JobRow): InstanceStatus {
  const seconds = (at: Date): string => at.toISOString().replace(/\.\d+Z$/, 'Z')
  const runtimeStatus = RUNTIME_STATUS[row.status]
  return {
    name: 'job',
    instanceId: row.job_id,
    runtimeStatus,
    input: { jobId: row.job_id, attempt: row.attempt },
    customStatus: null,
    output: runtimeStatus === 'Completed' ? { status: row.status, attempt: row.attempt } : null,
    createdTime: seconds(row.created_at),
    lastUpdatedTime: seconds(row.updated_at),
  }
}

type ManagementCall = Call<z.infer<typeof ById>, object, undefined>

/** The key within opens start, terminate and purge of every instance: given to operators, kept by nobody, and noted. */
async function management({ pathParameters, caller, r, instances }: ManagementCall): Promise<Answer> {
  const { job_id } = await requireJob(r, pathParameters.job_id)
  await addEvent(r.db, { job_id, event: 'management.read', actor: caller.name, data: {} })
  return { body: instances.managementPayload(job_id) }
}

/** Query of a list of jobs. */
export const JobsQuery = z.strictObject({ ...paging, ...jobFilterFields })

/** A page of jobs, newest first, and the cursor of the next one, while there may be more. @throws AppError `INVALID_CURSOR`, `QUERY_TOO_SLOW` */
export async function jobsPage(r: Resources, query: z.infer<typeof JobsQuery>): Promise<{ jobs: JobSummary[]; next?: string }> {
  const { limit, next, ...filter } = query
  const after = readCursor(next, filter, z.object({ created_at: PositionTime, job_id: JobId }))
  const { rows, stopped } = await listJobs(readingOf(r, filter), { ...filter, after, limit: limit + 1 })
  const position = (last: (typeof rows)[number]): JobPosition => ({ created_at: last.created_key, job_id: last.job_id })
  const { page, more } = pageOf(rows, limit, filter, position)
  // The search of a text goes on where it stopped: such a page may be short, or empty.
  const further = stopped && !more.next ? { next: makeCursor(filter, stopped) } : {}
  return { jobs: page.map(jobSummary), ...more, ...further }
}

async function list({ query, r }: Call<object, z.infer<typeof JobsQuery>, undefined>): Promise<Answer> {
  const { jobs, ...more } = await jobsPage(r, query)
  return { body: { jobs, count: jobs.length, ...more } }
}

const EventsQuery = z.strictObject(paging)

async function events({
  pathParameters,
  query,
  r,
}: Call<z.infer<typeof ById>, z.infer<typeof EventsQuery>, undefined>): Promise<Answer> {
  await requireJob(r, pathParameters.job_id)
  const after = readCursor(query.next, pathParameters, z.object({ event_id: z.string().regex(/^\d{1,18}$/) }))
  const rows = await listEvents(readingOf(r), pathParameters.job_id, after?.event_id ?? '0', query.limit + 1)
  const { page, more } = pageOf(rows, query.limit, pathParameters, (last) => ({ event_id: last.event_id }))
  return { body: { events: page, count: page.length, ...more } }
}

export const jobRoutes: readonly HttpRow[] = [
  route({
    name: 'listJobs',
    summary: `jobs, newest first; filter by \`type\`, \`status\`, \`since\`, \`error_code\`, \`text\`; \`limit\`, \`next\`; a \`text\` is looked for in ${LOOKED_THROUGH.toLocaleString('en')} jobs at a time, so that a page may be short, or empty, and still have \`next\``,
    method: 'GET',
    path: 'jobs',
    role: 'reader',
    query: JobsQuery,
    handle: list,
  }),
  route({
    name: 'getJobStatus',
    summary: 'status, stages with counts, progress, result, error',
    method: 'GET',
    path: `jobs/status/${JOB}`,
    role: 'reader',
    pathParameters: ById,
    handle: status,
  }),
  route({
    name: 'getJob',
    summary: 'status, stages with counts, progress, result, error',
    method: 'GET',
    path: `jobs/${JOB}`,
    role: 'reader',
    pathParameters: ById,
    handle: status,
  }),
  route({
    name: 'getJobInstance',
    summary: 'the Durable status contract: 202 while it runs, 200 at the end',
    method: 'GET',
    path: `jobs/${JOB}/instance`,
    role: 'reader',
    pathParameters: ById,
    query: InstanceQuery,
    handle: instance,
  }),
  route({
    name: 'getJobManagement',
    summary: 'the management addresses of the Durable extension, with its key; noted',
    method: 'GET',
    path: `jobs/${JOB}/management`,
    role: 'operator',
    pathParameters: ById,
    handle: management,
  }),
  route({
    name: 'listJobEvents',
    summary: 'what happened to the job, in order',
    method: 'GET',
    path: `jobs/${JOB}/events`,
    role: 'reader',
    pathParameters: ById,
    query: EventsQuery,
    handle: events,
  }),
]
