// The transaction of a migration: one at a time, as the role that owns the schema.
import type pg from 'pg'
import { AppError } from '../rules/errors.ts'
import { OWNER_ROLE } from './grants.ts'
import { toAppError } from './sql-errors.ts'

/** Waits until no other migration works. */
export async function begin(client: pg.Client): Promise<void> {
  await client.query('BEGIN ISOLATION LEVEL READ COMMITTED')
  await client.query('SELECT pg_advisory_xact_lock(4710, 0)')
  if (await mayWorkAsOwner(client)) await client.query(`SET LOCAL ROLE ${OWNER_ROLE}`)
}

/** A member of the owner's role, where the schema is that role's or is not there yet. A superuser needs no other's rights. */
async function mayWorkAsOwner(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ ok: boolean }>(
    `SELECT NOT r.rolsuper AND r.rolname <> o.rolname AND pg_has_role(r.oid, o.oid, 'MEMBER')
       AND NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = 'app' AND n.nspowner <> o.oid) AS ok
     FROM pg_roles r, pg_roles o WHERE r.rolname = session_user AND o.rolname = $1`,
    [OWNER_ROLE],
  )
  return rows[0]?.ok ?? false
}

export async function hasRole(client: pg.Client, role: string): Promise<boolean> {
  return ((await client.query('SELECT FROM pg_roles WHERE rolname = $1', [role])).rowCount ?? 0) > 0
}

export async function hasSchema(client: pg.Client): Promise<boolean> {
  return ((await client.query(`SELECT FROM pg_namespace WHERE nspname = 'app'`)).rowCount ?? 0) > 0
}

/**
 * Asked before the first statement: without the right the library sees half of its own table, and says something else.
 * @throws AppError `DATABASE_FORBIDDEN`
 */
export async function assertMayChange(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ ok: boolean; role: string }>(
    `SELECT current_user AS role, coalesce(has_schema_privilege(to_regnamespace('app'), 'CREATE'), has_database_privilege(current_database(), 'CREATE')) AS ok`,
  )
  if (!rows[0]?.ok) throw forbidden(`${rows[0]?.role} has no right to create in the schema app`, undefined)
}

/** For a library that begins and ends transactions of its own: what it runs stays within ours. */
export function withoutTransactions(client: pg.Client): pg.Client {
  const query = (text: unknown, ...more: unknown[]): unknown =>
    typeof text === 'string' && /^\s*(BEGIN|COMMIT|ROLLBACK);?\s*$/i.test(text)
      ? Promise.resolve({ rows: [], rowCount: 0 })
      : (client.query as (...given: unknown[]) => unknown)(text, ...more)
  return new Proxy(client, {
    get: (target, name) => {
      if (name === 'query') return query
      const value = Reflect.get(target, name) as unknown
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

/** Everything of the app, with all rows. @throws AppError `JOBS_RUNNING` while jobs have not ended, unless forced */
export async function dropSchema(client: pg.Client, force: boolean): Promise<void> {
  const { rows } = await client.query<{ there: boolean }>(`SELECT to_regclass('app.jobs') IS NOT NULL AS there`)
  if (rows[0]?.there && !force) {
    const open = await client.query(`SELECT FROM app.jobs WHERE finished_at IS NULL LIMIT 1`)
    if ((open.rowCount ?? 0) > 0)
      throw new AppError('JOBS_RUNNING', 'Jobs have not ended. Cancel them, wait for them, or say force=true.')
  }
  await client.query('DROP SCHEMA IF EXISTS app CASCADE')
}

const TOLD_BY_POSTGRES: ReadonlySet<string> = new Set(['DATABASE_ERROR', 'DATABASE_SCHEMA'])

/** Operators need the statement's own words here, unlike callers of the API. */
export function toMigrationError(error: unknown): Error {
  const mapped = toAppError(error)
  if (!(error instanceof Error)) return mapped
  if (TOLD_BY_POSTGRES.has(mapped.code)) return error
  if (mapped.code !== 'DATABASE_FORBIDDEN') return mapped
  return error instanceof AppError ? error : forbidden(error.message, error)
}

const forbidden = (why: string, cause: unknown): AppError =>
  new AppError(
    'DATABASE_FORBIDDEN',
    `This role may not change the schema (${why}). Migrate as the owner: MIGRATE_DATABASE_URL of ${OWNER_ROLE}, or MIGRATE_CLIENT_ID and MIGRATE_PGUSER of an identity that is a member of it.`,
    { cause },
  )
