import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { advanceJob } from '../../src/activities/advance-job.ts'
import { reconcile } from '../../src/engine/reconcile.ts'
import { runTasks } from '../../src/activities/run-tasks.ts'
import { cancelJob, pauseJob, resumeJob } from '../../src/db/job-functions.ts'
import type { Pool } from '../../src/db/pool.ts'
import type { Instances, InstanceStatus } from '../../src/engine/instances.ts'
import { createDatabase, type TestDatabase } from '../support/db.ts'
import { type Machine, machine, runToEnd, submitTo, tasksOf, turn } from '../support/machine.ts'

let database: TestDatabase
let db: Pool
beforeAll(async () => {
  database = await createDatabase()
  db = database.pool
})
afterAll(() => database.drop())

describe('duplicate deliveries', () => {
  const shape = async (id: string) => (await tasksOf(db, id)).map((t) => [t.stage, t.task_key, t.status, t.result_data])
  const run = async (name: string, deliver: (r: Machine, id: string) => Promise<void>) => {
    const r = machine(db)
    const id = await submitTo(r, 'hello_world', { n: 120, name })
    await deliver(r, id)
    expect((await runToEnd(r, id)).status).toBe('completed')
    return (await shape(id)).map((row) => JSON.stringify(row).replaceAll(name, 'X'))
  }

  test('every activity delivered twice and three times, side by side: the rows of an undisturbed run', async () => {
    const undisturbed = await run('Once', () => Promise.resolve())
    for (const times of [2, 3]) {
      const disturbed = await run(`Times${times}`, async (r, id) => {
        for (;;) {
          const steps = await Promise.all(Array.from({ length: times }, () => advanceJob({ jobId: id, attempt: 1 }, r)))
          const step = steps[0]
          if (!step || step.kind === 'done') return
          if (step.kind !== 'run') continue
          await Promise.all(
            Array.from({ length: times * step.workers }, () => runTasks({ jobId: id, attempt: 1, stage: step.stage }, r)),
          )
          // And once more, late.
          await runTasks({ jobId: id, attempt: 1, stage: step.stage }, r)
        }
      })
      expect(disturbed).toEqual(undisturbed)
    }
    const events = await db.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM app.job_events e JOIN app.jobs j USING (job_id) WHERE e.event = 'stage.closed' AND j.parameters ->> 'name' LIKE 'Times%' GROUP BY job_id`,
    )
    expect(events).toEqual([{ n: 2 }, { n: 2 }])
  })

  test('malformed activity input is a named error', async () => {
    const r = machine(db)
    for (const input of [
      {},
      { jobId: 'x', attempt: 1 },
      { jobId: 'a'.repeat(64), attempt: 0 },
      { jobId: 'a'.repeat(64), attempt: 1, more: 1 },
    ]) {
      await expect(advanceJob(input, r)).rejects.toMatchObject({ code: 'INVALID_PARAMETERS' })
    }
    expect(await runTasks({ jobId: 'a'.repeat(64), attempt: 1, stage: 1 }, r)).toEqual({ claimed: 0, completed: 0, failed: 0 })
  })
})

describe('the reconciler', () => {
  const status = (runtimeStatus: string, lastUpdatedTime = new Date().toISOString()): InstanceStatus => ({
    name: 'job',
    instanceId: '',
    runtimeStatus,
    input: null,
    customStatus: null,
    output: null,
    createdTime: lastUpdatedTime,
    lastUpdatedTime,
  })
  const fake = (found: InstanceStatus | undefined, orphans: string[] = []) => {
    const calls: string[] = []
    const instances: Instances = {
      start: (i) => Promise.resolve(void calls.push(`start ${i.attempt}`)),
      find: () => Promise.resolve(found),
      managementPayload: (id) => ({ id, statusQueryGetUri: 'http://localhost/' }),
      suspended: () => Promise.resolve(orphans),
      purge: (id) => Promise.resolve(void calls.push(`purge ${id}`)),
      terminate: (_id, reason) => Promise.resolve(void calls.push(`terminate ${reason}`)),
      suspend: (_id, reason) => Promise.resolve(void calls.push(`suspend ${reason}`)),
      resume: (_id, reason) => Promise.resolve(void calls.push(`resume ${reason}`)),
    }
    return { instances, calls }
  }
  const old = '2020-01-01T00:00:00Z'
  const cases: [string, InstanceStatus | undefined, string[]][] = [
    ['missing: started', undefined, ['start 1']],
    ['running: left alone', status('Running'), []],
    ['suspended: left alone', status('Suspended'), []],
    ['failed outside the job: started again', status('Failed'), ['start 1']],
    ['completed although the job goes on: started again', status('Completed'), ['start 1']],
    ['terminated: started again', status('Terminated'), ['start 1']],
    ['pending for long: terminated, then started', status('Pending', old), ['terminate lost while pending', 'start 1']],
    ['just pending: left alone', status('Pending'), []],
  ]
  for (const [title, found, calls] of cases) {
    test(title, async () => {
      const own = await createDatabase()
      try {
        const r = machine(own.pool)
        const id = await submitTo(r, 'hello_world', { name: 'Reconcile' })
        await turn(r, id)
        const { instances, calls: made } = fake(found)
        expect(await reconcile(r, instances, 0)).toBe(calls.some((c) => c.startsWith('start')) ? 1 : 0)
        expect(made).toEqual(calls)
        const events = await own.pool.query(`SELECT 1 FROM app.job_events WHERE event = 'job.reconciled'`)
        expect(events).toHaveLength(calls.length > 0 ? 1 : 0)
      } finally {
        await own.drop()
      }
    })
  }

  test('a job whose start was never confirmed is started; a finished one and one with living leases are not looked at', async () => {
    const own = await createDatabase()
    try {
      const r = machine(own.pool)
      await submitTo(r, 'hello_world', { name: 'Never' })
      const finished = await submitTo(r, 'hello_world', { name: 'Finished' })
      await runToEnd(r, finished)
      const { instances, calls } = fake(undefined)
      expect(await reconcile(r, instances, 0)).toBe(1)
      expect(calls).toEqual(['start 1'])
      // Just repaired: it leaves the list for a while.
      expect(await reconcile(r, instances, 30)).toBe(0)
    } finally {
      await own.drop()
    }
  })

  test('a resume that was lost: a suspended instance is resumed, but not one that was suspended elsewhere', async () => {
    const own = await createDatabase()
    try {
      const r = machine(own.pool)
      const id = await submitTo(r, 'hello_world', { name: 'Held' })
      await turn(r, id)
      const order = { job_id: id, reason: 'test', actor: 'test' }
      await pauseJob(own.pool, order)
      const held = fake(status('Suspended'))
      expect(await reconcile(r, held.instances, 0)).toBe(0)
      await resumeJob(own.pool, order)
      expect(await reconcile(r, held.instances, 0)).toBe(1)
      expect(held.calls).toEqual(['resume its job was resumed'])
    } finally {
      await own.drop()
    }
  })

  test('a suspended instance whose job has ended, or is gone, is terminated', async () => {
    const own = await createDatabase()
    try {
      const r = machine(own.pool)
      const id = await submitTo(r, 'hello_world', { name: 'Cancelled' })
      const living = await submitTo(r, 'hello_world', { name: 'Paused' })
      await cancelJob(own.pool, { job_id: id, reason: 'test', actor: 'test' })
      await pauseJob(own.pool, { job_id: living, reason: 'test', actor: 'test' })
      const { instances, calls } = fake(undefined, [id, '0'.repeat(64), living])
      expect(await reconcile(r, instances, 0)).toBe(2)
      expect(calls).toEqual(['terminate its job is cancelled', 'terminate its job was deleted'])
    } finally {
      await own.drop()
    }
  })

  test('an instance suspended from outside while its job runs stays suspended for ever: it is resumed, with an event', async () => {
    const own = await createDatabase()
    try {
      const r = machine(own.pool)
      const id = await submitTo(r, 'hello_world', { name: 'Portal' })
      await turn(r, id)
      const { instances, calls } = fake(status('Suspended'), [id])
      expect(await reconcile(r, instances, 3600)).toBe(1)
      expect(calls).toEqual(['resume its job is processing'])
      const events = await own.pool.query<{ data: object }>(`SELECT data FROM app.job_events WHERE event = 'job.reconciled'`)
      expect(events).toMatchObject([{ data: { action: 'resumed', runtime_status: 'Suspended' } }])
    } finally {
      await own.drop()
    }
  })

  test('the instance of a deleted job ends instead of asking for ever', async () => {
    const own = await createDatabase()
    try {
      const r = machine(own.pool)
      expect(await advanceJob({ jobId: '0'.repeat(64), attempt: 1 }, r)).toEqual({
        kind: 'done',
        status: 'cancelled',
        attempt: 1,
      })
    } finally {
      await own.drop()
    }
  })

  test('one job that cannot be repaired does not keep the others waiting', async () => {
    const own = await createDatabase()
    try {
      const r = machine(own.pool)
      for (const name of ['A', 'B', 'C']) await submitTo(r, 'hello_world', { name })
      let n = 0
      const { instances } = fake(undefined)
      const flaky: Instances = {
        ...instances,
        start: () => (n++ === 1 ? Promise.reject(new Error('refused')) : Promise.resolve()),
      }
      expect(await reconcile(r, flaky, 0)).toBe(2)
    } finally {
      await own.drop()
    }
  })

  test('what old attempts left is deleted', async () => {
    const own = await createDatabase()
    try {
      const r = machine(own.pool)
      const id = await submitTo(r, 'hello_world', { n: 50, name: 'Old' })
      await runToEnd(r, id)
      await own.pool.query(`UPDATE app.stages SET retired_at = now()`)
      await reconcile(r, fake(undefined).instances, 0)
      expect(
        await own.pool.query(
          'SELECT (SELECT count(*)::int FROM app.tasks) AS tasks, (SELECT count(*)::int FROM app.stages) AS stages',
        ),
      ).toEqual([{ tasks: 0, stages: 0 }])
    } finally {
      await own.drop()
    }
  })
})
