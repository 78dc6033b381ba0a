// Brings a database to this release: numbered migrations by node-pg-migrate, then the functions as a whole.
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runner } from 'node-pg-migrate'
import pg from 'pg'
import { toAppError } from './sql-errors.ts'

/** What a migration run did. */
export interface MigrationReport {
  readonly migrations: readonly string[]
  readonly functionsReplaced: boolean
}

/**
 * Migrates over a direct connection (not through a transaction-mode pooler). Run twice, the second run does nothing.
 * A failing statement leaves the schema as it was: each migration, and all functions together, are one transaction.
 * @param sqlFolder the folder that holds `migrations/` and `functions/`
 */
export async function migrate(connectionString: string, sqlFolder: string): Promise<MigrationReport> {
  const client = new pg.Client({ connectionString, application_name: 'lamplighter-migrate' })
  try {
    await client.connect()
    await client.query('CREATE SCHEMA IF NOT EXISTS app')
    const done = await runner({
      dbClient: client,
      dir: join(sqlFolder, 'migrations'),
      direction: 'up',
      migrationsTable: 'migrations',
      migrationsSchema: 'app',
      checkOrder: true,
      advisoryLockMode: 'wait',
      log: () => undefined,
    })
    return {
      migrations: done.map((m) => m.name),
      functionsReplaced: await replaceFunctions(client, join(sqlFolder, 'functions')),
    }
  } catch (error) {
    throw toAppErrorWithText(error)
  } finally {
    await client.end()
  }
}

/** Operators need the statement's own words here, unlike callers of the API. */
function toAppErrorWithText(error: unknown): Error {
  const mapped = toAppError(error)
  return mapped.code === 'DATABASE_ERROR' && error instanceof Error ? error : mapped
}

/** All functions in one text, types first, in the order in which they can be created. */
export async function functionsSql(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((n) => n.endsWith('.sql')).sort()
  const texts = await Promise.all(names.map((n) => readFile(join(folder, n), 'utf8')))
  const rank = (sql: string): number => (/^CREATE TYPE/m.test(sql) ? 0 : 1)
  return texts.sort((a, b) => rank(a) - rank(b)).join('\n')
}

const DROP_ALL = `DO $$ DECLARE r record; BEGIN
  FOR r IN SELECT p.oid::regprocedure AS signature, p.prokind FROM pg_proc p WHERE p.pronamespace = 'app'::regnamespace LOOP
    EXECUTE format('DROP %s %s CASCADE', CASE r.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, r.signature);
  END LOOP;
  FOR r IN SELECT c.oid::regclass AS name FROM pg_class c WHERE c.relnamespace = 'app'::regnamespace AND c.relkind = 'c' LOOP
    EXECUTE format('DROP TYPE %s CASCADE', r.name);
  END LOOP;
END $$;`

// Replaced as a whole when any text changed: the hash stands in the schema's comment, so a start with nothing new is one query.
async function replaceFunctions(client: pg.Client, folder: string): Promise<boolean> {
  const sql = await functionsSql(folder)
  const mark = `functions sha256 ${createHash('sha256').update(sql).digest('hex')}`
  const current = await client.query<{ mark: string | null }>(
    `SELECT obj_description('app'::regnamespace, 'pg_namespace') AS mark`,
  )
  if (current.rows[0]?.mark === mark) return false
  await client.query(`BEGIN; SELECT pg_advisory_xact_lock(4710, 0); SET LOCAL check_function_bodies = off; ${DROP_ALL} ${sql}
    COMMENT ON SCHEMA app IS '${mark}'; COMMIT;`)
  return true
}
