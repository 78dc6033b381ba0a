// Tasks of a job: list, one task with its lineage. Keys may hold any character, slashes too.
import * as z from 'zod'
import { findTask, listLineage, listTasks, type TaskRow } from '../db/reading-tasks.ts'
import { groupErrors, listFailedTasks } from '../db/reading-failures.ts'
import { requireJob } from '../engine/require-job.ts'
import { AppError } from '../rules/errors.ts'
import { Instant, JobId, SnakeName, TaskKey } from '../models/names.ts'
import { TaskStatus } from '../models/words.ts'
import type { Resources } from '../platform/resources.ts'
import { Ordinal, paging, PositionTime, readCursor } from './cursor.ts'
import { ById, failureFields } from './job-filter.ts'
import { withHrefs } from './job-file-names.ts'
import { pageOf, readingOf, withoutEmptyCut } from './pages.ts'
import { type Answer, type Call, JOB, type HttpRow, route } from './route.ts'

const stage = z.coerce.number().int().min(1).max(1000)
const ListQuery = z.strictObject({
  ...paging,
  stage: stage.optional(),
  status: TaskStatus.optional(),
  ...failureFields,
})

async function list({
  pathParameters,
  query,
  url,
  r,
}: Call<z.infer<typeof ById>, z.infer<typeof ListQuery>, undefined>): Promise<Answer> {
  await requireJob(r, pathParameters.job_id)
  const { limit, next, ...filter } = query
  const bound = { ...pathParameters, ...filter }
  const after = readCursor(next, bound, z.object({ stage: Ordinal, task_no: Ordinal }))
  const rows = await listTasks(readingOf(r, filter), pathParameters.job_id, { ...filter, after, limit: limit + 1 })
  const { page, more } = pageOf(rows, limit, bound, (last) => ({ stage: last.stage, task_no: last.task_no }))
  return { body: { tasks: withHrefs(page.map(withoutEmptyCut), url.origin), count: page.length, ...more } }
}

const FailedQuery = z.strictObject({
  ...paging,
  status: z.literal('failed').default('failed').describe('only failed tasks are indexed across jobs'),
  since: Instant,
  type: SnakeName.optional(),
  stage_name: SnakeName.optional(),
  ...failureFields,
})
const FailedPosition = z.object({ finished_at: PositionTime, stage_id: Ordinal, task_no: Ordinal })

/** What failed since then, whatever the job. */
async function failed({ query, r }: Call<object, z.infer<typeof FailedQuery>, undefined>): Promise<Answer> {
  const { limit, next, ...bound } = query
  const { type: job_type, status: _status, ...filter } = bound
  const after = readCursor(next, bound, FailedPosition)
  const rows = await listFailedTasks(readingOf(r, filter), { ...filter, job_type, after, limit: limit + 1 })
  const { page, more } = pageOf(rows, limit, bound, (last) => ({
    finished_at: last.finished_key,
    stage_id: last.stage_id,
    task_no: last.task_no,
  }))
  const tasks = page.map(({ stage_id: _id, finished_key: _key, ...task }) => withoutEmptyCut(task))
  return { body: { tasks, count: tasks.length, ...more } }
}

async function errors({ pathParameters, r }: Call<z.infer<typeof ById>, object, undefined>): Promise<Answer> {
  await requireJob(r, pathParameters.job_id)
  const groups = await groupErrors(readingOf(r), pathParameters.job_id)
  return { body: { errors: groups, count: groups.length, failed: groups.reduce((sum, g) => sum + g.count, 0) } }
}

const OneParams = z.object({ job_id: JobId, stage, key: TaskKey })

/** The chain alone: from the task itself to where it began. */
async function chain({ pathParameters, r }: Call<z.infer<typeof OneParams>, object, undefined>): Promise<Answer> {
  const task = await taskOf(r, pathParameters)
  const lineage = [task, ...(await listLineage(r.db, pathParameters.job_id, pathParameters.stage, pathParameters.key))].map(
    ancestor,
  )
  return {
    body: { job_id: pathParameters.job_id, lineage, count: lineage.length, complete: lineage.length === pathParameters.stage },
  }
}

async function one({ pathParameters, url, r }: Call<z.infer<typeof OneParams>, object, undefined>): Promise<Answer> {
  const task = await taskOf(r, pathParameters)
  const lineage = (await listLineage(r.db, pathParameters.job_id, pathParameters.stage, pathParameters.key)).map(ancestor)
  return { body: withHrefs({ ...task, lineage }, url.origin) }
}

/** @throws AppError `JOB_NOT_FOUND`, `TASK_NOT_FOUND` */
async function taskOf(r: Resources, { job_id, stage: stageNo, key }: z.infer<typeof OneParams>): Promise<TaskRow> {
  const task = await findTask(r.db, job_id, stageNo, key)
  if (task) return task
  await requireJob(r, job_id)
  throw new AppError('TASK_NOT_FOUND', `Stage ${stageNo} has no task ${JSON.stringify(key)}.`)
}

function ancestor({ stage, stage_name, task_no, task_key, status, result_data, error_code }: TaskRow): Record<string, unknown> {
  return { stage, stage_name, task_no, task_key, status, result_data, error_code }
}

export const taskRoutes: readonly HttpRow[] = [
  route({
    name: 'listJobTasks',
    summary: 'tasks of a job; filter by `stage`, `status`, `error_code`, `text`; `limit`, `next`',
    method: 'GET',
    path: `jobs/${JOB}/tasks`,
    role: 'reader',
    pathParameters: ById,
    query: ListQuery,
    handle: list,
  }),
  route({
    name: 'getJobTask',
    summary: 'one task with its lineage',
    method: 'GET',
    path: `jobs/${JOB}/tasks/{stage}/{*key}`,
    role: 'reader',
    pathParameters: OneParams,
    handle: one,
  }),
  route({
    name: 'getJobTaskLineage',
    summary: 'where a task came from, stage by stage',
    method: 'GET',
    path: `jobs/${JOB}/lineage/{stage}/{*key}`,
    role: 'reader',
    pathParameters: OneParams,
    handle: chain,
  }),
  route({
    name: 'listJobErrors',
    summary: 'what failed in the job, grouped by stage and code',
    method: 'GET',
    path: `jobs/${JOB}/errors`,
    role: 'reader',
    pathParameters: ById,
    handle: errors,
  }),
  route({
    name: 'listFailedTasks',
    summary: 'what failed across all jobs; `since`, and filter by `type`, `stage_name`, `error_code`, `text`',
    method: 'GET',
    path: 'tasks',
    role: 'reader',
    query: FailedQuery,
    handle: failed,
  }),
]
