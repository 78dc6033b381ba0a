// The local database runs the app as Azure does: a role with rows and functions, and nothing else.
import pg from 'pg'
import { expect, test } from 'vitest'
import { prepareDatabase } from '../../local/database-roles.ts'
import { migrate } from '../../src/db/migrate.ts'
import { openPool } from '../../src/db/pool.ts'
import { codeOf, createDatabase, openStage } from '../support/db.ts'

async function as<T>(url: string, run: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await run(client)
  } finally {
    await client.end()
  }
}

test('the role of the app moves jobs, and may neither change the schema nor reach the machine', async () => {
  const database = await createDatabase()
  const pool = openPool({ connectionString: database.appUrl, max: 2 })
  await openStage(pool, { tasks: 3 })
  await pool.end()
  await as(database.appUrl, async (client) => {
    const { rows } = await client.query(
      `SELECT rolname, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls FROM pg_roles WHERE rolname IN ('app_owner', 'app_rw') ORDER BY 1`,
    )
    const nothing = { rolsuper: false, rolcreatedb: false, rolcreaterole: false, rolreplication: false, rolbypassrls: false }
    expect(rows).toEqual(['app_owner', 'app_rw'].map((rolname) => ({ rolname, ...nothing })))
    for (const sql of [
      `COPY (SELECT 1) TO PROGRAM 'true'`,
      `COPY app.jobs FROM '/etc/hostname'`,
      `SELECT pg_read_file('/etc/hostname')`,
      'CREATE TABLE app.mine (x int)',
      'CREATE SCHEMA mine',
      'CREATE EXTENSION hstore',
      'ALTER TABLE app.jobs ADD COLUMN x int',
      'DROP FUNCTION app.host_alive',
      'TRUNCATE app.jobs',
      `UPDATE app.migrations SET name = 'x'`,
      'SET ROLE app_owner',
      'ALTER ROLE app_rw SUPERUSER',
    ])
      expect([sql, await codeOf(client.query(sql))]).toEqual([sql, expect.stringMatching(/^(42501|0A000)$/)])
  })
  await database.drop()
})

test('a database that an older release made as superuser is handed over, and once more changes nothing', async () => {
  const database = await createDatabase({ empty: true })
  await migrate(database.url, 'sql')
  const owners = `SELECT DISTINCT pg_get_userbyid(owner) AS owner FROM (
    SELECT relowner FROM pg_class WHERE relnamespace = 'app'::regnamespace UNION SELECT proowner FROM pg_proc WHERE pronamespace = 'app'::regnamespace
    UNION SELECT typowner FROM pg_type WHERE typnamespace = 'app'::regnamespace UNION SELECT nspowner FROM pg_namespace WHERE nspname = 'app') AS o (owner)`
  for (let run = 0; run < 2; run++) {
    const urls = await prepareDatabase(database.url, '.')
    expect(await database.pool.query(owners)).toEqual([{ owner: 'app_owner' }])
    const pool = openPool({ connectionString: urls.app, max: 2 })
    await openStage(pool, { tasks: 1 })
    await pool.end()
  }
  await database.drop()
})
