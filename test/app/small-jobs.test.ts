// What a job of two stages of one task costs: activities, round trips, transactions that write; and what its activities do one after another.
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { pauseJob } from '../../src/db/job-functions.ts'
import type { Pool } from '../../src/db/pool.ts'
import { findJob } from '../../src/db/reading.ts'
import { defineJob, defineStage } from '../../src/define/define-job.ts'
import { advanceOn, runOn } from '../../src/engine/go-on.ts'
import type { Instances } from '../../src/engine/instances.ts'
import { jobTypeOf, submitJob } from '../../src/engine/submit.ts'
import type { Step } from '../../src/models/steps.ts'
import { AppError } from '../../src/rules/errors.ts'
import { createDatabase, type TestDatabase } from '../support/db.ts'
import { type Machine, machine, submitTo, tasksOf } from '../support/machine.ts'

let database: TestDatabase
beforeAll(async () => void (database = await createDatabase()))
afterAll(() => database.drop())

/** Statements that write nothing; each of the others is a transaction of its own, and so a commit. */
const READS: ReadonlySet<string> = new Set(['caller_load', 'jobs', 'stages'])

/** Activities until the job has ended, as the orchestrator calls them. */
async function activitiesOf(r: Machine, jobId: string): Promise<string[]> {
  const activities: string[] = []
  let step: Step | undefined
  for (;;) {
    if (!step) activities.push('advanceJob')
    step ??= await advanceOn({ jobId, attempt: 1 }, r)
    if (step.kind === 'done') return activities
    if (step.kind !== 'run') throw new Error(`the job does not run: ${JSON.stringify(step)}`)
    activities.push('runTasks')
    step = (await runOn({ jobId, attempt: 1, stage: step.stage, alone: true }, r)).next
  }
}

test('hello_world of one task: at most 3 activities, 14 round trips and 8 commits, from the submission to the recorded end; known as quick, one', async () => {
  const statements: string[] = []
  const query: Pool['query'] = (sql, values) => {
    statements.push(/app\.(\w+)\(/.exec(sql)?.[1] ?? /FROM app\.(\w+)/.exec(sql)?.[1] ?? sql)
    return database.pool.query(sql, values)
  }
  const r = machine({ ...database.pool, query })
  const job = jobTypeOf(r, 'hello_world')
  const instances = { start: () => Promise.resolve() } as unknown as Instances
  const run = async (name: string): Promise<string[]> => {
    const parameters = job.parameters.parse({ name })
    const call = { job, parameters, metadata: {}, caller: 'somebody', requestId: null, idempotencyKey: null, force: false }
    const { job_id } = await submitJob({ ...r, instances }, call)
    const activities = await activitiesOf(r, job_id)
    expect(await findJob(database.pool, job_id)).toMatchObject({ status: 'completed', result_data: { greetings: 1, replies: 1 } })
    return activities
  }
  // The first job of a process also tells that the process lives.
  expect(await run('first')).toEqual(['advanceJob', 'runTasks', 'runTasks'])
  const commits = (): number => statements.filter((name) => !READS.has(name)).length
  expect(statements.length, statements.join(' ')).toBeLessThanOrEqual(14 + 1)
  expect(commits()).toBeLessThanOrEqual(8 + 1)
  statements.length = 0
  expect(await run('second')).toEqual(['advanceJob'])
  expect(statements.length, statements.join(' ')).toBeLessThanOrEqual(9)
  expect(commits(), statements.join(' ')).toBeLessThanOrEqual(6)
})

/** A stage whose task takes as long as told, on the clock that the machine is given. */
function paced(r: Machine, ms: () => number): Machine {
  let time = Date.now()
  const stage = defineStage({
    name: 'take_time',
    parameters: z.strictObject({ label: z.string() }),
    result: z.strictObject({}),
    *plan() {
      yield { key: 'only' }
    },
    run: () => {
      time += ms()
      return {}
    },
  })
  const job = defineJob({
    name: 'paced',
    description: 'takes time',
    parameters: stage.parameters,
    stages: [stage, { ...stage, name: 'take_more' }],
  })
  return { ...r, now: () => new Date(time), jobType: (name) => (name === 'paced' ? job : undefined), jobTypes: [job] }
}

test('a stage that took long the last time is left to the orchestrator, which tells of it; quick again, it is done at once again', async () => {
  let ms = 1
  const r = paced(machine(database.pool), () => ms)
  const run = async (label: string): Promise<string[]> => activitiesOf(r, await submitTo(r, 'paced', { label }))
  const [each, one] = [['advanceJob', 'runTasks', 'runTasks'], ['advanceJob']]
  expect(await run('unknown')).toEqual(each)
  expect(await run('quick')).toEqual(one)
  ms = 400
  // Begun by the first activity, which does not know it yet.
  expect(await run('slow now')).toEqual(one)
  expect(await run('slow')).toEqual(each)
  ms = 240
  expect(await run('quick now')).toEqual(each)
  expect(await run('quick again')).toEqual(one)
})

test('an activity begins no further stage after a second', async () => {
  let ms = 1
  const r = paced(machine(database.pool), () => ms)
  const run = async (label: string): Promise<string[]> => activitiesOf(r, await submitTo(r, 'paced', { label }))
  await run('second 1')
  ms = 1000
  expect(await run('second 2')).toEqual(['advanceJob', 'runTasks'])
})

test('a host that stops hands nothing out with a plan, and begins no other stage', async () => {
  const stopping = new AbortController()
  const r = paced(machine(database.pool, { stopping: stopping.signal }), () => 1)
  await activitiesOf(r, await submitTo(r, 'paced', { label: 'stop 1' }))
  const id = await submitTo(r, 'paced', { label: 'stop 2' })
  stopping.abort()
  expect(await advanceOn({ jobId: id, attempt: 1 }, r)).toMatchObject({ kind: 'run', stage: 1 })
  expect(await tasksOf(database.pool, id)).toMatchObject([{ stage: 1, status: 'queued', claims: 0 }])
})

test('a database that is away while an activity goes on: the step is handed back, and nothing is lost', async () => {
  const broken = { is: false }
  const query: Pool['query'] = (sql, values) =>
    broken.is && sql.includes('complete_tasks')
      ? Promise.reject(new AppError('DATABASE_SCHEMA', 'told by a test'))
      : database.pool.query(sql, values)
  const r = paced(machine({ ...database.pool, query }), () => 1)
  await activitiesOf(r, await submitTo(r, 'paced', { label: 'away 1' }))
  const id = await submitTo(r, 'paced', { label: 'away 2' })
  broken.is = true
  expect(await advanceOn({ jobId: id, attempt: 1 }, r)).toMatchObject({ kind: 'run', stage: 1, workers: 1, done: 0, total: 1 })
  expect(await tasksOf(database.pool, id)).toMatchObject([{ stage: 1, status: 'processing', claims: 1 }])
})

test('a job that was paused before its first turn is not begun by the process that submitted it', async () => {
  const r = machine(database.pool)
  const id = await submitTo(r, 'hello_world', { name: 'paused first' })
  await pauseJob(database.pool, { job_id: id, reason: 'test', actor: 'test' })
  expect(await advanceOn({ jobId: id, attempt: 1 }, r)).toMatchObject({ kind: 'wait' })
  expect(await tasksOf(database.pool, id)).toEqual([])
})
