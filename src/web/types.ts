// What the API answers, as far as the page reads it.
import type { JobStatus, Role, StageOutcome, StageStatus, TaskStatus } from '../models/words.ts'

export type { JobStatus, Role, StageOutcome, StageStatus, TaskStatus }
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** What is wrong with which field. */
export interface Issue {
  readonly path: string
  readonly message: string
}

export interface Whoami {
  readonly name: string
  readonly role: Role
  readonly auth_mode: 'key' | 'easyauth' | 'jwt'
  readonly environment: string
  readonly release: { readonly version: string; readonly commit: string | null }
  readonly containers: { readonly bronze: string; readonly silver: string; readonly gold: string }
  readonly links: { readonly site: string | null; readonly insights: string | null; readonly scheduler: string | null }
}

export interface Progress {
  readonly percent: number
  readonly done: number
  readonly total: number
  readonly estimated: boolean
  readonly eta?: string | null
  readonly eta_low?: string
  readonly eta_high?: string
  readonly confidence?: 'low' | 'medium' | 'high'
  readonly rate_per_s?: number | null
  readonly reason?: string
}

export interface Job {
  readonly job_id: string
  readonly job_type: string
  readonly status: JobStatus
  readonly attempt: number
  readonly stage: number
  readonly total_stages: number
  readonly parameters: Json
  readonly metadata: Json
  readonly error_code: string | null
  readonly submitted_by: string | null
  readonly created_at: string
  readonly started_at: string | null
  readonly finished_at: string | null
  readonly updated_at: string
  readonly progress: Progress
}

export interface ListedJob extends Job {
  readonly stage_name: string | null
  readonly progress: Progress & { readonly failed: number; readonly running: number; readonly retrying: number }
}

export interface JobPage {
  readonly jobs: readonly ListedJob[]
  readonly next?: string
  readonly at: string
}

export interface Stage {
  readonly stage: number
  readonly name: string
  readonly status: StageStatus
  readonly outcome: StageOutcome | null
  readonly expected: number
  readonly completed: number
  readonly failed: number
  readonly skipped: number
  readonly running: number | null
  readonly retrying: number | null
  readonly opened_at: string
  readonly closed_at: string | null
  readonly summary: Json
  readonly percent: number
}

export interface JobDocument extends Job {
  readonly stages: readonly Stage[]
  readonly result: Json
  readonly error: { readonly code: string; readonly details: string | null } | null
  readonly runtime_status: string | null
  readonly drift?: string
}

export interface StageFigures {
  readonly stage: number
  readonly measured: number
  readonly p50_ms: number | null
  readonly p95_ms: number | null
  readonly max_ms: number | null
  readonly from: string
  readonly to: string
  readonly ended: readonly number[]
  readonly durations: readonly number[]
}

export interface ErrorGroup {
  readonly stage: number
  readonly stage_name: string
  readonly error_code: string
  readonly count: number
  readonly retryable: boolean
  readonly first_at: string
  readonly last_at: string
  readonly sample_key: string
  readonly sample_details: string | null
}

export interface MonitoredJob {
  readonly job: JobDocument
  readonly figures: readonly StageFigures[]
  readonly errors: readonly ErrorGroup[]
  readonly at: string
}

export interface Task {
  readonly job_id: string
  readonly stage: number
  readonly stage_name: string
  readonly task_no: number
  readonly task_key: string
  readonly source_key: string | null
  readonly status: TaskStatus
  readonly claims: number
  readonly error_code: string | null
  readonly error_details: string | null
  readonly retryable: boolean | null
  readonly progress: number | null
  readonly progress_note: string | null
  readonly started_at: string | null
  readonly finished_at: string | null
  readonly duration_ms: number | null
  readonly parameters: Json
  readonly result_data: Json
}

export interface Ancestor {
  readonly stage: number
  readonly stage_name: string
  readonly task_key: string
  readonly status: TaskStatus
  readonly result_data: Json
  readonly error_code: string | null
}

export interface JobEvent {
  readonly event_id: string
  readonly at: string
  readonly actor: string
  readonly event: string
  readonly data: Json
}
