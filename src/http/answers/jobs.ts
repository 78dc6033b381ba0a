// What routes of jobs and their tasks answer.
import * as z from 'zod'
import { JobEvent } from '../../models/job-event.ts'
import { JobId } from '../../models/names.ts'
import { JobStatus, StageOutcome, StageStatus, TaskStatus } from '../../models/words.ts'
import { type Answers, type AnswersByName, all, count, found, GEOJSON, json, list, object, text, time } from './declared.ts'

const links = z.record(z.string(), z.url())
export const JobSummary = z.looseObject({
  job_id: JobId,
  job_type: text,
  status: JobStatus,
  attempt: z.int().min(1),
  stage: count,
  total_stages: z.int().min(1),
  parameters: z.unknown(),
  metadata: z.unknown(),
  error_code: text.nullable(),
  submitted_by: text.nullable(),
  created_at: time,
  started_at: time.nullable(),
  finished_at: time.nullable(),
  updated_at: time,
})
const Stage = z.looseObject({
  stage: z.int().min(1),
  name: text,
  status: StageStatus,
  outcome: StageOutcome.nullable(),
  expected: count,
  completed: count,
  failed: count,
  skipped: count,
  percent: z.number().min(0).max(100),
})
export const Progress = z.looseObject({
  percent: z.number().min(0).max(100),
  done: count,
  total: count,
  estimated: z.boolean(),
})
export const JobDocument = JobSummary.extend({
  stages: z.array(Stage),
  progress: Progress,
  result: z.unknown(),
  error: z.object({ code: text, details: text.nullable() }).nullable(),
  runtime_status: text.nullable(),
  links,
})
export const Task = z.looseObject({
  job_id: JobId,
  stage: z.int().min(1),
  stage_name: text,
  task_no: z.int().min(1),
  task_key: text,
  status: TaskStatus,
  claims: count,
  error_code: text.nullable(),
})
const Ancestor = z.looseObject({
  stage: z.int().min(1),
  stage_name: text,
  task_no: z.int().min(1),
  task_key: text,
  status: TaskStatus,
  error_code: text.nullable(),
})
export const ErrorGroup = z.looseObject({
  stage: z.int().min(1),
  stage_name: text,
  error_code: text,
  count: z.int().min(1),
  retryable: z.boolean(),
  first_at: time,
  last_at: time,
  sample_key: text,
  sample_details: text.nullable(),
})
const Submitted = z.looseObject({
  job_id: JobId,
  job_type: text,
  status: JobStatus,
  created: z.boolean(),
  attempt: z.int().min(1),
  parameters: z.unknown(),
  links,
})
/** The Durable status contract has names of its own. */
const Instance = z.looseObject({ instanceId: text, runtimeStatus: text, createdTime: text, lastUpdatedTime: text })
const Event = JobEvent.pick({ actor: true, event: true }).extend({ event_id: text, at: time, data: object })
const Changed = z.looseObject({ job_id: JobId, status: JobStatus, attempt: z.int().min(1), changed: z.boolean() })
const Bulk = z.looseObject({
  action: text,
  dry_run: z.boolean(),
  matched: count,
  changed: count,
  more: z.boolean(),
  jobs: z.array(
    z.looseObject({ job_id: JobId, was: JobStatus, outcome: z.enum(['would_change', 'changed', 'unchanged', 'refused']) }),
  ),
})
const File = z.looseObject({ name: text, bytes: count, type: text, rows: count.optional(), last_modified: time, href: z.url() })
const JobType = z.looseObject({ name: text, description: text, parameters: object, submit: z.url() })
const Tiles = z.looseObject({
  type: z.literal('FeatureCollection'),
  features: z.array(z.looseObject({ id: text, properties: object })),
})
const status = found('status, stages, progress, result, error', JobDocument)
const action: Answers = { 200: json('it has ended, or holds', Changed), 202: json('it runs on', Changed) }

export const jobAnswers: AnswersByName = {
  submitJob: { 200: json('the job has ended; this is it', Submitted), 202: json('it runs', Submitted) },
  listJobs: list('jobs', JobSummary),
  getJob: status,
  getJobStatus: status,
  getJobInstance: {
    200: json('it has ended', Instance),
    202: json('it runs', Instance),
    500: json('it failed, and the query asked for this status', Instance),
  },
  getJobManagement: found('addresses of the Durable extension', z.looseObject({ id: text, statusQueryGetUri: z.url() })),
  listJobTasks: list('tasks', Task),
  listFailedTasks: list('tasks', Task),
  getJobTask: found('the task', Task.extend({ lineage: z.array(Ancestor) })),
  getJobTaskLineage: found(
    'from the task to where it began',
    z.looseObject({ job_id: JobId, lineage: z.array(Ancestor).min(1), count: z.int().min(1), complete: z.boolean() }),
  ),
  listJobErrors: all('errors', ErrorGroup, { failed: count }),
  listJobEvents: list('events', Event),
  cancelJob: action,
  pauseJob: action,
  resumeJob: action,
  retryJob: action,
  rerunJob: action,
  purgeJob: found(
    'there is no such job any more',
    z.looseObject({ job_id: JobId, purged: z.literal(true), changed: z.boolean().describe('false: there was none') }),
  ),
  changeJobs: found('each job, and what became of it', Bulk),
  purgeEndedJobs: found('each job, and what became of it', Bulk),
  listJobFiles: list('files', File),
  getJobFile: {
    200: { description: 'the file, as lines or as stored', type: '*/*' },
    206: { description: 'a range of it', type: '*/*' },
    304: { description: 'it is known', type: null },
  },
  getJobTiles: { 200: { description: 'tiles with the status of their tasks', type: GEOJSON, schema: Tiles } },
  listJobTypes: found('job types with the JSON Schema of their parameters', z.looseObject({ job_types: z.array(JobType) })),
}
