// The job row: one submitted run of a job type.
import * as z from 'zod'
import { JobId, SnakeName } from './names.ts'
import { column, instant, instantNow, int32, json, type TableDefinition } from './sql-meta.ts'
import { JobStatus, OnTaskFailure, TERMINAL_JOB_STATUSES } from './words.ts'

const record = (): z.ZodRecord<z.ZodString, z.ZodUnknown> => z.record(z.string(), z.unknown())

export const Job = z.object({
  job_id: JobId.describe('sha256 of job type and canonical parameters; also the Durable instance id'),
  job_type: SnakeName.describe('kind of work, one file in src/jobs'),
  status: JobStatus.default('queued').describe('state of the current attempt'),
  attempt: int32(1).default(1).describe('generation; every write of a worker carries it'),
  stage: int32(0, 1000).default(0).describe('current stage, 0 before the first'),
  total_stages: int32(1, 1000).describe('stages of the job type when it was submitted'),
  parameters: record().describe('validated parameters with defaults'),
  metadata: record().default({}).describe('caller annotations, not part of the identity'),
  stage_results: record().default({}).describe('stage number → small summary'),
  result_data: column(json().nullable().describe('final result'), { type: 'jsonb' }),
  error_code: z.string().min(1).max(64).nullable().describe('why the job failed'),
  error_details: z.string().max(8000).nullable().describe('cut to its bound before it is written'),
  on_task_failure: OnTaskFailure.default('fail').describe('whether one failed task fails the job'),
  submitted_by: z.string().max(200).nullable().describe('caller identity'),
  correlation_id: z.string().max(200).nullable().describe('request id or trace id of the submission'),
  idempotency_key: z.string().max(200).nullable().describe('key of the submission that made this attempt'),
  cancel_reason: z.string().max(1000).nullable(),
  start_confirmed_attempt: int32(0).default(0).describe('last attempt whose instance is known to be started (outbox)'),
  created_at: instantNow('first submission'),
  started_at: instant().nullable(),
  finished_at: instant().nullable(),
  updated_at: instantNow('last state change of the row, not of its tasks'),
})
export type Job = z.infer<typeof Job>

export const jobsTable: TableDefinition = {
  name: 'jobs',
  comment: 'One row per submitted job; the truth about its state.',
  model: Job,
  primaryKey: ['job_id'],
  storage: 'fillfactor = 70',
  checks: {
    jobs_stage_range: 'stage <= total_stages',
    jobs_finished: `(finished_at IS NOT NULL) = (status IN (${TERMINAL_JOB_STATUSES.map((s) => `'${s}'`).join(', ')}))`,
    jobs_started: 'start_confirmed_attempt <= attempt',
  },
  indexes: [
    { name: 'jobs_created', on: 'created_at DESC, job_id DESC', why: 'job list, newest first, keyset paging' },
    { name: 'jobs_by_status', on: 'status, created_at DESC, job_id DESC', why: 'job list of one status' },
    { name: 'jobs_by_type', on: 'job_type, created_at DESC, job_id DESC', why: 'job list of one type' },
    {
      name: 'jobs_ended_well',
      on: 'finished_at',
      where: "status IN ('completed', 'cancelled')",
      why: 'retention, RETENTION_DAYS',
    },
    {
      name: 'jobs_ended_badly',
      on: 'finished_at',
      where: "status IN ('failed', 'completed_with_errors')",
      why: 'retention, RETENTION_DAYS_FAILED',
    },
    {
      name: 'jobs_of_caller',
      on: "coalesce(submitted_by, '')",
      where: 'finished_at IS NULL',
      why: 'bounds of one caller',
    },
    { name: 'jobs_open', on: 'updated_at', where: "status IN ('queued', 'processing')", why: 'reconciler' },
  ],
}
