// What a job of two stages of one task costs: activities, round trips, transactions that write.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Pool } from '../../src/db/pool.ts'
import { findJob } from '../../src/db/reading.ts'
import { advanceJob } from '../../src/engine/advance.ts'
import type { Instances } from '../../src/engine/instances.ts'
import { runTasks } from '../../src/engine/run-tasks.ts'
import { jobTypeOf, submitJob } from '../../src/engine/submit.ts'
import type { Step } from '../../src/models/steps.ts'
import { createDatabase, type TestDatabase } from '../support/db.ts'
import { machine } from '../support/machine.ts'

let database: TestDatabase
beforeAll(async () => void (database = await createDatabase()))
afterAll(() => database.drop())

/** Statements that write nothing; each of the others is a transaction of its own, and so a commit. */
const READS: ReadonlySet<string> = new Set(['caller_load', 'stage_readiness', 'stages'])

test('hello_world of one task: 3 activities, at most 14 round trips and 8 commits, from the submission to the recorded end', async () => {
  const statements: string[] = []
  const query: Pool['query'] = (sql, values) => {
    statements.push(/app\.(\w+)\(/.exec(sql)?.[1] ?? /FROM app\.(\w+)/.exec(sql)?.[1] ?? sql)
    return database.pool.query(sql, values)
  }
  const r = machine({ ...database.pool, query })
  const job = jobTypeOf(r, 'hello_world')
  const instances = { start: () => Promise.resolve() } as unknown as Instances
  const run = async (name: string): Promise<string[]> => {
    const activities: string[] = []
    const parameters = job.parameters.parse({ name })
    const call = { job, parameters, metadata: {}, caller: 'somebody', requestId: null, idempotencyKey: null, force: false }
    const { job_id } = await submitJob({ ...r, instances }, call)
    let step: Step | undefined
    for (;;) {
      if (!step) activities.push('advanceJob')
      step ??= await advanceJob({ jobId: job_id, attempt: 1 }, r)
      if (step.kind !== 'run') break
      activities.push('runTasks')
      step = (await runTasks({ jobId: job_id, attempt: 1, stage: step.stage, alone: true }, r)).next
    }
    expect(step).toMatchObject({ kind: 'done', status: 'completed' })
    expect(await findJob(database.pool, job_id)).toMatchObject({ status: 'completed', result_data: { greetings: 1, replies: 1 } })
    return activities
  }
  // The first job of a process also tells that the process lives.
  await run('first')
  statements.length = 0
  expect(await run('second')).toEqual(['advanceJob', 'runTasks', 'runTasks'])
  const commits = statements.filter((name) => !READS.has(name)).length
  expect(statements.length, statements.join(' ')).toBeLessThanOrEqual(14)
  expect(commits).toBeLessThanOrEqual(8)
})
