// Retention: what is old enough goes with its rows and its history, in slices; everything else stays.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { purgeJobs } from '../../src/engine/bulk.ts'
import { purge } from '../../src/engine/purge.ts'
import { purgeOne } from '../../src/engine/purge-one.ts'
import type { Pool } from '../../src/db/pool.ts'
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

describe('a purge that somebody asked for', () => {
  const order = { reason: 'names of persons', actor: 'ada' }
  const none = { ...instances, find: () => Promise.resolve(undefined) } as unknown as Instances
  const told = () => sql(`SELECT job_id, actor, data FROM app.job_events WHERE event = 'job.purged'`)

  test('takes the rows as retention does and leaves one event; asked again it changes nothing; others stay', async () => {
    const [id, other] = [await ended('asked'), await ended('asked other')]
    expect(await purgeOne({ ...r, instances: none }, id, order)).toBe(true)
    expect(await purgeOne({ ...r, instances: none }, id, order)).toBe(false)
    expect(purged.at(-1)).toBe(id)
    const data = { job_id: id, job_type: 'hello_world', status: 'completed', attempt: 1, reason: order.reason }
    expect(await told()).toEqual([{ job_id: null, actor: 'ada', data }])
    const left = (await sql<{ job_id: string }>('SELECT job_id FROM app.jobs WHERE job_id = ANY ($1)', [[id, other]])).map(
      (j) => j.job_id,
    )
    expect(left).toEqual([other])
    await purge(r, instances)
    const [rows] = await sql(
      `SELECT (SELECT count(*)::int FROM app.stages WHERE job_id = $1) AS stages, (SELECT count(*)::int FROM app.job_events WHERE job_id = $1) AS events,
         (SELECT count(*)::int FROM app.tasks t WHERE NOT EXISTS (SELECT FROM app.stages s WHERE s.stage_id = t.stage_id)) AS tasks`,
      [id],
    )
    expect(rows).toEqual({ stages: 0, events: 0, tasks: 0 })
    // The same parameters are a new job.
    expect(await submitTo(r, 'hello_world', { name: 'asked', n: 3 })).toBe(id)
    expect((await runToEnd(r, id)).status).toBe('completed')
  })

  test('is refused for a job that has not ended, by its state, also when it began again meanwhile', async () => {
    const id = await submitTo(r, 'hello_world', { name: 'not ended', n: 200 })
    await turn(r, id)
    await expect(purgeOne({ ...r, instances: none }, id, order)).rejects.toMatchObject({
      code: 'ILLEGAL_STATE',
      message: expect.stringContaining('is processing'),
    })
    expect((await runToEnd(r, id)).status).toBe('completed')
    const again = {
      ...none,
      purge: async () => void (await sql(`UPDATE app.jobs SET status = 'queued', finished_at = NULL WHERE job_id = $1`, [id])),
    } as unknown as Instances
    await expect(purgeOne({ ...r, instances: again }, id, order)).rejects.toMatchObject({
      message: expect.stringContaining('is queued'),
    })
    expect(await told()).toHaveLength(1)
  })

  test('an instance that still ends is ended first; a history that cannot be removed keeps the job', async () => {
    const id = await ended('still ends')
    const calls: string[] = []
    const ending = {
      find: () => Promise.resolve({ runtimeStatus: calls.includes('terminate') ? 'Terminated' : 'Running' }),
      terminate: () => Promise.resolve(void calls.push('terminate')),
      purge: () => (calls.push('purge'), calls.length < 3 ? Promise.reject(new Error('not now')) : Promise.resolve()),
    } as unknown as Instances
    await expect(purgeOne({ ...r, instances: ending }, id, order)).rejects.toMatchObject({ code: 'DURABLE_UNAVAILABLE' })
    expect(await sql('SELECT status FROM app.jobs WHERE job_id = $1', [id])).toEqual([{ status: 'completed' }])
    expect(await purgeOne({ ...r, instances: ending }, id, order)).toBe(true)
    expect(calls).toEqual(['terminate', 'purge', 'purge'])
  })

  test('for a filter: a dry run first; each is named, those that cannot go now stay, running ones are not looked at', async () => {
    const ids = [await ended('of a filter 1'), await ended('of a filter 2'), await ended('of a filter 3')]
    const running = await submitTo(r, 'hello_world', { name: 'of a filter, running', n: 200 })
    await turn(r, running)
    const refusesOne = {
      ...none,
      purge: (id: string) => (id === ids[1] ? Promise.reject(new Error('not now')) : Promise.resolve()),
    } as unknown as Instances
    const bulk = { ...order, filter: { text: 'of a filter' }, limit: 10 }
    const ask = (deps: Instances, dry_run: boolean) => purgeJobs({ ...r, instances: deps }, { ...bulk, dry_run })
    expect(await ask(none, true)).toMatchObject({ action: 'purge', matched: 3, changed: 0, more: false })
    expect((await ask(none, true)).jobs.map((j) => j.outcome)).toEqual(['would_change', 'would_change', 'would_change'])

    const first = await ask(refusesOne, false)
    expect(first).toMatchObject({ matched: 3, changed: 2 })
    expect(first.jobs.find((j) => j.job_id === ids[1])).toMatchObject({ outcome: 'refused', code: 'DURABLE_UNAVAILABLE' })
    expect(await ask(none, false)).toMatchObject({ matched: 1, changed: 1 })
    expect(await ask(none, false)).toMatchObject({ matched: 0, changed: 0 })
    expect(await sql('SELECT job_id FROM app.jobs WHERE job_id = ANY ($1)', [[...ids, running]])).toEqual([{ job_id: running }])
    expect(
      await sql(`SELECT actor, data ->> 'changed' AS changed FROM app.job_events WHERE event = 'bulk.purge' ORDER BY event_id`),
    ).toEqual(['2', '1', '0'].map((changed) => ({ actor: 'ada', changed })))
  })

  test('for a filter: when the database fails, what was not begun is left alone', async () => {
    for (let i = 0; i < 12; i++) await ended(`left alone ${i}`)
    let asked = 0
    const query: Pool['query'] = (text, values) =>
      text.includes('purge_job') ? (asked++, Promise.reject(new Error('terminated'))) : database.pool.query(text, values)
    const lost = { ...database.pool, query }
    const bulk = { ...order, filter: { text: 'left alone' }, limit: 20, dry_run: false }
    await expect(purgeJobs({ ...r, db: lost, instances: none }, bulk)).rejects.toThrow('terminated')
    expect(asked).toBeLessThanOrEqual(8)
  })
})
