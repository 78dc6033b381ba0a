// What the monitor page needs at once, so that each of its refreshes is one request: jobs with progress, one job with its figures, who asks.
import * as z from 'zod'
import { groupErrors } from '../db/reading-failures.ts'
import { listStagesOf } from '../db/reading.ts'
import { recentCompletionsOf } from '../db/reading-tasks.ts'
import { slowestTasks, stageFigures } from '../db/monitor-reading.ts'
import { requireJob } from '../engine/require-job.ts'
import { isTerminalJob } from '../models/words.ts'
import { RELEASE } from '../platform/release.ts'
import { ById } from './job-filter.ts'
import { withHrefs } from './job-file-names.ts'
import { openStageOf, progressOf } from './job-progress.ts'
import { type JobCall, JobsQuery, jobsPage, statusDocument } from './jobs.ts'
import { readingOf, withoutEmptyCut } from './pages.ts'
import { type Answer, type Call, JOB, type HttpRow, route } from './route.ts'

async function jobs({ query, r }: Call<object, z.infer<typeof JobsQuery>, undefined>): Promise<Answer> {
  const { jobs, ...more } = await jobsPage(r, query)
  const db = readingOf(r)
  const stages = Map.groupBy(
    await listStagesOf(
      db,
      jobs.map((job) => job.job_id),
    ),
    (stage) => stage.job_id,
  )
  const running = jobs.flatMap((job) => {
    const open = isTerminalJob(job.status) ? undefined : openStageOf(stages.get(job.job_id) ?? [])
    return open ? [{ job_id: job.job_id, stage: open.stage }] : []
  })
  const completions = Map.groupBy(running.length > 0 ? await recentCompletionsOf(db, running) : [], (point) => point.job_id)
  const rows = jobs.map((job) => {
    const own = stages.get(job.job_id) ?? []
    const sum = (of: 'failed' | 'running' | 'retrying'): number => own.reduce((total, stage) => total + (stage[of] ?? 0), 0)
    return {
      ...job,
      stage_name: own.find((s) => s.stage === job.stage)?.name ?? null,
      progress: {
        ...progressOf(job, own, completions.get(job.job_id) ?? [], r.now()),
        failed: sum('failed'),
        running: sum('running'),
        retrying: sum('retrying'),
      },
    }
  })
  return { body: { jobs: rows, count: rows.length, ...more, at: r.now().toISOString() } }
}

async function job(call: JobCall): Promise<Answer> {
  const { r, pathParameters } = call
  const document = await statusDocument(call)
  const db = readingOf(r)
  const [figures, errors] = await Promise.all([stageFigures(db, pathParameters.job_id), groupErrors(db, pathParameters.job_id)])
  return { body: { job: document, figures, errors, at: r.now().toISOString() } }
}

const SlowestQuery = z.strictObject({
  stage: z.coerce.number().int().min(1).max(1000).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(100),
})

async function slowest({
  pathParameters: { job_id },
  query,
  url,
  r,
}: Call<z.infer<typeof ById>, z.infer<typeof SlowestQuery>, undefined>): Promise<Answer> {
  await requireJob(r, job_id)
  const tasks = await slowestTasks(readingOf(r), job_id, query)
  return { body: { tasks: withHrefs(tasks.map(withoutEmptyCut), url.origin), count: tasks.length } }
}

/** The settings behind the links are no secrets, but nobody's business who may not even read jobs. */
function whoami({ caller, r: { config } }: Call<object, object, undefined>): Promise<Answer> {
  const { AUTH_MODE, ENVIRONMENT, MONITOR_SITE_ID, MONITOR_INSIGHTS_ID, MONITOR_SCHEDULER_URL } = config
  return Promise.resolve({
    body: {
      ...caller,
      auth_mode: AUTH_MODE,
      environment: ENVIRONMENT,
      release: RELEASE,
      containers: { bronze: config.BRONZE_CONTAINER, silver: config.SILVER_CONTAINER, gold: config.GOLD_CONTAINER },
      links: {
        site: MONITOR_SITE_ID ?? null,
        insights: MONITOR_INSIGHTS_ID ?? null,
        scheduler: MONITOR_SCHEDULER_URL ?? null,
      },
    },
  })
}

export const monitorDataRoutes: readonly HttpRow[] = [
  route({
    name: 'listMonitorJobs',
    summary: 'as `/api/jobs`, each job with its progress, failures and when it may end',
    method: 'GET',
    path: 'monitor/jobs',
    role: 'reader',
    query: JobsQuery,
    handle: jobs,
  }),
  route({
    name: 'getMonitorJob',
    summary: 'the status document with task times and completions of each stage, and errors by code',
    method: 'GET',
    path: `monitor/jobs/${JOB}`,
    role: 'reader',
    pathParameters: ById,
    handle: job,
  }),
  route({
    name: 'listSlowestTasks',
    summary: 'the tasks of a job that took longest; `stage`, `limit`',
    method: 'GET',
    path: `monitor/jobs/${JOB}/slowest`,
    role: 'reader',
    pathParameters: ById,
    query: SlowestQuery,
    handle: slowest,
  }),
  route({
    name: 'getCaller',
    summary: 'who asks: name, role, how callers are checked; release and links of this deployment',
    method: 'GET',
    path: 'whoami',
    role: 'reader',
    handle: whoami,
  }),
  route({
    name: 'getAdmin',
    summary: 'as `/api/whoami`, for admins: a key does not say what it opens, so that trying is the way to know',
    method: 'GET',
    path: 'whoami/admin',
    role: 'admin',
    handle: whoami,
  }),
]
