// One lock order in every function: advisory lock of the stage, job row, stage row, task rows in task_no order. One session holds a lock,
// the function waits for it, and a third session asks with NOWAIT what the function holds already: nothing that comes later in the order.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as jobs from '../../src/db/job-functions.ts'
import { outputRecords } from '../../src/db/output-functions.ts'
import type { Pool } from '../../src/db/pool.ts'
import { completeTasks } from '../../src/db/task-functions.ts'
import { claim, createDatabase, openStage, type StageKey, type TestDatabase } from '../support/db.ts'
import { type Session, session, waits } from '../support/sessions.ts'

let database: TestDatabase
let db: Pool
const worker = randomUUID()
const FILE = { container: 'silver', blob: 'x/1.tif' } as const
let holder: Session
let caller: Session
let probe: Session
let scenes: Record<Scene, StageKey>
beforeAll(async () => {
  database = await createDatabase({ max: 5 })
  db = database.pool
  ;[holder, caller, probe] = [await session(database.url), await session(database.url), await session(database.url)]
  await outputRecords(db).stage({ ...FILE, jobId: '0'.repeat(64), plan: 1, targetName: 'x', provenance: {} })
  await outputRecords(db).commit(FILE.container, FILE.blob, { bytes: 1, etag: 'e', facts: {} })
  scenes = { running: await claimed(), done: await done(), open: await opened(), paused: await paused(), failed: await failed() }
})
afterAll(async () => {
  await Promise.all([holder, caller, probe].map((s) => s.client.end()))
  await database.drop()
})

type Scene = 'running' | 'done' | 'open' | 'paused' | 'failed'
const order = (job_id: string) => ({ job_id, reason: 'test', actor: 'test' })

/** Four tasks, three of them with the worker. */
async function claimed(): Promise<StageKey> {
  const key = await openStage(db, { tasks: 4 })
  await claim(db, key, 3, worker)
  return key
}

/** All tasks are completed and the stage is about to be closed. */
async function done(): Promise<StageKey> {
  const key = await openStage(db, { tasks: 3 })
  await claim(db, key, 3, worker)
  await completeTasks(db, { ...key, worker, results: [1, 2, 3].map((task_no) => ({ task_no, status: 'completed', result: {} })) })
  return key
}

const opened = (): Promise<StageKey> => openStage(db, { tasks: 3, seal: false })

async function paused(): Promise<StageKey> {
  const key = await claimed()
  await jobs.pauseJob(db, order(key.job_id))
  return key
}

/** Ended, with poisoned and failed tasks. */
async function failed(): Promise<StageKey> {
  const key = await openStage(db, { tasks: 3, onTaskFailure: 'continue' })
  await claim(db, key, 3, worker)
  const results = [1, 2, 3].map((task_no) => ({
    task_no,
    status: 'failed' as const,
    error_code: 'POISON',
    error_details: 'x',
    retryable: false,
  }))
  await completeTasks(db, { ...key, worker, results })
  await jobs.closeStage(db, key)
  await jobs.checkJobCompletion(db, { ...key, result: null, error_code: 'X', error_details: 'x' })
  return key
}

const STAGE = '$1, 1, 1'
const BY = `$1, 'test', 'test'`
const OUTCOMES = JSON.stringify([3, 1, 2].map((task_no) => ({ task_no, status: 'completed', result: {} })))
/** One failed: not the short way. */
const MIXED = OUTCOMES.replace('completed', 'failed')
/** How each function is called, and where. A function without a line fails the test below. */
const CALLS: Readonly<Record<string, readonly [scene: Scene, args: string]>> = {
  add_event: ['running', `$1, 'x', '{}'`],
  add_tasks: ['open', `${STAGE}, 3, '[{"key": "new"}]'`],
  advance_job_stage: ['done', '$1, 1, 1'],
  assert_job_runs: ['running', '$1, 1'],
  assert_read_committed: ['running', ''],
  begin_job: ['running', '$1, 1'],
  breaker_gate: ['running', `'{storage}', '1 minute', '1 minute', true`],
  breaker_report: ['running', `'storage', false, 'test'`],
  caller_load: ['running', `'key', $1`],
  cancel_job: ['running', BY],
  check_job_completion: ['done', `$1, 1, '{}', NULL, NULL`],
  claim_range: ['running', `(SELECT stage_id FROM app.stages WHERE job_id = $1), 0, 4, '${worker}', '1 minute'`],
  claim_ready_again: ['running', `(SELECT stage_id FROM app.stages WHERE job_id = $1), 0, 4, 4, '${worker}', '1 minute'`],
  claim_tasks: ['running', `${STAGE}, 4, '${worker}', '1 minute'`],
  close_stage: ['done', STAGE],
  commit_output: ['running', `'silver', 'x/1.tif', 1, 'e', '{}'`],
  complete_claimed: ['running', `(SELECT stage_id FROM app.stages WHERE job_id = $1), '${worker}', '${OUTCOMES}'`],
  complete_tasks_and_close: ['running', `${STAGE}, '${worker}', '${OUTCOMES}'`],
  complete_tasks: ['running', `${STAGE}, '${worker}', '${MIXED}'`],
  delete_collection: ['running', `'silver'`],
  delete_item: ['running', `'silver', 'x', 1, true`],
  confirm_start: ['running', '$1, 1'],
  delete_retired: ['running', '100'],
  discard_poison: ['failed', BY],
  extend_leases: ['running', `${STAGE}, '${worker}', '{3,1,2}', '1 minute', true, NULL`],
  has_open_tasks: ['running', `(SELECT stage_id FROM app.stages WHERE job_id = $1)`],
  held_claims: ['running', `${STAGE}, '${worker}'`],
  host_alive: ['running', `'0123456789abcdef', 'x'`],
  jobs_to_purge: ['failed', '0, 0, 10'],
  jobs_to_reconcile: ['running', '10, 0, NULL'],
  lock_job: ['running', '$1'],
  note_reconciled: ['running', `$1, 1, 'restart', NULL`],
  open_stage: ['running', `${STAGE}, 'stage_1', 'light', 'fail', 4`],
  open_tasks: ['running', `(SELECT stage_id FROM app.stages WHERE job_id = $1), 10`],
  plan_stage: ['open', `${STAGE}, 'stage_1', 'light', 'fail', 4, '[{"key": "new"}]'`],
  pause_job: ['running', BY],
  outputs_to_remove: ['running', '10'],
  publish_output: ['running', `'silver', 'x/1.tif', false`],
  publish_raster: ['running', `'silver', 'x/1.tif', false, '[]', '[]'`],
  purge_job: ['failed', '$1'],
  refresh_extent: ['running', `'silver', '{}'`],
  record_stage_summary: ['done', `${STAGE}, '{}'`],
  release_dead: ['running', `'0123456789abcdef', 'x', '1 s', '1 s'`],
  release_tasks: ['running', `${STAGE}, '${worker}', '{3,1,2}'`],
  remove_output: ['running', `'silver', 'x/1.tif'`],
  rerun_job: ['failed', `$1, 1, 'test', 'test'`],
  resume_job: ['paused', BY],
  retry_job: ['failed', `$1, NULL, NULL, 'test', 'test'`],
  seal_stage: ['open', `${STAGE}, 3`],
  skip_rest: ['running', `${STAGE}, 100`],
  stage_readiness: ['running', '$1, 1'],
  // Its caller holds the job row.
  stage_output: ['running', `'silver', 'x/2.tif', $1, 1, 'x', '{}'`],
  start_attempt: ['failed', `app.lock_job($1) j, LATERAL app.start_attempt(j.job_id, 1, NULL, 'test')`],
  sweep_items: ['running', `'silver', '{}', '{}', now(), 'mark'`],
  upsert_collection: ['running', `'silver', 'silver', 'silver', '', '{}'`],
  upsert_item: ['running', `'{"collection_id": "nothing"}', false`],
  widen_extent: ['running', `'silver', 'x'`],
  put_schedule: ['running', `'s', 'test_job', '{}', '0 3 * * *', 'UTC', 'skip', false, now(), 'test'`],
  delete_schedule: ['running', `'s', 'test'`],
  take_schedule: ['running', `'s', now(), now(), '[]', now()`],
  end_schedule_run: ['running', `'s', now(), 'submitted', $1, 1, NULL, NULL`],
  put_webhook: ['running', `'w', 'https://hooks.example/', 's', NULL, '["failed"]', false, 'test'`],
  delete_webhook: ['running', `'w', 'test'`],
  // Its callers hold the job row.
  queue_webhooks: ['failed', '$1'],
  take_deliveries: ['running', `10, '1 minute'`],
  end_delivery: ['running', `'w', $1, 1, 1, 200, NULL, NULL`],
  retry_delivery: ['running', `'w', $1, 1, 'test'`],
  submit_job: ['failed', `$1, 'test_job', 1, '{}', '{}', 'fail', NULL, NULL, NULL, true`],
}

/** The order; each lock as a statement that waits for it, and as one that asks for it without waiting. */
const stageOf = 'SELECT s.stage_id FROM app.stages s WHERE s.job_id = $1'
const task = (no: number) => `SELECT FROM app.tasks t WHERE t.stage_id = (${stageOf}) AND t.task_no = ${no} FOR UPDATE`
const ORDER: readonly (readonly [name: string, take: string])[] = [
  ['advisory lock', `SELECT pg_advisory_xact_lock(4711, (${stageOf}))`],
  ['job', 'SELECT FROM app.jobs WHERE job_id = $1 FOR UPDATE'],
  ['stage', 'SELECT FROM app.stages WHERE job_id = $1 FOR UPDATE'],
  ['task 1', task(1)],
  ['task 2', task(2)],
  ['task 3', task(3)],
]

/** Which locks another transaction holds, in a way that conflicts with the functions' own. */
async function held(jobId: string): Promise<string[]> {
  const names: string[] = []
  for (const [name, take] of ORDER) {
    await probe.client.query('ROLLBACK; BEGIN')
    if (name === 'advisory lock') {
      const { rows } = await probe.client.query(`SELECT pg_try_advisory_xact_lock(4711, (${stageOf})) AS free`, [jobId])
      if (!rows[0].free) names.push(name)
      continue
    }
    // FOR NO KEY UPDATE: what the reference of a new task takes of its stage is in nobody's way.
    const ask = take.replace('FOR UPDATE', 'FOR NO KEY UPDATE NOWAIT')
    await probe.client.query(ask, [jobId]).catch((error: { code?: string }) => {
      if (error.code !== '55P03') throw error
      names.push(name)
    })
  }
  await probe.client.query('ROLLBACK; BEGIN')
  return names
}

/** For each lock that the function waits for: what it holds meanwhile. */
async function whileWaiting(name: string, scene: Scene, args: string): Promise<Map<string, string[]>> {
  const { job_id } = scenes[scene]
  const seen = new Map<string, string[]>()
  for (const [lock, take] of ORDER) {
    await holder.client.query(take, [job_id])
    const values = args.includes('$1') ? [job_id] : []
    const call = caller.client
      .query(`SELECT * FROM ${args.startsWith('app.') ? args : `app.${name}(${args})`}`, values)
      .catch((error: Error) => error)
    if (await waits(db, caller.client, call))
      seen.set(
        lock,
        (await held(job_id)).filter((other) => other !== lock),
      )
    await holder.client.query('ROLLBACK; BEGIN')
    const answer = await call
    if (answer instanceof Error) throw new Error(`${name} with ${lock} held: ${answer.message}`)
    await caller.client.query('ROLLBACK; BEGIN')
  }
  return seen
}

/** What breaks the order: a lock that is held while an earlier one is waited for. */
const wrongOf = (seen: ReadonlyMap<string, readonly string[]>): string[] => {
  const rank = (name: string): number => ORDER.findIndex(([n]) => n === name)
  return [...seen].flatMap(([waited, held]) =>
    held.filter((h) => rank(h) > rank(waited)).map((h) => `holds ${h} while it waits for ${waited}`),
  )
}

test('every function of the schema has a call here', async () => {
  const rows = await db.query<{ name: string }>(
    // The one procedure commits between two of these functions, so it holds nothing of its own.
    `SELECT proname AS name FROM pg_proc WHERE pronamespace = 'app'::regnamespace AND prokind = 'f' AND prorettype <> 'trigger'::regtype ORDER BY 1`,
  )
  expect(rows.map((r) => r.name).sort()).toEqual(Object.keys(CALLS).sort())
})

test.each(Object.entries(CALLS))('%s waits for no lock while it holds a later one', async (name, [scene, args]) => {
  expect(wrongOf(await whileWaiting(name, scene, args))).toEqual([])
})

test.each([
  ['close_stage', ['advisory lock', 'job', 'stage']],
  ['complete_claimed', ['task 1', 'task 2', 'task 3']],
  ['complete_tasks', ['task 1', 'task 2', 'task 3']],
  ['complete_tasks_and_close', ['advisory lock', 'job', 'stage', 'task 1']],
  ['retry_job', ['job', 'stage', 'task 1']],
  ['cancel_job', ['job', 'stage']],
])('%s is seen to wait, so that the test above looks at something', async (name, locks) => {
  const [scene, args] = CALLS[name] ?? ['running', '']
  expect([...(await whileWaiting(name, scene, args)).keys()]).toEqual(expect.arrayContaining(locks))
})

test('a function that locks the stage before the job is found', async () => {
  await db.query(`CREATE FUNCTION app.planted(p_job_id text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    PERFORM 1 FROM app.stages WHERE job_id = p_job_id FOR UPDATE; PERFORM 1 FROM app.jobs WHERE job_id = p_job_id FOR UPDATE; END $$`)
  expect(wrongOf(await whileWaiting('planted', 'running', '$1'))).toEqual(['holds stage while it waits for job'])
  await db.query('DROP FUNCTION app.planted')
})
