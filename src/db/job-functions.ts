// Callers of the SQL functions that move jobs and stages. Contracts: header of sql/functions/<name>.sql.
import type { JobStatus, StageOutcome, StageStatus } from '../models/words.ts'
import type { Database } from './pool.ts'
import { sqlFunction } from './sql-function.ts'
import { CLOSED, type JobAttempt, STAGE_ATTEMPT, type StageAttempt, type StageClosure } from './stage-columns.ts'
import type { ClaimedTask, NewTask } from './task-functions.ts'

export const submitJob = sqlFunction<
  {
    job_id: string
    job_type: string
    total_stages: number
    parameters: unknown
    metadata: unknown
    on_task_failure: string
    submitted_by: string | null
    correlation_id: string | null
    idempotency_key: string | null
    force: boolean
  },
  { created: boolean; status: JobStatus; attempt: number; start_needed: boolean }
>(
  'submit_job',
  {
    job_id: 'text',
    job_type: 'text',
    total_stages: 'integer',
    parameters: 'jsonb',
    metadata: 'jsonb',
    on_task_failure: 'text',
    submitted_by: 'text',
    correlation_id: 'text',
    idempotency_key: 'text',
    force: 'boolean',
  },
  { created: 'boolean', status: 'text', attempt: 'integer', start_needed: 'boolean' },
)

export const confirmStart = sqlFunction<JobAttempt, { confirm_start: boolean }>(
  'confirm_start',
  {
    job_id: 'text',
    attempt: 'integer',
  },
  { confirm_start: 'boolean' },
)

export const beginJob = sqlFunction<
  JobAttempt,
  { status: JobStatus; attempt: number; stage: number; total_stages: number; job_type: string; parameters: unknown }
>(
  'begin_job',
  { job_id: 'text', attempt: 'integer' },
  { status: 'text', attempt: 'integer', stage: 'integer', total_stages: 'integer', job_type: 'text', parameters: 'jsonb' },
)

/** What a stage row is opened with. */
interface OpenedStage extends StageAttempt {
  readonly name: string
  readonly weight: string
  readonly on_task_failure: string
  readonly max_claims: number
}
const OPENED_STAGE = {
  ...STAGE_ATTEMPT,
  name: 'text',
  weight: 'text',
  on_task_failure: 'text',
  max_claims: 'integer',
} as const

export const openStage = sqlFunction<OpenedStage, { status: StageStatus; outcome: StageOutcome | null; plan_cursor: number }>(
  'open_stage',
  OPENED_STAGE,
  { status: 'text', outcome: 'text', plan_cursor: 'integer' },
)

export const sealStage = sqlFunction<StageAttempt & { expected: number }, { seal_stage: boolean }>(
  'seal_stage',
  {
    ...STAGE_ATTEMPT,
    expected: 'integer',
  },
  { seal_stage: 'boolean' },
)

export const closeStage = sqlFunction<StageAttempt, StageClosure>('close_stage', STAGE_ATTEMPT, {
  ...CLOSED,
  open_at_least: 'integer',
  next_ready_at: 'timestamp with time zone',
  next_retry_at: 'timestamp with time zone',
})

/** How much of a stage there is to do now; see sql/functions/stage_readiness.sql. */
export interface StageReadiness {
  readonly status: StageStatus
  readonly outcome: StageOutcome | null
  readonly expected: number
  readonly ready: number
  readonly open_at_least: number
  readonly next_ready_at: Date | null
  readonly sealed_at: Date | null
  /** Leases that live. */
  readonly held: number
}
const READINESS = {
  status: 'text',
  outcome: 'text',
  expected: 'integer',
  ready: 'integer',
  open_at_least: 'integer',
  next_ready_at: 'timestamp with time zone',
  sealed_at: 'timestamp with time zone',
  held: 'integer',
} as const

export const stageReadiness = sqlFunction<{ job_id: string; stage_no: number }, StageReadiness>(
  'stage_readiness',
  { job_id: 'text', stage_no: 'integer' },
  READINESS,
)

/**
 * A plan of one batch: begins or advances the job, opens, fills and seals the stage in one transaction, and hands its tasks out to `worker`
 * when there are at most `limit`.
 */
export const planStage = sqlFunction<
  OpenedStage & { tasks: readonly NewTask[]; limit?: number; worker?: string; lease?: number },
  StageReadiness & { claimed: readonly ClaimedTask[] | null }
>(
  'plan_stage',
  { ...OPENED_STAGE, tasks: 'jsonb', limit: 'integer', worker: 'uuid', lease: 'interval' },
  { ...READINESS, claimed: 'jsonb' },
)

export const recordStageSummary = sqlFunction<StageAttempt & { summary: unknown }, { record_stage_summary: boolean }>(
  'record_stage_summary',
  {
    ...STAGE_ATTEMPT,
    summary: 'jsonb',
  },
  { record_stage_summary: 'boolean' },
)

export const advanceJobStage = sqlFunction<
  JobAttempt & { from_stage: number },
  { outcome: 'advanced' | 'already' | 'done' | 'refused'; stage: number }
>('advance_job_stage', { job_id: 'text', attempt: 'integer', from_stage: 'integer' }, { outcome: 'text', stage: 'integer' })

export const checkJobCompletion = sqlFunction<
  JobAttempt & { result: unknown; error_code: string | null; error_details: string | null },
  { status: JobStatus; finished_now: boolean }
>(
  'check_job_completion',
  { job_id: 'text', attempt: 'integer', result: 'jsonb', error_code: 'text', error_details: 'text' },
  { status: 'text', finished_now: 'boolean' },
)

export const jobsToReconcile = sqlFunction<
  { limit: number; idle_seconds: number; after: string | null },
  {
    job_id: string
    attempt: number
    status: JobStatus
    reason: 'start_not_confirmed' | 'no_movement'
    /** `after` of the next page. */
    reconcile_key: string
  }
>(
  'jobs_to_reconcile',
  { limit: 'integer', idle_seconds: 'double precision', after: 'text' },
  { job_id: 'text', attempt: 'integer', status: 'text', reason: 'text', reconcile_key: 'text' },
)

export const noteReconciled = sqlFunction<
  JobAttempt & { action: string; runtime_status: string | null },
  { note_reconciled: boolean }
>(
  'note_reconciled',
  { job_id: 'text', attempt: 'integer', action: 'text', runtime_status: 'text' },
  { note_reconciled: 'boolean' },
)

export const deleteRetired = sqlFunction<{ limit: number }, { delete_retired: number }>(
  'delete_retired',
  { limit: 'integer' },
  { delete_retired: 'integer' },
)

/** Purges one job, and tells who wanted it in the same transaction. `kept`: it runs, nothing was done. */
export async function purgeJobFor(db: Database, job_id: string, actor: string, data: object): Promise<'gone' | 'kept'> {
  const [row] = await db.query<{ outcome: 'gone' | 'kept' }>(
    `WITH purged AS MATERIALIZED (SELECT app.purge_job($1) AS outcome)
     SELECT p.outcome, CASE p.outcome WHEN 'gone' THEN app.add_event(NULL, 'job.purged', $2::jsonb, $3)::text END FROM purged p`,
    [job_id, JSON.stringify(data), actor],
  )
  return row?.outcome ?? 'kept'
}

/** One audit row; `job_id` null for events of the whole system. */
export const addEvent = sqlFunction<
  { job_id: string | null; event: string; data: unknown; actor: string },
  { add_event: unknown }
>('add_event', { job_id: 'text', event: 'text', data: 'jsonb', actor: 'text' }, { add_event: 'void' })

/** Who changed a job's state, and why: audited. */
export interface JobAction {
  readonly job_id: string
  readonly reason: string
  readonly actor: string
}
export interface JobChange {
  readonly status: JobStatus
  readonly attempt: number
  /** False: it was so already. */
  readonly changed: boolean
}
const ACTION = { job_id: 'text', reason: 'text', actor: 'text' } as const
const CHANGE = { status: 'text', attempt: 'integer', changed: 'boolean' } as const

export const cancelJob = sqlFunction<JobAction, JobChange>('cancel_job', ACTION, CHANGE)
export const pauseJob = sqlFunction<JobAction, JobChange>('pause_job', ACTION, CHANGE)
export const resumeJob = sqlFunction<JobAction, JobChange>('resume_job', ACTION, CHANGE)
export const rerunJob = sqlFunction<JobAction & { total_stages: number }, JobChange>(
  'rerun_job',
  {
    ...ACTION,
    total_stages: 'integer',
  },
  CHANGE,
)
export const retryJob = sqlFunction<
  JobAction & { error_code: string | null; key_like: string | null },
  JobChange & { from_stage: number; tasks: number }
>('retry_job', { ...ACTION, error_code: 'text', key_like: 'text' }, { ...CHANGE, from_stage: 'integer', tasks: 'integer' })

export const discardPoison = sqlFunction<JobAction, { discard_poison: number }>('discard_poison', ACTION, {
  discard_poison: 'integer',
})

export const jobsToPurge = sqlFunction<
  { days: number; days_failed: number; limit: number },
  { job_id: string; job_type: string; status: JobStatus }
>(
  'jobs_to_purge',
  { days: 'double precision', days_failed: 'double precision', limit: 'integer' },
  { job_id: 'text', job_type: 'text', status: 'text' },
)

export const purgeJob = sqlFunction<{ job_id: string }, { purge_job: 'gone' | 'kept' }>(
  'purge_job',
  { job_id: 'text' },
  { purge_job: 'text' },
)

export const callerLoad = sqlFunction<
  { caller: string | null; job_id: string },
  { is_known: boolean; jobs: number; tasks: string }
>('caller_load', { caller: 'text', job_id: 'text' }, { is_known: 'boolean', jobs: 'integer', tasks: 'bigint' })
