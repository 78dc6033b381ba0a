// What routes answer with, where it is not a 200 with a JSON object: statuses, media types, and the shape of the documents that clients build on.
import * as z from 'zod'
import { JobStatus, StageOutcome, TaskStatus } from '../models/words.ts'

export interface DeclaredAnswer {
  readonly description: string
  /** Default: application/json. Null: no body. */
  readonly type?: string | null
  readonly schema?: z.ZodType
}
type Answers = Readonly<Record<number, DeclaredAnswer>>

const time = z.iso.datetime({ offset: true })
const page = { count: z.int().min(0), next: z.string().optional().describe('of the next page; not there on the last one') }
const JobSummary = z.looseObject({
  job_id: z.string().regex(/^[0-9a-f]{64}$/),
  job_type: z.string(),
  status: JobStatus,
  attempt: z.int().min(1),
  stage: z.int().min(0),
  total_stages: z.int().min(1),
  parameters: z.unknown(),
  metadata: z.unknown(),
  error_code: z.string().nullable(),
  submitted_by: z.string().nullable(),
  created_at: time,
  started_at: time.nullable(),
  finished_at: time.nullable(),
  updated_at: time,
})
const Stage = z.looseObject({
  stage: z.int().min(1),
  name: z.string(),
  outcome: StageOutcome.nullable(),
  expected: z.int().min(0),
  completed: z.int().min(0),
  failed: z.int().min(0),
  skipped: z.int().min(0),
})
const JobDocument = JobSummary.extend({
  stages: z.array(Stage),
  progress: z.looseObject({
    percent: z.number().min(0).max(100),
    done: z.int().min(0),
    total: z.int().min(0),
    estimated: z.boolean(),
  }),
  result: z.unknown(),
  error: z.object({ code: z.string(), details: z.string().nullable() }).nullable(),
  runtime_status: z.string().nullable(),
  links: z.record(z.string(), z.url()),
})
const Task = z.looseObject({
  job_id: z.string(),
  stage: z.int().min(1),
  stage_name: z.string(),
  task_key: z.string(),
  status: TaskStatus,
  claims: z.int().min(0),
  error_code: z.string().nullable(),
})
const Submitted = z.looseObject({
  job_id: z.string(),
  job_type: z.string(),
  status: JobStatus,
  created: z.boolean(),
  attempt: z.int().min(1),
  parameters: z.unknown(),
  links: z.record(z.string(), z.url()),
})
const Changed = z.looseObject({ job_id: z.string(), status: JobStatus, attempt: z.int().min(1), changed: z.boolean() })
const Schedule = z.looseObject({
  schedule_id: z.string(),
  job_type: z.string(),
  cron: z.string(),
  time_zone: z.string(),
  missed: z.string(),
  is_paused: z.boolean(),
  next_due_at: time.nullable(),
  next_due_times: z.array(time),
})
const Webhook = z.looseObject({
  webhook_id: z.string(),
  url: z.string(),
  secret_name: z.string(),
  job_type: z.string().nullable(),
  statuses: z.array(z.string()),
  is_paused: z.boolean(),
})
const Check = z.looseObject({
  name: z.string(),
  status: z.enum(['ok', 'degraded', 'failed', 'skipped', 'timeout']),
  ms: z.number().min(0),
})
const Ready = z.looseObject({ status: z.enum(['ready', 'not_ready']), checks: z.array(Check), breakers: z.array(z.unknown()) })
const Full = z.looseObject({ status: z.enum(['ok', 'degraded', 'failed']), checks: z.array(Check) })

const json = (description: string, schema?: z.ZodType): DeclaredAnswer => ({ description, ...(schema ? { schema } : {}) })
const list = (name: string, element: z.ZodType): Answers => ({
  200: json('one page', z.looseObject({ [name]: z.array(element), ...page })),
})
const action: Answers = { 200: json('it has ended, or holds', Changed), 202: json('it runs on', Changed) }
const put = (schema: z.ZodType): Answers => ({ 200: json('it was changed', schema), 201: json('it was made', schema) })
const GEOJSON = 'application/geo+json'
const picture = (description: string): Answers => ({ 200: { description, type: 'image/png' } })

const KNOWN: Answers = { 304: { description: 'it is known', type: null } }
const features: Answers = { 200: { description: 'GeoJSON features', type: GEOJSON }, ...KNOWN }

/** By the name of the function. */
export const ANSWERS: Readonly<Record<string, Answers>> = {
  submitJob: { 200: json('the job has ended; this is it', Submitted), 202: json('it runs', Submitted) },
  listJobs: list('jobs', JobSummary),
  getJob: { 200: json('status, stages, progress, result, error', JobDocument) },
  getJobStatus: { 200: json('status, stages, progress, result, error', JobDocument) },
  getJobInstance: {
    200: json('it has ended'),
    202: json('it runs'),
    500: json('it failed, and the query asked for this status'),
  },
  listJobTasks: list('tasks', Task),
  listFailedTasks: list('tasks', Task),
  listJobEvents: list('events', z.looseObject({ at: time, actor: z.string(), event: z.string() })),
  cancelJob: action,
  pauseJob: action,
  resumeJob: action,
  retryJob: action,
  rerunJob: action,
  getJobFile: {
    200: { description: 'the file, as lines or as stored', type: '*/*' },
    206: { description: 'a range of it', type: '*/*' },
    304: { description: 'it is known', type: null },
    416: json('the range is beyond its end'),
  },
  downloadBlob: {
    200: { description: 'the bytes', type: '*/*' },
    206: { description: 'a range of them', type: '*/*' },
    304: { description: 'they are known', type: null },
    416: json('the range is beyond the end'),
  },
  getBlobs: { 200: json('blobs, or properties of one'), 304: { description: 'it is known', type: null } },
  uploadBlob: { 201: json('it was written') },
  listJobTypes: {
    200: json(
      'job types with the JSON Schema of their parameters',
      z.object({
        job_types: z.array(
          z.looseObject({ name: z.string(), description: z.string(), parameters: z.looseObject({}), submit: z.url() }),
        ),
      }),
    ),
  },
  getHealthLive: { 200: json('it lives', z.looseObject({ status: z.literal('live'), version: z.string() })) },
  getHealthReady: { 200: json('requests may come', Ready), 503: json('they should not', Ready) },
  getHealthFull: { 200: json('nothing failed', Full), 503: json('something failed', Full) },
  listSchedules: list('schedules', Schedule),
  getSchedule: { 200: json('the schedule', Schedule) },
  putSchedule: put(Schedule),
  listWebhooks: list('webhooks', Webhook),
  getWebhook: { 200: json('the webhook', Webhook) },
  putWebhook: put(Webhook),
  retryDelivery: { 202: json('it is sent again') },
  getRasterPreview: picture('the raster'),
  getRasterTile: { 200: { description: 'the tile', type: 'image/png' }, 204: { description: 'nothing is there', type: null } },
  getRasterWindow: { 200: { description: 'the pixels', type: '*/*' } },
  getStacPreview: picture('the item'),
  getJobTiles: { 200: { description: 'tiles with the status of their tasks', type: GEOJSON } },
  getStacAsset: { 302: { description: 'to the file, with a signature', type: null } },
  getStacCollectionQueryables: { 200: { description: 'JSON Schema', type: 'application/schema+json' } },
  getStacQueryables: { 200: { description: 'JSON Schema', type: 'application/schema+json' } },
  getStacItems: features,
  getStacItem: { 200: { description: 'a GeoJSON feature', type: GEOJSON }, ...KNOWN },
  getStacSearch: features,
  postStacSearch: features,
  getStacOpenApi: { 200: { description: 'OpenAPI 3.0', type: 'application/vnd.oai.openapi+json;version=3.0' } },
  getOpenApi: { 200: { description: 'this document' } },
  getApiDocs: { 200: { description: 'this document for people', type: 'text/html' } },
}
