// Brings a database to this release: numbered migrations by node-pg-migrate, then the functions as a whole.
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { runner } from 'node-pg-migrate'
import pg from 'pg'
import * as z from 'zod'
import { APP_ROLE, grantsForApp } from './grants.ts'
import { clientWith, type PasswordSource, Passwords } from './logins.ts'
import {
  assertMayChange,
  begin,
  dropSchema,
  hasRole,
  hasSchema,
  toMigrationError,
  withoutTransactions,
} from './migration-session.ts'
import { type FunctionSource, replaceFunctions } from './replace-functions.ts'
import { checkServerVersion } from './server-version.ts'

/** What a migration run did. */
export interface MigrationReport {
  readonly migrations: readonly string[]
  readonly functionsReplaced: boolean
}

/** What a release brings: migration name → sha256 of its file, and its functions. */
interface Release {
  readonly migrations: ReadonlyMap<string, string>
  readonly functions: readonly FunctionSource[]
  /** Stands in the schema's comment, so that a start with nothing new only reads. */
  readonly mark: string
}

export interface MigrateOptions {
  /** A token or a kept secret; else the password of the connection string. */
  readonly password?: PasswordSource
  /** Told what an operator should know and what stops nothing. */
  readonly warn?: (sentence: string) => void
  /** Drops the schema with all its rows before. */
  readonly rebuild?: {
    /** Also while jobs have not ended. */
    readonly force: boolean
  }
}

/**
 * Migrates; run twice, the second run only reads, which a role without rights on the schema may do too. Takes turns with other migrations
 * by a lock that ends with its transaction, so it leaves nothing behind on a pooler's connection either. A failing statement leaves the
 * schema as it was: migrations, functions and grants are one transaction. Who is a member of `app_owner` works as that role, so that
 * the schema belongs to it whoever migrates next. On a new schema the role of the app, where there is one, gets its grants.
 * @param sqlFolder the folder that holds `migrations/` and `functions/`
 * @throws Error when the server is too old, when the database is newer than this release, or when a migration that was applied reads otherwise
 * here; AppError `DATABASE_UNAVAILABLE`, `DATABASE_REFUSED`, `DATABASE_FORBIDDEN`; else what Postgres says
 */
export async function migrate(
  connectionString: string,
  sqlFolder: string,
  { password, warn, rebuild }: MigrateOptions = {},
): Promise<MigrationReport> {
  const client = open(connectionString, password)
  try {
    await client.connect()
    const warning = await checkServerVersion(client)
    if (warning) warn?.(warning)
    const release = await readRelease(sqlFolder)
    if (!rebuild && (await compare(client, release)) === 'current') return { migrations: [], functionsReplaced: false }
    await begin(client)
    await assertMayChange(client)
    if (rebuild) await dropSchema(client, rebuild.force)
    const report = await bringUp(client, release, sqlFolder)
    await client.query('COMMIT')
    return report
  } catch (error) {
    throw toMigrationError(error)
  } finally {
    await client.end()
  }
}

/**
 * Drops the schema with every row, in one transaction.
 * @throws AppError `JOBS_RUNNING` unless forced; else as {@link migrate}
 */
export async function dropEverything(
  connectionString: string,
  { password, force }: Pick<MigrateOptions, 'password'> & { readonly force: boolean },
): Promise<void> {
  const client = open(connectionString, password)
  try {
    await client.connect()
    await begin(client)
    await assertMayChange(client)
    await dropSchema(client, force)
    await client.query('COMMIT')
  } catch (error) {
    throw toMigrationError(error)
  } finally {
    await client.end()
  }
}

function open(connectionString: string, password: PasswordSource | undefined): pg.Client {
  const Client = password ? clientWith(new Passwords(password)) : pg.Client
  const client = new Client({ connectionString, application_name: 'lamplighter-migrate' })
  // A connection that breaks between two statements is told by the next one.
  client.on('error', () => undefined)
  return client
}

async function bringUp(client: pg.Client, release: Release, sqlFolder: string): Promise<MigrationReport> {
  // IF NOT EXISTS would want the right to make schemas where there is nothing to make.
  if (!(await hasSchema(client))) await client.query('CREATE SCHEMA app')
  await compare(client, release)
  const isNew = (await readApplied(client)).length === 0
  const done = await runner({
    dbClient: withoutTransactions(client),
    dir: join(sqlFolder, 'migrations'),
    direction: 'up',
    migrationsTable: 'migrations',
    migrationsSchema: 'app',
    checkOrder: true,
    noLock: true,
    singleTransaction: true,
    log: () => undefined,
  })
  await recordHashes(client, release)
  const functionsReplaced = (await readMark(client)) !== release.mark
  if (functionsReplaced) {
    await replaceFunctions(client, release.functions)
    await client.query(`COMMENT ON SCHEMA app IS '${release.mark}'`)
  }
  // Once: a REVOKE of later stays.
  if (isNew && done.length > 0 && (await hasRole(client, APP_ROLE))) for (const grant of grantsForApp) await client.query(grant)
  return { migrations: done.map((m) => m.name), functionsReplaced }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

async function readSql(folder: string): Promise<FunctionSource[]> {
  const files = (await readdir(folder)).filter((n) => n.endsWith('.sql')).sort()
  return Promise.all(files.map(async (n) => ({ name: basename(n, '.sql'), sql: await readFile(join(folder, n), 'utf8') })))
}

/** All functions in one text. */
export async function functionsSql(folder: string): Promise<string> {
  return (await readSql(folder)).map((f) => f.sql).join('\n')
}

async function readRelease(sqlFolder: string): Promise<Release> {
  const migrations = await readSql(join(sqlFolder, 'migrations'))
  const functions = await readSql(join(sqlFolder, 'functions'))
  return {
    migrations: new Map(migrations.map((m) => [m.name, sha256(m.sql)])),
    functions,
    mark: `functions sha256 ${sha256(functions.map((f) => f.sql).join('\n'))}`,
  }
}

/** `current`: nothing to do. @throws Error when the database is newer, or went another way */
async function compare(client: pg.Client, release: Release): Promise<'current' | 'older'> {
  const applied = await readApplied(client)
  for (const { name, sha256: recorded } of applied) {
    const here = release.migrations.get(name)
    if (here === undefined)
      throw new Error(
        `The database has the migration ${name}, which this release does not know: it is newer. Deploy that release again, or restore a backup.`,
      )
    if (recorded !== null && recorded !== here)
      throw new Error(
        `The migration ${name} was changed after it was applied to this database. Restore the file, and write what is new as another migration.`,
      )
  }
  const isCurrent = applied.length === release.migrations.size && applied.every((m) => m.sha256 !== null)
  return isCurrent && (await readMark(client)) === release.mark ? 'current' : 'older'
}

/** What was applied, and the hash that its file had then; null where a release before the hashes did it. */
async function readApplied(client: pg.Client): Promise<{ name: string; sha256: string | null }[]> {
  const { rows } = await client.query<{ has_table: boolean; hashes: string | null }>(
    `SELECT to_regclass('app.migrations') IS NOT NULL AS has_table, obj_description(to_regclass('app.migrations'), 'pg_class') AS hashes`,
  )
  if (!rows[0]?.has_table) return []
  const hashes = z.record(z.string(), z.string()).parse(JSON.parse(rows[0].hashes ?? '{}'))
  const applied = await client.query<{ name: string }>('SELECT name FROM app.migrations ORDER BY id')
  return applied.rows.map(({ name }) => ({ name, sha256: hashes[name] ?? null }))
}

async function readMark(client: pg.Client): Promise<string | null> {
  const { rows } = await client.query<{ mark: string | null }>(
    `SELECT obj_description(to_regnamespace('app'), 'pg_namespace') AS mark`,
  )
  return rows[0]?.mark ?? null
}

/** Remembers what was applied, so that a released file cannot change unseen: in the comment of the library's table. */
async function recordHashes(client: pg.Client, release: Release): Promise<void> {
  const hashes = (await readApplied(client)).map(({ name, sha256: known }) => [name, known ?? release.migrations.get(name)])
  await client.query(`COMMENT ON TABLE app.migrations IS ${pg.escapeLiteral(JSON.stringify(Object.fromEntries(hashes)))}`)
}
