// Migrations as a DBA meets them: many at once, through a pooler, on databases of other releases, with grants of their own.
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { compareCatalogues, readCatalogue } from '../../src/db/catalogue.ts'
import { migrate } from '../../src/db/migrate.ts'
import { createDatabase, openStage, type TestDatabase } from '../support/db.ts'
import { startTransactionPooler } from '../support/transaction-pooler.ts'

const NOTHING = { migrations: [], functionsReplaced: false }
let database: TestDatabase
let folder: string
beforeEach(async () => {
  database = await createDatabase()
  folder = await mkdtemp(join(tmpdir(), 'lamplighter-sql-'))
  await cp('sql', folder, { recursive: true })
})
afterEach(async () => {
  await database.drop()
  await rm(folder, { recursive: true })
})

/** Another release: the file with a text replaced. */
async function edit(file: string, from: string, to: string): Promise<void> {
  const path = join(folder, file)
  const text = await readFile(path, 'utf8')
  expect(text).toContain(from)
  await writeFile(path, text.replace(from, to))
}

const locks = async (): Promise<unknown[]> =>
  database.pool.query(
    `SELECT l.objid FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE l.locktype = 'advisory' AND d.datname = current_database()`,
  )

test('24 releases start at once on an empty database: one migrates, all succeed, no lock is left', async () => {
  const empty = await createDatabase({ empty: true })
  try {
    const reports = await Promise.all(Array.from({ length: 24 }, () => migrate(empty.url, 'sql')))
    expect(reports.filter((r) => r.migrations.length > 0)).toHaveLength(1)
    expect(reports.filter((r) => r.functionsReplaced)).toHaveLength(1)
    expect(compareCatalogues(await readCatalogue(database.pool), await readCatalogue(empty.pool))).toEqual([])
  } finally {
    await empty.drop()
  }
})

test('through a pooler in transaction mode no lock stays behind, so the next migration does not hang', async () => {
  const pooler = await startTransactionPooler(database.url, 2)
  try {
    for (const mark of ['a', 'b', 'c']) {
      await database.pool.query(`COMMENT ON SCHEMA app IS '${mark}'`)
      expect(await migrate(pooler.url, 'sql')).toEqual({ migrations: [], functionsReplaced: true })
      expect(await locks()).toEqual([])
    }
    expect(await migrate(database.url, 'sql')).toEqual(NOTHING)
  } finally {
    await pooler.close()
  }
})

test('a released migration that was changed afterwards is refused by name', async () => {
  await edit('migrations/0001_schema.sql', 'fillfactor = 70', 'fillfactor = 71')
  await expect(migrate(database.url, folder)).rejects.toThrow(/0001_schema was changed after it was applied/)
})

test('a release older than the database refuses, and changes nothing', async () => {
  await writeFile(join(folder, 'migrations/0999_future.sql'), 'CREATE TABLE app.future (id int);')
  expect((await migrate(database.url, folder)).migrations).toEqual(['0999_future'])
  const before = await readCatalogue(database.pool)
  await database.pool.query(`COMMENT ON SCHEMA app IS 'functions of the newer release'`)
  await expect(migrate(database.url, 'sql')).rejects.toThrow(/0999_future.*newer/)
  expect(await readCatalogue(database.pool)).toEqual(before)
})

test('a failing migration leaves the schema as it was, and nothing locked', async () => {
  await writeFile(join(folder, 'migrations/0999_wrong.sql'), 'CREATE TABLE app.half (id int); SELECT 1 / 0;')
  const before = await readCatalogue(database.pool)
  await expect(migrate(database.url, folder)).rejects.toThrow(/division by zero/)
  expect(await readCatalogue(database.pool)).toEqual(before)
  expect(await locks()).toEqual([])
  expect(await migrate(database.url, 'sql')).toEqual(NOTHING)
})

test('a role without rights on the schema is told "nothing to do" when there is nothing to do', async () => {
  const url = new URL(database.url)
  const role = `small_${url.pathname.slice(-8)}`
  await database.pool.query(
    `CREATE ROLE ${role} LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA app TO ${role}; GRANT SELECT ON app.migrations TO ${role}`,
  )
  try {
    url.username = role
    url.password = 'x'
    expect(await migrate(url.href, 'sql')).toEqual(NOTHING)
  } finally {
    await database.pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
  }
})

test('grants of a DBA survive a new text, and a new signature, of a function; a view of somebody else is never dropped', async () => {
  const role = `caller_${new URL(database.url).pathname.slice(-8)}`
  const may = async (who: string): Promise<unknown> =>
    (
      await database.pool.query(
        `SELECT bool_and(has_function_privilege($1, p.oid, 'EXECUTE')) AS ok, count(*)::int AS n FROM pg_proc p
       WHERE p.pronamespace = 'app'::regnamespace AND p.proname IN ('has_open_tasks', 'purge_job', 'confirm_start')`,
        [who],
      )
    )[0]
  await database.pool.query(`CREATE ROLE ${role}; CREATE ROLE other_${role};
    REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA app FROM PUBLIC; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA app TO ${role};
    CREATE FUNCTION app.of_the_dba() RETURNS int LANGUAGE sql AS 'SELECT 1'`)
  try {
    await edit('functions/has_open_tasks.sql', 'RETURN FOUND;', 'RETURN FOUND OR false;')
    await edit('functions/purge_job.sql', 'p_job_id text)', 'p_job_id text, p_more int DEFAULT 0)')
    await edit('functions/confirm_start.sql', 'RETURNS boolean', 'RETURNS text')
    expect((await migrate(database.url, folder)).functionsReplaced).toBe(true)
    expect([await may(role), await may(`other_${role}`)]).toEqual([
      { ok: true, n: 3 },
      { ok: false, n: 3 },
    ])
    expect(await database.pool.query('SELECT app.of_the_dba() AS one')).toEqual([{ one: 1 }])
    await database.pool.query(`CREATE VIEW public.open AS SELECT app.confirm_start('x', 1) AS c`)
    await expect(migrate(database.url, 'sql')).rejects.toThrow(/other objects depend on it/)
    expect(await database.pool.query('SELECT c FROM public.open')).toEqual([{ c: 'false' }])
    // What this release no longer has goes, and only that.
    await database.pool.query('DROP VIEW public.open')
    await rm(join(folder, 'functions/note_reconciled.sql'))
    await migrate(database.url, folder)
    expect(await database.pool.query(`SELECT proname FROM pg_proc WHERE proname IN ('note_reconciled', 'of_the_dba')`)).toEqual([
      { proname: 'of_the_dba' },
    ])
  } finally {
    await database.pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}; DROP ROLE other_${role}`)
  }
})

test('a database of the first release, whose key index has the other order, gets this one', async () => {
  await database.pool.query(`DROP INDEX app.tasks_key; CREATE UNIQUE INDEX tasks_key ON app.tasks (stage_id, md5(task_key));
    COMMENT ON TABLE app.migrations IS NULL; DELETE FROM app.migrations WHERE name <> '0001_schema';
    DROP INDEX app.jobs_by_status, app.jobs_by_type, app.jobs_ended_well, app.jobs_ended_badly, app.jobs_of_caller; DROP TABLE app.hosts, app.raster_outputs, app.stac_collections, app.stac_items,
      app.schedules, app.schedule_runs, app.webhooks, app.webhook_deliveries;
    CREATE TYPE app.stage_closure AS (state text); COMMENT ON SCHEMA app IS 'functions of the first release'`)
  expect(await migrate(database.url, 'sql')).toEqual({
    migrations: [
      '0002_indexes',
      '0003_hosts_and_callers',
      '0004_raster_outputs',
      '0005_catalogue',
      '0006_schedules',
      '0007_webhooks',
    ],
    functionsReplaced: true,
  })
  const fresh = await createDatabase()
  try {
    expect(compareCatalogues(await readCatalogue(fresh.pool), await readCatalogue(database.pool))).toEqual([])
  } finally {
    await fresh.drop()
  }
  expect(await database.pool.query(`SELECT to_regtype('app.stage_closure') AS type`)).toEqual([{ type: null }])
  expect(await migrate(database.url, 'sql')).toEqual(NOTHING)
})

test('made anew in one transaction: a statement that fails leaves the old schema with its rows; jobs that run refuse it', async () => {
  await database.pool.query(`SELECT app.add_event(NULL, 'admin.test', '{}')`)
  const before = await readCatalogue(database.pool)
  await writeFile(join(folder, 'migrations', '0099_broken.sql'), 'CREATE TABLE app.half (id int);\nSELECT 1 / 0;\n')
  await expect(migrate(database.url, folder, { rebuild: { force: false } })).rejects.toThrow('division by zero')
  await rm(join(folder, 'migrations', '0099_broken.sql'))
  await edit('functions/has_open_tasks.sql', 'RETURNS boolean', 'RETURNS nothing_known')
  await expect(migrate(database.url, folder, { rebuild: { force: false } })).rejects.toThrow('nothing_known')
  expect(compareCatalogues(before, await readCatalogue(database.pool))).toEqual([])
  expect(await database.pool.query('SELECT event FROM app.job_events')).toEqual([{ event: 'admin.test' }])
  await openStage(database.pool, { tasks: 1 })
  await expect(migrate(database.url, 'sql', { rebuild: { force: false } })).rejects.toMatchObject({ code: 'JOBS_RUNNING' })
  expect((await migrate(database.url, 'sql', { rebuild: { force: true } })).functionsReplaced).toBe(true)
  expect(await database.pool.query('SELECT FROM app.jobs')).toEqual([])
  expect(compareCatalogues(before, await readCatalogue(database.pool))).toEqual([])
  expect(await locks()).toEqual([])
})
