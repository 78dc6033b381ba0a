// The tiles of a raster job as GeoJSON: where each lies, what it reads, and how it is doing.
import { listTasks } from '../db/reading-tasks.ts'
import type { AnyStage } from '../define/define-job.ts'
import { requireJob } from '../engine/require-job.ts'
import { stageResults } from '../engine/stage-results.ts'
import { INTERNAL_CONTAINER } from '../models/blob-store.ts'
import { AppError } from '../rules/errors.ts'
import { ById } from './job-filter.ts'
import { type Answer, type Call, JOB, type HttpRow, route } from './route.ts'
import type * as z from 'zod'

/** The stages that make tiles, by what they are called in every job type that does. */
const PLAN = 'plan_tiles'
const TILES = 'create_cog_tiles'
const PAGE = 1000
/** Of one answer; a job of many files has more, and its tasks can be listed. */
const MOST_FEATURES = 20_000

interface Feature {
  readonly id: string
  readonly properties: Record<string, unknown>
}

async function tiles({ pathParameters: { job_id }, r }: Call<z.infer<typeof ById>, object, undefined>): Promise<Answer> {
  const row = await requireJob(r, job_id)
  const job = r.jobType(row.job_type)
  const stages: readonly AnyStage[] = job?.stages ?? []
  const plan = stages.find((s) => s.name === PLAN)
  if (!job || !plan) throw new AppError('NO_TILES', `A job of type ${row.job_type} has no tiles.`)
  const features: Feature[] = []
  for await (const { result } of stageResults(r, job, job_id, plan)) {
    const { tiles_blob } = result as { tiles_blob: string }
    const body = await r.blobs.read({ container: INTERNAL_CONTAINER, blob: tiles_blob })
    features.push(...(JSON.parse(body.toString('utf8')) as { features: Feature[] }).features)
    if (features.length > MOST_FEATURES) break
  }
  if (features.length === 0)
    throw new AppError(
      'PLAN_NOT_READY',
      `The tiles of job ${job_id} are not planned yet: it is ${row.status}, stage ${row.stage}.`,
    )
  const status = await statuses(r, job_id, stages.findIndex((s) => s.name === TILES) + 1)
  return {
    headers: { 'content-type': 'application/geo+json' },
    body: {
      type: 'FeatureCollection',
      features: features
        .slice(0, MOST_FEATURES)
        .map((f) => ({ ...f, properties: { ...f.properties, status: status.get(f.id) ?? 'planned' } })),
      ...(features.length > MOST_FEATURES ? { truncated: true } : {}),
    },
  }
}

async function statuses(r: Call<object, object, undefined>['r'], jobId: string, stage: number): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (let task_no = 0; found.size < MOST_FEATURES;) {
    const rows = await listTasks(r.db, jobId, { stage, after: { stage, task_no }, limit: PAGE })
    for (const row of rows) found.set(row.task_key, row.status)
    const last = rows.at(-1)
    if (!last || rows.length < PAGE) break
    task_no = last.task_no
  }
  return found
}

export const jobTileRoutes: readonly HttpRow[] = [
  route({
    name: 'getJobTiles',
    summary: 'the tiles of a raster job as GeoJSON, each with the status of its task',
    method: 'GET',
    path: `jobs/${JOB}/tiles`,
    role: 'reader',
    pathParameters: ById,
    handle: tiles,
  }),
]
