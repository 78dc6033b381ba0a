// Diagnostics of the database for administrators: read-only, each within 30 s, whole rows as they stand.
import * as z from 'zod'
import * as ask from '../db/diagnostics.ts'
import { readMigrations, readServerFacts } from '../db/inspect.ts'
import { type Database, readingWithin } from '../db/pool.ts'
import { testFunctions } from '../db/self-test.ts'
import { requireJob } from '../engine/require-job.ts'
import { JobId, SnakeName } from '../models/names.ts'
import { JobStatus, TaskStatus } from '../models/words.ts'
import type { Resources } from '../platform/resources.ts'
import { ById } from './job-filter.ts'
import { PAGE_BYTES } from './pages.ts'
import { type Answer, type Call, type HttpRow, JOB, route } from './route.ts'

const READ_MS = 30_000
const reading = (r: Resources): Database => readingWithin(r.db, READ_MS, { sort: true })

const limit = z.coerce.number().int().min(1).max(1000).default(100)
const hours = z.coerce.number().positive().max(87_600).optional()
const JobsQuery = z.strictObject({ type: SnakeName.optional(), status: JobStatus.optional(), hours, limit })
const taskFields = { status: TaskStatus.optional(), stage: z.coerce.number().int().min(1).max(1000).optional(), limit }
const TasksQuery = z.strictObject({ job_id: JobId.optional(), hours, ...taskFields })
const TasksOfJobQuery = z.strictObject(taskFields)
const AllQuery = z.strictObject({ limit: limit.default(10) })

/** As many of the rows as fit into a page; `cut` says that there are more. */
function rowsOf(name: string, rows: readonly object[]): Record<string, unknown> {
  const kept: object[] = []
  let bytes = 0
  for (const row of rows) {
    bytes += Buffer.byteLength(JSON.stringify(row))
    if (bytes > PAGE_BYTES && kept.length > 0) break
    kept.push(row)
  }
  return { [name]: kept, count: kept.length, ...(kept.length < rows.length ? { cut: rows.length - kept.length } : {}) }
}

async function stats({ r }: Call<object, object, undefined>): Promise<Answer> {
  const db = reading(r)
  const [server, migrations, tables, counts] = await Promise.all([
    readServerFacts(db),
    readMigrations(db),
    ask.readTableStatistics(db),
    ask.countByStatus(db),
  ])
  const { totalCount, idleCount, waitingCount } = r.db.pg
  return { body: { server, migrations, tables, ...counts, pool: { total: totalCount, idle: idleCount, waiting: waitingCount } } }
}

async function jobs({ query: { type, ...query }, r }: Call<object, z.infer<typeof JobsQuery>, undefined>): Promise<Answer> {
  return { body: rowsOf('jobs', await ask.readJobRows(reading(r), { ...query, job_type: type })) }
}

async function job({ pathParameters: { job_id }, r }: Call<z.infer<typeof ById>, object, undefined>): Promise<Answer> {
  await requireJob(r, job_id)
  const db = reading(r)
  const [[row], stages] = await Promise.all([
    ask.readJobRows(db, { job_id, limit: 1 }),
    ask.readStageRows(db, { job_id, limit: 1000 }),
  ])
  return { body: { job: row, stages } }
}

async function tasks({ query: { stage, ...query }, r }: Call<object, z.infer<typeof TasksQuery>, undefined>): Promise<Answer> {
  return { body: rowsOf('tasks', await ask.readTaskRows(reading(r), { ...query, stage_no: stage })) }
}

type TasksOfJobCall = Call<z.infer<typeof ById>, z.infer<typeof TasksOfJobQuery>, undefined>
async function tasksOfJob({ pathParameters: { job_id }, query: { stage, ...query }, r }: TasksOfJobCall): Promise<Answer> {
  await requireJob(r, job_id)
  return { body: rowsOf('tasks', await ask.readTaskRows(reading(r), { ...query, job_id, stage_no: stage })) }
}

async function all({ query, r }: Call<object, z.infer<typeof AllQuery>, undefined>): Promise<Answer> {
  const db = reading(r)
  const [jobRows, stages, taskRows, others] = await Promise.all([
    ask.readJobRows(db, query),
    ask.readStageRows(db, query),
    ask.readTaskRows(db, query),
    ask.readOtherRows(db, query.limit),
  ])
  return { body: { jobs: jobRows, stages, tasks: taskRows, ...others } }
}

async function enums({ r }: Call<object, object, undefined>): Promise<Answer> {
  const found = await ask.diagnoseEnums(reading(r))
  return { body: { ok: found.every((f) => f.ok), enums: found } }
}

async function functions({ r }: Call<object, object, undefined>): Promise<Answer> {
  const found = await testFunctions(r.db)
  return { body: { ok: found.every((f) => f.ok), functions: found } }
}

const admin = { method: 'GET', role: 'admin' } as const

export const dbRoutes: readonly HttpRow[] = [
  route({
    ...admin,
    name: 'getDbStats',
    summary: 'server, migrations, size of each table, jobs and open tasks by status, connections of this process',
    path: 'db/stats',
    handle: stats,
  }),
  route({
    ...admin,
    name: 'listDbJobs',
    summary: 'whole job rows, newest first; `type`, `status`, `hours`, `limit`',
    path: 'db/jobs',
    query: JobsQuery,
    handle: jobs,
  }),
  route({
    ...admin,
    name: 'getDbJob',
    summary: 'one job row with all its stage rows, also retired ones',
    path: `db/jobs/${JOB}`,
    pathParameters: ById,
    handle: job,
  }),
  route({
    ...admin,
    name: 'listDbTasks',
    summary: 'whole task rows; `job_id`, `status`, `stage`, `hours`, `limit`',
    path: 'db/tasks',
    query: TasksQuery,
    handle: tasks,
  }),
  route({
    ...admin,
    name: 'listDbTasksOfJob',
    summary: 'whole task rows of one job; `status`, `stage`, `limit`',
    path: `db/tasks/${JOB}`,
    pathParameters: ById,
    query: TasksOfJobQuery,
    handle: tasksOfJob,
  }),
  route({
    ...admin,
    name: 'diagnoseDbEnums',
    summary: 'the words that columns take, in this release and in the database',
    path: 'db/enums/diagnostic',
    handle: enums,
  }),
  route({
    ...admin,
    name: 'testDbFunctions',
    summary: 'calls the SQL functions that move jobs, in a transaction that is rolled back',
    path: 'db/functions/test',
    handle: functions,
  }),
  route({
    ...admin,
    name: 'getDbRows',
    summary: 'the newest rows of every table of the job machine; `limit`',
    path: 'db/debug/all',
    query: AllQuery,
    handle: all,
  }),
]
