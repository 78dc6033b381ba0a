// Callers of the SQL functions that add, hand out and complete tasks. Contracts: header of sql/functions/<name>.sql.
import { sqlFunction } from './sql-function.ts'
import { CLOSED, type Closure, STAGE_ATTEMPT, type StageAttempt } from './stage-columns.ts'

/** Element of add_tasks' array. */
export interface NewTask {
  readonly key: string
  readonly source?: string
  readonly parameters?: unknown
}

export const addTasks = sqlFunction<StageAttempt & { cursor: number; tasks: readonly NewTask[] }, { add_tasks: number }>(
  'add_tasks',
  {
    ...STAGE_ATTEMPT,
    cursor: 'integer',
    tasks: 'jsonb',
  },
  { add_tasks: 'integer' },
)

export interface ClaimedTask {
  readonly task_no: number
  readonly task_key: string
  readonly source_key: string | null
  readonly claims: number
  readonly parameters: Record<string, unknown>
}

export const claimTasks = sqlFunction<StageAttempt & { limit: number; worker: string; lease: number }, ClaimedTask>(
  'claim_tasks',
  {
    ...STAGE_ATTEMPT,
    limit: 'integer',
    worker: 'uuid',
    lease: 'interval',
  },
  { task_no: 'integer', task_key: 'text', source_key: 'text', claims: 'integer', parameters: 'jsonb' },
)

/** What a worker holds: asked when the answer of its claim was lost. */
export const heldClaims = sqlFunction<StageAttempt & { worker: string }, ClaimedTask>(
  'held_claims',
  {
    ...STAGE_ATTEMPT,
    worker: 'uuid',
  },
  { task_no: 'integer', task_key: 'text', source_key: 'text', claims: 'integer', parameters: 'jsonb' },
)

export const extendLeases = sqlFunction<
  StageAttempt & {
    worker: string
    task_nos: readonly number[]
    lease: number
    renew: boolean
    progress: Readonly<Record<string, { fraction: number; note?: string }>> | null
  },
  { job_status: string; current_attempt: number; lost: number[] }
>(
  'extend_leases',
  {
    ...STAGE_ATTEMPT,
    worker: 'uuid',
    task_nos: 'integer[]',
    lease: 'interval',
    renew: 'boolean',
    progress: 'jsonb',
  },
  { job_status: 'text', current_attempt: 'integer', lost: 'integer[]' },
)

/** Element of complete_tasks' array. */
export interface TaskOutcome {
  readonly task_no: number
  readonly status: 'completed' | 'failed' | 'skipped'
  readonly result?: unknown
  readonly error_code?: string
  readonly error_details?: string
  readonly retryable?: boolean
  readonly retry_in_ms?: number
  readonly duration_ms?: number
}

/** What became of an outcome that a worker gave. */
export interface AppliedOutcome {
  readonly task_no: number
  readonly outcome: 'applied' | 'already_applied' | 'superseded' | 'unknown'
  readonly reason: string | null
}

export const completeTasks = sqlFunction<StageAttempt & { worker: string; results: readonly TaskOutcome[] }, AppliedOutcome>(
  'complete_tasks',
  { ...STAGE_ATTEMPT, worker: 'uuid', results: 'jsonb' },
  { task_no: 'integer', outcome: 'text', reason: 'text' },
)

/** For a worker that is probably the last one: closes the stage in the transaction of its results. Unless it is closed then, ask close_stage. */
export const completeTasksAndClose = sqlFunction<
  StageAttempt & { worker: string; results: readonly TaskOutcome[] },
  Closure & { outcomes: readonly AppliedOutcome[] }
>('complete_tasks_and_close', { ...STAGE_ATTEMPT, worker: 'uuid', results: 'jsonb' }, { outcomes: 'jsonb', ...CLOSED })

export const releaseTasks = sqlFunction<
  StageAttempt & { worker: string; task_nos: readonly number[] },
  { release_tasks: number }
>(
  'release_tasks',
  {
    ...STAGE_ATTEMPT,
    worker: 'uuid',
    task_nos: 'integer[]',
  },
  { release_tasks: 'integer' },
)

export const skipRest = sqlFunction<StageAttempt & { limit: number }, { skip_rest: number }>(
  'skip_rest',
  {
    ...STAGE_ATTEMPT,
    limit: 'integer',
  },
  { skip_rest: 'integer' },
)

export const hostAlive = sqlFunction<{ host_id: string; name: string }, { host_alive: boolean }>(
  'host_alive',
  {
    host_id: 'text',
    name: 'text',
  },
  { host_alive: 'boolean' },
)

export const releaseDead = sqlFunction<
  { host_id: string; name: string; silent: number; followed: number },
  { release_dead: number }
>('release_dead', { host_id: 'text', name: 'text', silent: 'interval', followed: 'interval' }, { release_dead: 'integer' })
