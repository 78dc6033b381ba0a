// Calls the SQL functions that move jobs, on a job that is rolled back: does what is deployed work here, for this role?
import type pg from 'pg'
import { randomUUID } from 'node:crypto'
import { AppError } from '../rules/errors.ts'
import * as jobs from './job-functions.ts'
import type { Database, Pool } from './pool.ts'
import { toAppError } from './sql-errors.ts'
import * as tasks from './task-functions.ts'

export interface FunctionTest {
  readonly function: string
  readonly ok: boolean
  readonly ms: number
  /** What it answered instead of what it should. */
  readonly problem?: string
}

type Step = readonly [
  name: string,
  call: (db: Database) => Promise<readonly object[]>,
  expected: object | { readonly code: string },
]

const stageOf = (job_id: string) => ({ job_id, attempt: 1, stage_no: 1 })
const newId = (): string => randomUUID().replaceAll('-', '').repeat(2)

const submitted = (job_id: string): Step => [
  'submit_job',
  (db) =>
    jobs.submitJob(db, {
      job_id,
      job_type: 'self_test',
      total_stages: 1,
      parameters: {},
      metadata: {},
      on_task_failure: 'fail',
      force: false,
      submitted_by: null,
      correlation_id: null,
      idempotency_key: null,
    }),
  { created: true, attempt: 1 },
]
const rowOf = (job_id: string) => ({
  ...stageOf(job_id),
  name: 'test_stage',
  weight: 'light',
  on_task_failure: 'fail',
  max_claims: 4,
})

/** Up to a stage that is being planned. */
function begin(job_id: string): Step[] {
  const stage = rowOf(job_id)
  return [
    submitted(job_id),
    ['confirm_start', (db) => jobs.confirmStart(db, { job_id, attempt: 1 }), {}],
    ['begin_job', (db) => jobs.beginJob(db, { job_id, attempt: 1 }), { status: 'processing' }],
    ['advance_job_stage', (db) => jobs.advanceJobStage(db, { job_id, attempt: 1, from_stage: 0 }), { stage: 1 }],
    ['open_stage', (db) => jobs.openStage(db, stage), { status: 'planning' }],
  ]
}

/** A job without tasks goes its whole way. */
function wholeWay(): Step[] {
  const job_id = newId()
  const end = { job_id, attempt: 1, result: {}, error_code: null, error_details: null }
  return [
    ...begin(job_id),
    ['seal_stage', (db) => jobs.sealStage(db, { ...stageOf(job_id), expected: 0 }), { seal_stage: true }],
    ['close_stage', (db) => jobs.closeStage(db, stageOf(job_id)), { state: 'closed', closed_now: true, outcome: 'skipped' }],
    ['record_stage_summary', (db) => jobs.recordStageSummary(db, { ...stageOf(job_id), summary: {} }), {}],
    ['check_job_completion', (db) => jobs.checkJobCompletion(db, end), { status: 'completed', finished_now: true }],
  ]
}

/** A job of one task takes the short way. */
function shortWay(): Step[] {
  const job_id = newId()
  const claim = { ...stageOf(job_id), worker: randomUUID() }
  return [
    ...begin(job_id),
    ['add_tasks', (db) => tasks.addTasks(db, { ...stageOf(job_id), cursor: 0, tasks: [{ key: 'a' }] }), { add_tasks: 1 }],
    ['plan_stage', (db) => jobs.planStage(db, { ...rowOf(job_id), tasks: [{ key: 'a' }] }), { status: 'open', ready: 1 }],
    ['seal_stage', (db) => jobs.sealStage(db, { ...stageOf(job_id), expected: 1 }), {}],
    ['claim_tasks', (db) => tasks.claimTasks(db, { ...claim, lease: 60_000, limit: 2 }), { claims: 1 }],
    [
      'complete_tasks_and_close',
      (db) => tasks.completeTasksAndClose(db, { ...claim, results: [DONE] }),
      { state: 'closed', closed_now: true, outcome: 'completed', completed: 1 },
    ],
  ]
}

/** Tasks are claimed, kept, given back and completed; then operators pause, resume, cancel and run again. */
function work(): Step[] {
  const job_id = newId()
  const stage = stageOf(job_id)
  const claim = { ...stage, worker: randomUUID() }
  const lease = { lease: 60_000 }
  const action = { job_id, reason: 'self-test', actor: 'self-test' }
  const extension = { ...claim, ...lease, task_nos: [1, 2], renew: true, progress: null }
  return [
    ...begin(job_id),
    ['add_tasks', (db) => tasks.addTasks(db, { ...stage, cursor: 0, tasks: [{ key: 'a' }, { key: 'b' }] }), { add_tasks: 2 }],
    ['seal_stage', (db) => jobs.sealStage(db, { ...stage, expected: 2 }), { seal_stage: true }],
    ['claim_tasks', (db) => tasks.claimTasks(db, { ...claim, ...lease, limit: 2 }), { claims: 1 }],
    ['held_claims', (db) => tasks.heldClaims(db, claim), { claims: 1 }],
    ['extend_leases', (db) => tasks.extendLeases(db, extension), { job_status: 'processing', lost: [] }],
    ['release_tasks', (db) => tasks.releaseTasks(db, { ...claim, task_nos: [2] }), { release_tasks: 1 }],
    ['stage_readiness', (db) => jobs.stageReadiness(db, { job_id, stage_no: 1 }), { status: 'open', expected: 2 }],
    ['complete_tasks', (db) => tasks.completeTasks(db, { ...claim, results: [DONE] }), { outcome: 'applied' }],
    // The guard against the race that left stages open: whoever asks must have committed first.
    ['close_stage', (db) => jobs.closeStage(db, stage), { code: 'UNCOMMITTED_RESULTS' }],
    ['pause_job', (db) => jobs.pauseJob(db, action), { status: 'paused', changed: true }],
    ['resume_job', (db) => jobs.resumeJob(db, action), { status: 'processing', changed: true }],
    ['cancel_job', (db) => jobs.cancelJob(db, action), { status: 'cancelled', changed: true }],
    ['rerun_job', (db) => jobs.rerunJob(db, { ...action, total_stages: 1 }), { attempt: 2, changed: true }],
    ['add_event', (db) => jobs.addEvent(db, { job_id, event: 'self.tested', actor: 'self-test', data: {} }), {}],
  ]
}
const DONE = { task_no: 1, status: 'completed' } as const

/** Each call in a savepoint of one transaction, which is rolled back: nothing stays, whatever happens. */
export async function testFunctions(pool: Pool): Promise<FunctionTest[]> {
  let client: pg.PoolClient | undefined
  try {
    client = await pool.pg.connect()
    await client.query(`BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = '30s'`)
    const results: FunctionTest[] = []
    for (const step of [...wholeWay(), ...shortWay(), ...work()]) results.push(await tried(client, step))
    await client.query('ROLLBACK')
    client.release()
    return results
  } catch (error) {
    client?.release(true)
    throw toAppError(error)
  }
}

async function tried(client: pg.PoolClient, [name, call, expected]: Step): Promise<FunctionTest> {
  const started = performance.now()
  const done = (problem?: string): FunctionTest => ({
    function: name,
    ok: problem === undefined,
    ms: Math.round(performance.now() - started),
    ...(problem === undefined ? {} : { problem }),
  })
  const wanted = 'code' in expected ? (expected.code as string) : undefined
  // One stage per transaction may be asked about; these are several transactions in one that is rolled back.
  await client.query(`SAVEPOINT step; SELECT set_config('lamplighter.stage', '', true)`)
  try {
    const [row] = await call(within(client))
    if (wanted !== undefined) return done(`it answered, where it should refuse with ${wanted}`)
    const wrong = Object.entries(expected).filter(([k, v]) => JSON.stringify(row?.[k as never]) !== JSON.stringify(v))
    return done(wrong.length === 0 ? undefined : wrong.map(([k]) => `${k} is ${JSON.stringify(row?.[k as never])}`).join(', '))
  } catch (error) {
    await client.query('ROLLBACK TO SAVEPOINT step')
    const { code, message } = toAppError(error)
    return done(code === wanted ? undefined : `${code}: ${message}`)
  }
}

/** The same callers, on the connection of the transaction. */
const within = (client: pg.PoolClient): Database => ({
  query: async <R extends object>(text: string, values: readonly unknown[] = []): Promise<R[]> => {
    try {
      return (await client.query<R>(text, values as unknown[])).rows
    } catch (error) {
      throw error instanceof AppError ? error : toAppError(error)
    }
  },
})
