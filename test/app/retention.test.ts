// Retention: what is old enough goes with its rows and its history, in slices; everything else stays.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { purge } from '../../src/engine/purge.ts'
import type { Instances } from '../../src/engine/instances.ts'
import { createDatabase, type TestDatabase } from '../support/db.ts'
import { type Machine, machine, runToEnd, submitTo, turn } from '../support/machine.ts'

let database: TestDatabase
let r: Machine
const purged: string[] = []
const instances = { purge: (id: string) => Promise.resolve(void purged.push(id)) } as unknown as Instances
beforeAll(async () => {
  database = await createDatabase()
  r = machine(database.pool)
})
afterAll(() => database.drop())

const sql = <T extends object>(text: string, values: unknown[] = []) => database.pool.query<T>(text, values)
const age = (id: string, days: number, status = 'completed') =>
  sql(`UPDATE app.jobs SET finished_at = now() - $2 * interval '1 day', status = $3 WHERE job_id = $1`, [id, days, status])
async function ended(name: string, n = 3): Promise<string> {
  const id = await submitTo(r, 'hello_world', { name, n })
  await runToEnd(r, id)
  return id
}

test('each status has its age; running jobs and their rows are never touched; what went is one event', async () => {
  const jobs = {
    old: await ended('old', 4500),
    young: await ended('young'),
    failedOld: await ended('failed old'),
    failedYoung: await ended('failed young'),
    cancelled: await ended('cancelled'),
  }
  const running = await submitTo(r, 'hello_world', { name: 'running', n: 200 })
  await turn(r, running)
  await age(jobs.old, 31)
  await age(jobs.young, 29)
  await age(jobs.failedOld, 91, 'failed')
  await age(jobs.failedYoung, 31, 'completed_with_errors')
  await age(jobs.cancelled, 31, 'cancelled')
  expect(await purge(r, instances)).toEqual({ 'hello_world/completed': 1, 'hello_world/failed': 1, 'hello_world/cancelled': 1 })
  expect(purged.toSorted()).toEqual([jobs.old, jobs.failedOld, jobs.cancelled].toSorted())
  const left = (await sql<{ job_id: string }>('SELECT job_id FROM app.jobs')).map((j) => j.job_id)
  expect(left.toSorted()).toEqual([jobs.young, jobs.failedYoung, running].toSorted())
  // No orphan rows of any kind.
  const [orphans] = await sql(
    `SELECT (SELECT count(*)::int FROM app.stages s WHERE NOT EXISTS (SELECT FROM app.jobs j WHERE j.job_id = s.job_id)) AS stages,
       (SELECT count(*)::int FROM app.tasks t WHERE NOT EXISTS (SELECT FROM app.stages s WHERE s.stage_id = t.stage_id)) AS tasks,
       (SELECT count(*)::int FROM app.job_events e WHERE e.job_id IS NOT NULL AND NOT EXISTS (SELECT FROM app.jobs j WHERE j.job_id = e.job_id)) AS events`,
  )
  expect(orphans).toEqual({ stages: 0, tasks: 0, events: 0 })
  expect(await sql(`SELECT data->>'jobs' AS jobs FROM app.job_events WHERE event = 'jobs.purged'`)).toEqual([{ jobs: '3' }])
  expect(await purge(r, instances)).toEqual({})
  expect((await runToEnd(r, running)).status).toBe('completed')
})

test('a history that cannot be purged now keeps its job for the next pass', async () => {
  const id = await ended('stubborn')
  await age(id, 31)
  const refusing = { purge: () => Promise.reject(new Error('not now')) } as unknown as Instances
  expect(await purge(r, refusing)).toEqual({})
  expect(await purge(r, instances)).toEqual({ 'hello_world/completed': 1 })
})

test('an age of 0 days keeps jobs for ever', async () => {
  const id = await ended('for ever')
  await age(id, 3000)
  const forever = { ...r, settings: { ...r.settings, retentionDays: 0 } }
  expect(await purge(forever, instances)).toEqual({})
  expect(await purge(r, instances)).toEqual({ 'hello_world/completed': 1 })
})
