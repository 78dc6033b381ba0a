// Databases for tests: cloned from the migrated template, dropped afterwards.
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'
import * as jobs from '../../src/db/job-functions.ts'
import { openPool, type Pool } from '../../src/db/pool.ts'
import { only } from '../../src/db/sql-function.ts'
import { addTasks, type ClaimedTask, claimTasks, type NewTask } from '../../src/db/task-functions.ts'
import { roleUrls } from '../../local/database-roles.ts'
import { databaseUrl } from './database-setup.ts'

export interface TestDatabase {
  /** Of the superuser: tests plant and look at what they like. */
  readonly url: string
  /** Of the role that runs the app. */
  readonly appUrl: string
  readonly pool: Pool
  drop(): Promise<void>
}

async function admin(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('postgresUrl') })
  await client.connect()
  // Two files may clone at once, and a template must not be in use: the lock makes them take turns.
  await client.query('SELECT pg_advisory_lock(1)')
  await client.query(sql)
  await client.end()
}

/** A fresh database with the current schema, or an empty one. */
export async function createDatabase(options: { max?: number; empty?: boolean } = {}): Promise<TestDatabase> {
  const name = `t_${randomUUID().replaceAll('-', '')}`
  await admin(`CREATE DATABASE ${name} TEMPLATE ${options.empty ? 'template0' : 'template_lamplighter'} STRATEGY FILE_COPY`)
  const url = databaseUrl(inject('postgresUrl'), name)
  const pool = openPool({ connectionString: url, max: options.max ?? 20 })
  return {
    url,
    appUrl: roleUrls(url).app,
    pool,
    async drop() {
      await pool.end()
      await admin(`DROP DATABASE ${name} WITH (FORCE)`)
    },
  }
}

/** Runs a test on a database of its own. */
export async function withDb<T>(run: (db: Pool, url: string) => Promise<T>, options?: { max?: number }): Promise<T> {
  const database = await createDatabase(options)
  try {
    return await run(database.pool, database.url)
  } finally {
    await database.drop()
  }
}

let counter = 0
/** A job id that no other test has. */
export function newJobId(): string {
  counter++
  return counter.toString(16).padStart(64, '0')
}

export interface StageKey {
  readonly job_id: string
  readonly attempt: number
  readonly stage_no: number
}

export interface OpenStageOptions {
  readonly tasks: number | readonly NewTask[]
  readonly stages?: number
  readonly maxClaims?: number
  readonly onTaskFailure?: 'fail' | 'continue'
  readonly seal?: boolean
}

/** Submits a job and brings it to its first stage, planned and (unless told) sealed. */
export async function openStage(db: Pool, options: OpenStageOptions): Promise<StageKey> {
  const job_id = newJobId()
  await submit(db, job_id, { total_stages: options.stages ?? 1 })
  await jobs.beginJob(db, { job_id, attempt: 1 })
  await jobs.advanceJobStage(db, { job_id, attempt: 1, from_stage: 0 })
  const key = { job_id, attempt: 1, stage_no: 1 }
  await planStage(db, key, options)
  return key
}

/** Opens, plans and seals the job's current stage. */
export async function planStage(db: Pool, key: StageKey, options: OpenStageOptions): Promise<void> {
  await jobs.openStage(db, {
    ...key,
    name: `stage_${key.stage_no}`,
    weight: 'light',
    on_task_failure: options.onTaskFailure ?? 'fail',
    max_claims: options.maxClaims ?? 4,
  })
  const tasks =
    typeof options.tasks === 'number' ? Array.from({ length: options.tasks }, (_, i) => ({ key: `task_${i}` })) : options.tasks
  for (let at = 0; at < tasks.length; at += 1000) await addTasks(db, { ...key, cursor: at, tasks: tasks.slice(at, at + 1000) })
  if (options.seal !== false) await jobs.sealStage(db, { ...key, expected: tasks.length })
}

/** Submits with defaults that tests do not care about. */
export async function submit(db: Pool, job_id: string, overrides: Partial<Parameters<typeof jobs.submitJob>[1]> = {}) {
  return only(
    await jobs.submitJob(db, {
      job_id,
      job_type: 'test_job',
      total_stages: 1,
      parameters: {},
      metadata: {},
      on_task_failure: 'fail',
      submitted_by: null,
      correlation_id: null,
      idempotency_key: null,
      force: false,
      ...overrides,
    }),
  )
}

/** Claims with a lease of one minute. */
export async function claim(
  db: Pool,
  key: StageKey,
  limit: number,
  worker: string = randomUUID(),
): Promise<{ worker: string; tasks: ClaimedTask[] }> {
  return { worker, tasks: await claimTasks(db, { ...key, limit, worker, lease: 60_000 }) }
}

/** The code of what a call throws, or 'no error'. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'no error',
    (e: Error & { code?: string }) => e.code ?? e.message,
  )
}
