// plan_stage and complete_tasks_and_close: several steps in one transaction give the rows that the steps give one by one, and races stay races.
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import pLimit from 'p-limit'
import * as jobs from '../../src/db/job-functions.ts'
import type { Pool } from '../../src/db/pool.ts'
import { listEvents, listStages } from '../../src/db/reading.ts'
import { only } from '../../src/db/sql-function.ts'
import { claimTasks, completeTasks, completeTasksAndClose, heldClaims, type TaskOutcome } from '../../src/db/task-functions.ts'
import { claim, codeOf, createDatabase, newJobId, openStage, planStage, submit, type TestDatabase } from '../support/db.ts'

let database: TestDatabase
let db: Pool
beforeAll(async () => {
  database = await createDatabase({ max: 20 })
  db = database.pool
})
afterAll(() => database.drop())

const done = (task_no: number): TaskOutcome => ({ task_no, status: 'completed', result: { n: task_no } })
const ROW = { name: 'stage_1', weight: 'light', on_task_failure: 'fail', max_claims: 4 }
const keyOf = (job_id: string, stage_no = 1) => ({ job_id, attempt: 1, stage_no })
const tasks = (n: number) => Array.from({ length: n }, (_, i) => ({ key: `task_${i}` }))

interface Scenario {
  readonly first: readonly TaskOutcome['status'][]
  readonly last: readonly TaskOutcome['status'][]
  readonly twice: boolean
  readonly foreign: boolean
  readonly retryable: boolean
  readonly on_task_failure: string
}

async function shape(job_id: string): Promise<unknown> {
  const stages = await listStages(db, job_id)
  const rows = await db.query(
    `SELECT t.task_no, t.task_key, t.source_key, t.status, t.claims, t.parameters FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1 ORDER BY 1`,
    [job_id],
  )
  const [job] = await db.query('SELECT status, stage, attempt, start_confirmed_attempt FROM app.jobs WHERE job_id = $1', [job_id])
  return {
    job,
    rows,
    stages: stages.map(({ name, status, expected, open, outcome }) => ({ name, status, expected, open, outcome })),
    events: (await listEvents(db, job_id, '0', 100)).map(({ event, data }) => ({ event, data })),
  }
}

describe('plan_stage', () => {
  test.each([0, 1, 50])('%i tasks: the rows and events of the five steps', async (n) => {
    const [short, long] = [newJobId(), newJobId()]
    await submit(db, short)
    await submit(db, long)
    const readiness = only(await jobs.planStage(db, { ...keyOf(short), ...ROW, tasks: tasks(n) }))
    expect(readiness).toMatchObject({ status: 'open', expected: n, ready: n, open_at_least: n, held: 0 })
    await jobs.beginJob(db, { job_id: long, attempt: 1 })
    await jobs.advanceJobStage(db, { job_id: long, attempt: 1, from_stage: 0 })
    await planStage(db, keyOf(long), { tasks: n })
    expect(await shape(short)).toEqual(await shape(long))
  })

  test.each([1, 50])('%i tasks handed out with the plan: the rows, events and answer of claim_tasks', async (n) => {
    const [short, long] = [newJobId(), newJobId()]
    await submit(db, short)
    await submit(db, long)
    const worker = randomUUID()
    const plan = { ...ROW, tasks: tasks(n).map((t, i) => ({ ...t, source: `from_${i}`, parameters: { i } })) }
    const handed = { limit: 50, worker, lease: 60_000 }
    const planned = only(await jobs.planStage(db, { ...keyOf(short), ...plan, ...handed }))
    expect(planned).toMatchObject({ status: 'open', expected: n, ready: 0, open_at_least: n, held: n })
    expect(only(await jobs.planStage(db, { ...keyOf(long), ...plan })).claimed).toBeNull()
    expect(planned.claimed).toEqual(await claimTasks(db, { ...keyOf(long), ...handed }))
    expect(await heldClaims(db, { ...keyOf(short), worker })).toEqual(planned.claimed)
    expect(await shape(short)).toEqual(await shape(long))
    // Asked again, by anyone: nothing is handed out a second time.
    const again = only(await jobs.planStage(db, { ...keyOf(short), ...plan, ...handed, worker: randomUUID() }))
    expect(again).toMatchObject({ status: 'open', ready: 0, held: n, claimed: null })
    expect(await claimTasks(db, { ...keyOf(short), ...handed })).toEqual([])
  })

  test('more tasks than one claim takes, or none: nothing is handed out', async () => {
    for (const n of [0, 51]) {
      const job_id = newJobId()
      await submit(db, job_id)
      const given = { ...ROW, tasks: tasks(n), limit: 50, worker: randomUUID(), lease: 60_000 }
      expect(only(await jobs.planStage(db, { ...keyOf(job_id), ...given }))).toMatchObject({ ready: n, held: 0, claimed: null })
    }
  })

  test('asked again, and by twenty at once: one stage, its tasks once', async () => {
    const job_id = newJobId()
    await submit(db, job_id)
    const plan = () => jobs.planStage(db, { ...keyOf(job_id), ...ROW, tasks: tasks(30) })
    const answers = await Promise.all(Array.from({ length: 20 }, plan))
    expect(answers.map((a) => only(a).expected)).toEqual(Array.from({ length: 20 }, () => 30))
    const { worker } = await claim(db, keyOf(job_id), 30)
    await completeTasks(db, { ...keyOf(job_id), worker, results: [done(1)] })
    expect(only(await plan())).toMatchObject({ status: 'open', expected: 30, ready: 0, open_at_least: 29, held: 29 })
  })

  test('a plan that another one has begun in batches is left to it; one that is stored and not sealed is sealed', async () => {
    const key = await openStage(db, { tasks: 3, seal: false })
    expect(only(await jobs.planStage(db, { ...key, ...ROW, tasks: tasks(5) })).status).toBe('planning')
    expect(only(await jobs.planStage(db, { ...key, ...ROW, tasks: tasks(3) }))).toMatchObject({ status: 'open', expected: 3 })
  })

  test('refusals: nothing of the transaction stays', async () => {
    const job_id = newJobId()
    await submit(db, job_id, { total_stages: 2 })
    const plan = (stage_no: number, keys: readonly string[]) =>
      codeOf(jobs.planStage(db, { ...keyOf(job_id, stage_no), ...ROW, tasks: keys.map((key) => ({ key })) }))
    expect(await plan(1, ['a', 'b', 'a'])).toBe('DUPLICATE_TASK_KEY')
    expect(await shape(job_id)).toMatchObject({ job: { status: 'queued', stage: 0, start_confirmed_attempt: 0 }, stages: [] })
    expect(await plan(2, ['a'])).toBe('ILLEGAL_STATE')
    expect(await codeOf(jobs.planStage(db, { ...keyOf(newJobId()), ...ROW, tasks: [] }))).toBe('JOB_NOT_FOUND')
    await jobs.planStage(db, { ...keyOf(job_id), ...ROW, tasks: tasks(1) })
    // The stage before is open.
    expect(await plan(2, ['a'])).not.toBeUndefined()
    await jobs.pauseJob(db, { job_id, reason: 'test', actor: 'test' })
    expect(await plan(1, ['task_0'])).toBe('ILLEGAL_STATE')
    expect(await shape(job_id)).toMatchObject({ job: { status: 'paused', stage: 1 }, stages: [{ expected: 1 }] })
  })
})

describe('complete_tasks_and_close', () => {
  test('one call: results, closure, events as by two; asked again the same answer', async () => {
    const key = await openStage(db, { tasks: 3 })
    const { worker } = await claim(db, key, 3)
    const results = [1, 2, 3].map(done)
    const first = only(await completeTasksAndClose(db, { ...key, worker, results }))
    expect(first).toMatchObject({ state: 'closed', closed_now: true, outcome: 'completed', expected: 3, completed: 3, failed: 0 })
    expect(first.outcomes.map((o) => o.outcome)).toEqual(['applied', 'applied', 'applied'])
    const again = only(await completeTasksAndClose(db, { ...key, worker, results }))
    expect(again).toMatchObject({ state: 'closed', closed_now: false, outcome: 'completed' })
    expect(again.outcomes.map((o) => o.outcome)).toEqual(['already_applied', 'already_applied', 'already_applied'])
  })

  test('random outcomes of two claims: rows, events and answers are those of complete_tasks and close_stage', async () => {
    const outcome = fc.constantFrom<TaskOutcome['status']>('completed', 'completed', 'completed', 'failed', 'skipped')
    const given = fc.record({
      first: fc.array(outcome, { maxLength: 3 }),
      last: fc.array(outcome, { minLength: 1, maxLength: 4 }),
      // Elements that are given a second time, and a task that somebody else has.
      twice: fc.boolean(),
      foreign: fc.boolean(),
      retryable: fc.boolean(),
      on_task_failure: fc.constantFrom('fail', 'continue'),
    })
    const run = async (short: boolean, x: Scenario): Promise<unknown> => {
      const job_id = newJobId()
      await submit(db, job_id)
      const n = x.first.length + x.last.length
      await jobs.planStage(db, { ...keyOf(job_id), ...ROW, on_task_failure: x.on_task_failure, tasks: tasks(n) })
      const ours = await claim(db, keyOf(job_id), n)
      const of = (status: TaskOutcome['status'], task_no: number): TaskOutcome =>
        status === 'completed' ? done(task_no) : { task_no, status, error_code: 'OWN', retryable: x.retryable }
      if (x.first.length > 0)
        await completeTasks(db, { ...keyOf(job_id), worker: ours.worker, results: x.first.map((s, i) => of(s, i + 1)) })
      const results = x.last.map((s, i) => of(s, x.first.length + i + 1))
      // In the order in which they ended, not in that of their numbers.
      const last = { ...keyOf(job_id), worker: x.foreign ? randomUUID() : ours.worker, results: results.toReversed() }
      if (x.twice) last.results.push(of(x.last[0] === 'completed' ? 'failed' : 'completed', x.first.length + 1))
      const answer = async (): Promise<unknown> => {
        if (short) {
          const { outcomes, ...closure } = only(await completeTasksAndClose(db, last))
          return { outcomes, closure }
        }
        const outcomes = await completeTasks(db, last)
        const { state, closed_now, outcome, expected, completed, failed, skipped } = only(
          await jobs.closeStage(db, keyOf(job_id)),
        )
        return { outcomes, closure: { state, closed_now, outcome, expected, completed, failed, skipped } }
      }
      const answers = [await answer(), await answer()]
      const rows = await db.query(
        `SELECT t.task_no, t.result_data, t.error_code, t.retryable, t.duration_ms, t.finished_at IS NULL AS open, t.lease_until IS NULL AS free,
           s.completed, s.failed, s.skipped FROM app.tasks t JOIN app.stages s USING (stage_id) WHERE s.job_id = $1 ORDER BY 1`,
        [job_id],
      )
      return { answers, rows, shape: await shape(job_id) }
    }
    await fc.assert(
      fc.asyncProperty(given, async (x) => {
        expect(await run(true, x)).toEqual(await run(false, x))
      }),
      { numRuns: 150 },
    )
  })

  test('two stages in one transaction are refused, as by close_stage: two such callers would deadlock', async () => {
    const [first, second] = [await openStage(db, { tasks: 1 }), await openStage(db, { tasks: 1 })]
    const client = await db.pg.connect()
    const complete = async (key: typeof first): Promise<unknown> => {
      const { worker } = await claim(db, key, 1)
      return client.query('SELECT * FROM app.complete_tasks_and_close($1, 1, 1, $2, $3)', [
        key.job_id,
        worker,
        JSON.stringify([done(1)]),
      ])
    }
    try {
      await client.query('BEGIN')
      await complete(first)
      await expect(complete(second)).rejects.toMatchObject({ code: 'LL011' })
    } finally {
      await client.query('ROLLBACK')
      client.release()
    }
  })

  test('what is left keeps it open; a job that was cancelled, or is at a newer attempt, takes nothing', async () => {
    const key = await openStage(db, { tasks: 2 })
    const { worker } = await claim(db, key, 2)
    const answer = async (no: number) => only(await completeTasksAndClose(db, { ...key, worker, results: [done(no)] }))
    expect(await answer(1)).toMatchObject({ state: 'open', closed_now: false })
    await jobs.cancelJob(db, { job_id: key.job_id, reason: 'test', actor: 'test' })
    expect(await answer(2)).toMatchObject({ closed_now: false, outcomes: [{ outcome: 'superseded', reason: 'job_cancelled' }] })
    await jobs.rerunJob(db, { job_id: key.job_id, total_stages: 1, reason: 'test', actor: 'test' })
    expect(await answer(2)).toMatchObject({ state: 'superseded', outcomes: [{ outcome: 'superseded', reason: 'old_attempt' }] })
  })

  test.each([2, 3, 20, 100])(
    '%i tasks, each by its own caller, some this way and some by two calls: one closes it',
    async (n) => {
      for (let round = 0; round < (n > 20 ? 2 : 10); round++) {
        const key = await openStage(db, { tasks: n })
        const { worker, tasks: claimed } = await claim(db, key, n)
        const closed = await pLimit(20).map(claimed, async ({ task_no }, i) => {
          const given = { ...key, worker, results: [done(task_no)] }
          if ((i + round) % 3 === 0) await completeTasks(db, given)
          else {
            const answer = only(await completeTasksAndClose(db, given))
            if (answer.state === 'closed') return answer.closed_now
          }
          return only(await jobs.closeStage(db, key)).closed_now
        })
        expect(closed.filter(Boolean)).toHaveLength(1)
      }
    },
  )

  test('whoever completed alone and has not committed is not seen: open, and asked after the commits one closes it', async () => {
    const key = await openStage(db, { tasks: 2 })
    const { worker } = await claim(db, key, 2)
    const other = await db.pg.connect()
    await other.query('BEGIN')
    await other.query('SELECT * FROM app.complete_tasks($1, 1, 1, $2, $3)', [key.job_id, worker, JSON.stringify([done(2)])])
    expect(only(await completeTasksAndClose(db, { ...key, worker, results: [done(1)] }))).toMatchObject({ state: 'open' })
    await other.query('COMMIT')
    other.release()
    const asked = await Promise.all([jobs.closeStage(db, key), jobs.closeStage(db, key)])
    expect(asked.filter((a) => only(a).closed_now)).toHaveLength(1)
  })
})
