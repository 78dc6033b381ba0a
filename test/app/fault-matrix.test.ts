// A fault at each step between two durable writes: what the database holds in the end is that of an undisturbed run.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { advanceJob } from '../../src/engine/advance.ts'
import { runTasks } from '../../src/engine/run-tasks.ts'
import { submitJob } from '../../src/db/job-functions.ts'
import type { Pool } from '../../src/db/pool.ts'
import { findJob, listStages } from '../../src/db/reading.ts'
import { type AnyJob, defineJob, defineStage } from '../../src/define/define-job.ts'
import { AppError } from '../../src/rules/errors.ts'
import type { Step } from '../../src/models/steps.ts'
import { jobId } from '../../src/rules/ids.ts'
import { createDatabase, type TestDatabase } from '../support/db.ts'
import { type Machine, machine, tasksOf } from '../support/machine.ts'

let database: TestDatabase
beforeAll(async () => void (database = await createDatabase()))
afterAll(() => database.drop())

const parameters = z.strictObject({ run: z.string() })
const first = defineStage({
  name: 'make_parts',
  parameters,
  result: z.object({ n: z.number() }),
  // Asynchronous, so that it is planned the long way: begin, advance, open, add, seal.
  async *plan() {
    for (let n = 0; n < 60; n++) yield { key: `part_${n}`, parameters: { n } }
  },
  run: (task) => ({ n: task.parameters.n }),
  async summarize(results) {
    let sum = 0
    for await (const { result } of results) sum += result.n
    return { sum }
  },
})
const second = defineStage({
  name: 'double_parts',
  parameters,
  after: first,
  result: z.object({ n: z.number() }),
  async *plan({ previous }) {
    for await (const { key } of previous(first)) yield { key }
  },
  run: async (_task, ctx) => ({ n: 2 * (await ctx.predecessor()).n }),
})
/** One worker does all of it, and closes it with its results. */
const third = defineStage({
  name: 'say_done',
  parameters,
  after: second,
  result: z.object({ done: z.literal(true) }),
  *plan() {
    yield { key: 'done', source: 'part_1' }
  },
  run: () => ({ done: true as const }),
})
const job: AnyJob = defineJob({ name: 'matrix_job', description: '', parameters, stages: [first, second, third] })

const STEPS = [
  ...([
    'submit_job',
    'begin_job',
    'plan_stage',
    'open_stage',
    'add_tasks',
    'seal_stage',
    'claim_tasks',
    'complete_tasks',
    'complete_tasks_and_close',
  ] as const),
  ...(['close_stage', 'record_stage_summary', 'advance_job_stage', 'check_job_completion'] as const),
] as const
/** What a schema that is older than this release lacks. */
const NEW: ReadonlySet<string> = new Set(['plan_stage', 'complete_tasks_and_close'])
const FAULTS = ['crash before', 'crash after', 'duplicate', 'lost answer', 'database error'] as const

/** A process whose database has one fault, at the n-th call of one function. A dead one never gets an answer again. */
class Process {
  readonly r: Machine
  /** Rejects when it dies. */
  readonly died: Promise<never>
  calls = 0
  #dead = false

  constructor(step: string, fault: (typeof FAULTS)[number], nth: number) {
    const { pool } = database
    const death = Promise.withResolvers<never>()
    death.promise.catch(() => undefined)
    this.died = death.promise
    const never = new Promise<never>(() => undefined)
    const die = (): Promise<never> => {
      this.#dead = true
      death.reject(new Error('the process died'))
      return never
    }
    const query: Pool['query'] = async (sql, values) => {
      if (this.#dead) return never
      if (!sql.includes(`FROM app.${step}(`) || ++this.calls !== nth) return pool.query(sql, values)
      if (fault === 'crash before') return die()
      if (fault === 'database error') throw new AppError('DATABASE_UNAVAILABLE', 'planted')
      const answer = await pool.query(sql, values)
      if (fault === 'crash after') return die()
      if (fault === 'lost answer') throw new AppError('DATABASE_UNAVAILABLE', 'planted: the connection broke before the answer')
      void answer
      return pool.query(sql, values)
    }
    this.r = { ...machine(pool, { jobs: [job] }), db: { ...pool, query } }
  }

  get dead(): boolean {
    return this.#dead
  }

  /** What it does, until it dies. */
  do<T>(work: (r: Machine) => Promise<T>): Promise<T> {
    return Promise.race([work(this.r), this.died])
  }
}

/** What the host does: another process after one that died, activities again when they fail; time passes while nothing is ready. */
async function drive(first: Process, id: string): Promise<void> {
  let process = first
  let next: Step | undefined
  for (let turn = 0; turn < 60; turn++) {
    try {
      const step = next ?? (await process.do((r) => advanceJob({ jobId: id, attempt: 1 }, r)))
      next = undefined
      if (step.kind === 'done') return
      if (step.kind === 'run') {
        const input = { jobId: id, attempt: 1, stage: step.stage, ...(step.workers === 1 ? { alone: true as const } : {}) }
        const reports = await Promise.allSettled(
          Array.from({ length: step.workers }, () => process.do((r) => runTasks(input, r))),
        )
        next = reports.flatMap((r) => (r.status === 'fulfilled' && r.value.next ? [r.value.next] : []))[0]
      }
      // Claims whose worker died: their leases run out.
      if (step.kind === 'wait')
        await database.pool.query(`UPDATE app.tasks SET lease_until = now() - interval '1 second' WHERE status = 'processing'`)
    } catch {
      // The host calls the activity again.
    }
    if (process.dead) process = healthy()
  }
  throw new Error('the job did not end')
}

const healthy = (): Process => new Process('', 'duplicate', Infinity)

/** Submission as the HTTP function does it; a caller whose request failed sends it again. */
async function submitted(first: Process, run: string): Promise<string> {
  const parameters = { run }
  const id = jobId(job.name, parameters)
  const submit = async (r: Machine): Promise<void> => {
    await submitJob(r.db, {
      job_id: id,
      job_type: job.name,
      total_stages: job.stages.length,
      parameters,
      metadata: {},
      on_task_failure: 'fail',
      submitted_by: null,
      correlation_id: null,
      idempotency_key: null,
      force: false,
    })
  }
  await first.do(submit).catch(() => (first.dead ? healthy() : first).do(submit))
  return id
}

async function outcome(id: string): Promise<unknown> {
  const db = database.pool
  const row = await findJob(db, id)
  const events = await db.query<{ event: string; n: number }>(
    `SELECT event, count(*)::int AS n FROM app.job_events WHERE job_id = $1 AND event IN ('stage.closed', 'job.finished', 'job.started') GROUP BY 1 ORDER BY 1`,
    [id],
  )
  return {
    status: row?.status,
    result: row?.result_data,
    stages: (await listStages(db, id)).map((s) => [s.name, s.outcome, s.expected, s.completed, s.failed, s.summary]),
    tasks: (await tasksOf(db, id)).map((t) => [t.stage, t.task_no, t.task_key, t.status, t.result_data]),
    events,
  }
}

let undisturbed: unknown
beforeAll(async () => {
  const id = await submitted(healthy(), 'undisturbed')
  await drive(healthy(), id)
  undisturbed = await outcome(id)
  expect(undisturbed).toMatchObject({ status: 'completed' })
})

test('a schema of the release before: the job goes the long way, and the rows are the same', async () => {
  const process = healthy()
  const { query } = process.r.db
  const lacking: Pool['query'] = (sql, values) => {
    const name = /FROM app\.(\w+)\(/.exec(sql)?.[1] ?? ''
    return NEW.has(name) ? Promise.reject(new AppError('DATABASE_SCHEMA', `there is no ${name}`)) : query(sql, values)
  }
  const old = new Process('', 'duplicate', Infinity)
  Object.assign(old.r, { db: { ...process.r.db, query: lacking } })
  const id = await submitted(old, 'old schema')
  await drive(old, id)
  expect(await outcome(id)).toEqual(undisturbed)
})

describe.each(STEPS)('%s', (step) => {
  test.each(FAULTS)('%s', async (fault) => {
    let reached = 0
    // The first, second and third call: of either stage, and of several workers.
    for (const nth of [1, 2, 3]) {
      const process = new Process(step, fault, nth)
      const id = await submitted(process, `${step} ${fault} ${nth}`)
      await drive(process.dead ? healthy() : process, id)
      if (process.calls < nth) break
      reached++
      expect(await outcome(id), `call ${nth}`).toEqual(undisturbed)
    }
    expect(reached).toBeGreaterThan(0)
  })
})
