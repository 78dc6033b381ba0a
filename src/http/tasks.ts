// Tasks of a job: list, one task with its lineage. Keys may hold any character, slashes too.
import * as z from 'zod'
import { findTask, listLineage, listTasks, type TaskRow } from '../db/reading.ts'
import { AppError } from '../engine/errors.ts'
import { JobId, TaskKey } from '../models/names.ts'
import { TaskStatus } from '../models/words.ts'
import { makeCursor, paging, readCursor } from './cursor.ts'
import { jobOf } from './jobs.ts'
import { type Answer, type Call, route } from './route.ts'

const stage = z.coerce.number().int().min(1).max(1000)
const ListParams = z.object({ job_id: JobId })
const ListQuery = z.strictObject({
  ...paging,
  stage: stage.optional(),
  status: TaskStatus.optional(),
  error_code: z.string().min(1).max(64).optional(),
  text: z.string().min(1).max(200).optional(),
})

async function list({
  params,
  query,
  r,
}: Call<z.infer<typeof ListParams>, z.infer<typeof ListQuery>, undefined>): Promise<Answer> {
  await jobOf(r, params.job_id)
  const { limit, next, ...filter } = query
  const bound = { ...params, ...filter }
  const after = readCursor(next, bound, z.object({ stage: z.int(), task_no: z.int() }))
  const rows = await listTasks(r.db, params.job_id, { ...filter, after, limit: limit + 1 })
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  const more = rows.length > limit && last ? { next: makeCursor(bound, { stage: last.stage, task_no: last.task_no }) } : {}
  return { body: { tasks: page, count: page.length, ...more } }
}

const OneParams = z.object({ job_id: JobId, stage, key: TaskKey })

async function one({ params, r }: Call<z.infer<typeof OneParams>, object, undefined>): Promise<Answer> {
  const task = await findTask(r.db, params.job_id, params.stage, params.key)
  if (!task) {
    await jobOf(r, params.job_id)
    throw new AppError('TASK_NOT_FOUND', `Stage ${params.stage} has no task ${JSON.stringify(params.key)}.`)
  }
  const lineage = (await listLineage(r.db, params.job_id, params.stage, params.key)).map(ancestor)
  return { body: { ...task, lineage } }
}

function ancestor({ stage, stage_name, task_no, task_key, status, result_data, error_code }: TaskRow): Record<string, unknown> {
  return { stage, stage_name, task_no, task_key, status, result_data, error_code }
}

route({
  name: 'listJobTasks',
  method: 'GET',
  path: 'jobs/{job_id}/tasks',
  role: 'reader',
  params: ListParams,
  query: ListQuery,
  handle: list,
})
route({
  name: 'getJobTask',
  method: 'GET',
  path: 'jobs/{job_id}/tasks/{stage}/{*key}',
  role: 'reader',
  params: OneParams,
  handle: one,
})
