// Every read, and every function that is asked again and again, touches as many pages of a database of 10 × the rows: nothing scans what grows.
// GROWTH_TASKS=1000000 npm test -- growth: the same on a million tasks.
import { expect, test } from 'vitest'
import * as jobs from '../../src/db/job-functions.ts'
import { type Pool, readingWithin } from '../../src/db/pool.ts'
import * as failures from '../../src/db/reading-failures.ts'
import { listJobs } from '../../src/db/list-jobs.ts'
import * as reading from '../../src/db/reading.ts'
import * as tasks from '../../src/db/reading-tasks.ts'
import { buffersOf } from '../support/buffers.ts'
import { claim, withDb } from '../support/db.ts'

const LARGE = Number(process.env['GROWTH_TASKS'] ?? 60_000)
const JOB = 'b'.repeat(64)
const SINCE = '2020-01-01T00:00:00Z'

/**
 * One running job: a closed stage of n tasks, 20 of them failed, and an open one of n tasks, done by two thirds. Beside it n / 5 ended jobs of
 * two tasks each. What an answer counts stays the same, whatever n.
 */
async function plant(db: Pool, n: number): Promise<void> {
  const done = `finished_at = now() - task_no * interval '1 ms', started_at = now() - interval '1 minute', duration_ms = 5, claims = 1`
  const statements = [
    // Its pages would be counted as those of a call.
    ...['jobs', 'stages', 'tasks', 'job_events'].map((table) => `ALTER TABLE app.${table} SET (autovacuum_enabled = off)`),
    `INSERT INTO app.jobs (job_id, job_type, status, stage, total_stages, parameters, on_task_failure, start_confirmed_attempt, started_at, submitted_by)
     VALUES ('${JOB}', 'big', 'processing', 2, 2, '{}', 'continue', 1, now(), 'key')`,
    `INSERT INTO app.stages (job_id, stage_no, name, status, outcome, expected, plan_cursor, claim_cursor, completed, failed, sealed_at, closed_at)
     VALUES ('${JOB}', 1, 'one', 'closed', 'completed_with_errors', ${n}, ${n}, ${n}, ${n} - 20, 20, now(), now())`,
    `INSERT INTO app.stages (job_id, stage_no, name, status, expected, plan_cursor, claim_cursor, sealed_at)
     VALUES ('${JOB}', 2, 'two', 'open', ${n}, ${n}, ${Math.round((n * 2) / 3)}, now())`,
    `INSERT INTO app.tasks (stage_id, task_no, task_key, source_key, status, result_data, finished_at)
     SELECT s.stage_id, i, 'key_' || i, CASE WHEN s.stage_no = 2 THEN 'key_' || i END, 'completed', '{}', now()
     FROM app.stages s, generate_series(1, ${n}) i WHERE s.stage_no = 1 OR i <= s.claim_cursor`,
    `INSERT INTO app.tasks (stage_id, task_no, task_key, source_key)
     SELECT s.stage_id, i, 'key_' || i, 'key_' || i FROM app.stages s, generate_series(s.claim_cursor + 1, ${n}) i WHERE s.stage_no = 2`,
    `UPDATE app.tasks SET ${done} WHERE finished_at IS NOT NULL`,
    `UPDATE app.tasks t SET status = 'failed', error_code = CASE WHEN t.task_no % 2 = 0 THEN 'POISON' ELSE 'X' END, result_data = NULL, retryable = false
     FROM app.stages s WHERE s.stage_id = t.stage_id AND s.stage_no = 1 AND t.task_no <= 20`,
    `INSERT INTO app.jobs (job_id, job_type, status, stage, total_stages, parameters, started_at, finished_at, created_at, submitted_by)
     SELECT lpad(to_hex(i), 64, '0'), 'small', 'completed', 1, 1, '{}', now(), now(), now() - i * interval '1 s', 'key' FROM generate_series(1, ${n} / 5) i`,
    `INSERT INTO app.stages (job_id, stage_no, name, status, outcome, expected, plan_cursor, claim_cursor, completed, sealed_at, closed_at)
     SELECT job_id, 1, 'one', 'closed', 'completed', 2, 2, 2, 2, now(), now() FROM app.jobs WHERE job_type = 'small'`,
    `INSERT INTO app.tasks (stage_id, task_no, task_key, status, result_data, finished_at, claims)
     SELECT s.stage_id, i, 'key_' || i, 'completed', '{}', now(), 1 FROM app.stages s JOIN app.jobs j USING (job_id), generate_series(1, 2) i WHERE j.job_type = 'small'`,
    `INSERT INTO app.job_events (job_id, event, data) SELECT job_id, 'job.submitted', '{}' FROM app.jobs`,
    'VACUUM ANALYZE',
  ]
  for (const sql of statements) await db.query(sql)
}

/** In the middle of the job, whatever its size. */
const middle = (n: number): number => Math.round(n / 2)
const key = { job_id: JOB, attempt: 1, stage_no: 2 }

type Call = (db: Pool, n: number) => Promise<unknown>
const READS: Readonly<Record<string, Call>> = {
  findJob: (db) => reading.findJob(db, JOB),
  findTurn: (db) => reading.findTurn(db, JOB),
  listJobs: (db) => listJobs(db, { limit: 100 }),
  listJobsSince: (db) => listJobs(db, { limit: 100, type: 'small', status: 'completed', since: SINCE }),
  listJobsFailed: (db) => listJobs(db, { limit: 100, status: 'failed' }),
  listStages: (db) => reading.listStages(db, '0'.repeat(63) + '1'),
  listStagesOf: (db) => reading.listStagesOf(db, [JOB, '0'.repeat(63) + '1']),
  listEvents: (db) => reading.listEvents(db, JOB, '0', 100),
  listOpenBreakers: (db) => reading.listOpenBreakers(db),
  wasResumed: (db) => reading.wasResumed(db, JOB),
  recentStageRate: (db) => reading.recentStageRate(db, 'small', 'one'),
  listTasks: (db) => tasks.listTasks(db, JOB, { limit: 100 }),
  listTasksInTheMiddle: (db, n) => tasks.listTasks(db, JOB, { limit: 100, after: { stage: 2, task_no: middle(n) } }),
  listTasksFailed: (db) => tasks.listTasks(db, JOB, { limit: 100, status: 'failed' }),
  listTasksOfCode: (db) => tasks.listTasks(db, JOB, { limit: 100, error_code: 'X' }),
  listTasksRunning: (db) => tasks.listTasks(db, JOB, { limit: 100, stage: 2, status: 'queued' }),
  findTask: (db, n) => tasks.findTask(db, JOB, 2, `key_${middle(n)}`),
  listLineage: (db, n) => tasks.listLineage(db, JOB, 2, `key_${middle(n)}`),
  findPredecessors: (db, n) => tasks.findPredecessors(db, JOB, 1, [`key_${middle(n)}`, 'key_1']),
  completedResults: (db, n) => tasks.completedResults(db, JOB, 1, middle(n), 100),
  recentCompletions: (db) => tasks.recentCompletions(db, JOB, 2),
  recentCompletionsOf: (db) => tasks.recentCompletionsOf(db, [{ job_id: JOB, stage: 2 }]),
  countPoisoned: (db) => failures.countPoisoned(db, JOB, 2),
  listFailedTasks: (db) => failures.listFailedTasks(db, { since: SINCE, limit: 100 }),
  listFailedTasksOfType: (db) => failures.listFailedTasks(db, { since: SINCE, limit: 100, job_type: 'big', error_code: 'X' }),
  groupPoison: (db) => failures.groupPoison(db),
  groupErrors: (db) => failures.groupErrors(db, JOB),
}
const FUNCTIONS: Readonly<Record<string, Call>> = {
  claim_tasks: (db) => claim(db, key, 50),
  close_stage: (db) => jobs.closeStage(db, key),
  stage_readiness: (db) => db.query('SELECT * FROM app.stage_readiness($1, 2)', [JOB]),
  extend_leases: (db) =>
    db.query(`SELECT * FROM app.extend_leases($1, 1, 2, gen_random_uuid(), '{1,2}', '1 minute', true, NULL)`, [JOB]),
  held_claims: (db) => db.query('SELECT * FROM app.held_claims($1, 1, 2, gen_random_uuid())', [JOB]),
  caller_load: (db) => db.query(`SELECT * FROM app.caller_load('key', $1)`, [JOB]),
  jobs_to_reconcile: (db) => db.query('SELECT * FROM app.jobs_to_reconcile(100, 0, NULL)'),
  jobs_to_purge: (db) => db.query('SELECT * FROM app.jobs_to_purge(30, 90, 100)'),
  release_dead: (db) => db.query(`SELECT app.release_dead('0123456789abcdef', 'x', '1 s', '1 s')`),
  delete_retired: (db) => db.query('SELECT app.delete_retired(100)'),
  purge_job: (db) => db.query(`SELECT app.purge_job($1)`, ['0'.repeat(63) + '2']),
  record_stage_summary: (db) => db.query(`SELECT app.record_stage_summary($1, 1, 1, '{}')`, [JOB]),
  pause_job: (db) => db.query(`SELECT * FROM app.pause_job($1, 'test', 'test')`, [JOB]),
  resume_job: (db) => db.query(`SELECT * FROM app.resume_job($1, 'test', 'test')`, [JOB]),
  cancel_job: (db) => db.query(`SELECT * FROM app.cancel_job($1, 'test', 'test')`, [JOB]),
}

/**
 * Pages for the 50 rows that these change: whether a new version fits on its page, or goes to another one and into each index, is luck. A scan
 * of the stage would be 2,000 pages more.
 */
const CHANGED: Readonly<Record<string, number>> = { claim_tasks: 400, pause_job: 400, cancel_job: 400 }

async function touched(n: number): Promise<Record<string, number>> {
  const pages: Record<string, number> = {}
  // One connection, so that every statistic is that of this test and flushed when asked.
  await withDb(
    async (db) => {
      await plant(db, n)
      for (const [name, call] of Object.entries(READS))
        pages[name] = await buffersOf(db, () => call(readingWithin(db, 60_000) as Pool, n))
      for (const [name, call] of Object.entries(FUNCTIONS)) pages[name] = await buffersOf(db, () => call(db, n))
    },
    { max: 1 },
  )
  return pages
}

test('every read of src/db is measured below', () => {
  const exported = [...Object.entries(reading), ...Object.entries(tasks), ...Object.entries(failures)]
  const names = exported.flatMap(([name, value]) => (typeof value === 'function' ? [name] : []))
  expect(names.filter((name) => !(name in READS))).toEqual([])
})

test(`no call touches more pages of ${LARGE} tasks than of ${LARGE / 10}`, async () => {
  const small = await touched(LARGE / 10)
  const large = await touched(LARGE)
  // Two more levels of an index, and pages that are not full; a scan would be ten times as much.
  const grown = Object.keys(small).filter((name) => (large[name] ?? 0) > 1.5 * (small[name] ?? 0) + 30 + (CHANGED[name] ?? 0))
  expect(grown.map((name) => `${name}: ${small[name]} → ${large[name]}`)).toEqual([])
  expect(Object.values(small).filter((pages) => pages > 0).length).toBeGreaterThan(20)
})
