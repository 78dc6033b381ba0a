// What administrators read of a database, on one that is well and on ones that are not.
import { expect, test } from 'vitest'
import { countByStatus, countRecentJobs, diagnoseEnums, readTableStatistics, readTaskRows } from '../../src/db/diagnostics.ts'
import { openPool } from '../../src/db/pool.ts'
import { testFunctions } from '../../src/db/self-test.ts'
import { claim, createDatabase, openStage, withDb } from '../support/db.ts'

test('the self-test of the functions passes for the role of the app, and leaves nothing', async () => {
  const database = await createDatabase()
  const app = openPool({ connectionString: database.appUrl, max: 1 })
  const results = await testFunctions(app)
  expect(results.filter((r) => !r.ok)).toEqual([])
  expect(new Set(results.map((r) => r.function)).size).toBeGreaterThanOrEqual(20)
  expect(
    await database.pool.query(
      `SELECT (SELECT count(*)::int FROM app.jobs) AS jobs, (SELECT count(*)::int FROM app.job_events) AS events`,
    ),
  ).toEqual([{ jobs: 0, events: 0 }])
  await app.end()
  await database.drop()
})

test('the self-test names a function that is gone, one that answers otherwise, one that the role may not call', async () => {
  const database = await createDatabase()
  const app = openPool({ connectionString: database.appUrl, max: 1 })
  await database.pool.query(`
    DROP FUNCTION app.held_claims;
    CREATE OR REPLACE FUNCTION app.seal_stage(p_job_id text, p_attempt int, p_stage_no int, p_expected int) RETURNS boolean LANGUAGE sql AS 'SELECT false';
    REVOKE EXECUTE ON FUNCTION app.pause_job FROM app_rw, PUBLIC`)
  const wrong = Object.fromEntries((await testFunctions(app)).filter((r) => !r.ok).map((r) => [r.function, r.problem]))
  expect(wrong['held_claims']).toMatch(/42883/)
  expect(wrong['seal_stage']).toBe('seal_stage is false')
  expect(wrong['pause_job']).toMatch(/42501/)
  expect(await database.pool.query('SELECT 1 FROM app.jobs')).toEqual([])
  await app.end()
  await database.drop()
})

test('counts and filters count and filter', async () =>
  withDb(async (db) => {
    const a = await openStage(db, { tasks: 3 })
    const b = await openStage(db, { tasks: 2 })
    await claim(db, a, 1)
    expect(await countByStatus(db)).toEqual({ jobs: { processing: 2 }, open_tasks: { processing: 1, queued: 4 } })
    expect(await countRecentJobs(db)).toEqual({ processing: 2 })
    const rows = async (filter: object): Promise<number> => (await readTaskRows(db, { limit: 100, ...filter })).length
    expect([
      await rows({}),
      await rows({ job_id: b.job_id }),
      await rows({ status: 'processing' }),
      await rows({ limit: 2 }),
    ]).toEqual([5, 2, 1, 2])
    expect([
      await rows({ stage_no: 2 }),
      await rows({ hours: 1 }),
      await rows({ job_id: a.job_id, status: 'queued', stage_no: 1 }),
    ]).toEqual([0, 1, 2])
    const tables = (await readTableStatistics(db)).map((t) => t.table)
    expect(tables).toEqual(expect.arrayContaining(['jobs', 'stages', 'tasks', 'job_events', 'stac_items']))
  }))

test('words that only one side knows are told', async () =>
  withDb(async (db) => {
    const fine = await diagnoseEnums(db)
    expect(fine.filter((e) => !e.ok)).toEqual([])
    expect(fine.find((e) => e.constraint === 'jobs_status_enum')?.expected).toContain('completed_with_errors')
    await db.query(`
      ALTER TABLE app.jobs DROP CONSTRAINT jobs_status_enum, ADD CONSTRAINT jobs_status_enum CHECK (status IN ('queued', 'done'));
      ALTER TABLE app.stages DROP CONSTRAINT stages_status_enum`)
    const odd = (await diagnoseEnums(db)).filter((e) => !e.ok)
    expect(odd.map((e) => [e.constraint, e.found])).toEqual([
      ['jobs_status_enum', ['done', 'queued']],
      ['stages_status_enum', null],
    ])
  }))
