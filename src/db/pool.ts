// The connection pool, with the limits that a pooler in transaction mode allows: no session state, no named statements.
import pg from 'pg'
import { AppError } from '../rules/errors.ts'
import { withTraceComment } from '../telemetry/spans.ts'
import { clientWith, type PasswordSource, Passwords } from './logins.ts'
import { checkSession } from './session-settings.ts'
import { toAppError } from './sql-errors.ts'
import { inSqlSpan } from './sql-span.ts'

export interface PoolSettings {
  readonly connectionString: string
  readonly max: number
  /** Passwords that change; else the one of the connection string. */
  readonly password?: PasswordSource
}

/** What the callers of SQL need: one statement on some connection. */
export interface Database {
  /**
   * Runs one statement in a transaction of its own.
   * @throws AppError mapped from the SQLSTATE: `DATABASE_UNAVAILABLE`, `DATABASE_BUSY`, or the code of a refusal
   */
  query<R extends object>(text: string, values?: readonly unknown[]): Promise<R[]>
}

export interface Pool extends Database {
  /** Ends when every connection is given back. */
  end(): Promise<void>
  /** A connection of one's own, to be released. @throws what `pg` throws; AppError `DATABASE_REFUSED` */
  connect(): Promise<pg.PoolClient>
  readonly pg: pg.Pool
}

/**
 * Opens a pool; connects lazily. Waits at most 5 s for a connection, so that callers get an answer instead of a queue. Connections live 50
 * minutes: shorter than a token, so that none outlives the right it was opened with by much. Calls throw `DATABASE_SETTINGS` where a setting
 * of the role would break jobs.
 */
export function openPool({ connectionString, max, password }: PoolSettings): Pool {
  const passwords = password && new Passwords(password)
  const pool = new pg.Pool({
    connectionString,
    max,
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: 5000,
    maxLifetimeSeconds: 3000,
    application_name: 'lamplighter',
    verify: (client, done) => void checkSession(client).then(() => done(), done),
    ...(passwords ? { Client: clientWith(passwords) } : {}),
  })
  // An idle connection that breaks emits here; the next query opens another one, so there is nothing to do but not to crash.
  pool.on('error', () => undefined)
  const loggedIn = <T>(run: () => Promise<T>): Promise<T> => (passwords ? passwords.withFresh(run) : run())
  return {
    pg: pool,
    end: () => pool.end(),
    connect: () => loggedIn(() => pool.connect()),
    async query<R extends object>(text: string, values: readonly unknown[] = []): Promise<R[]> {
      return inSqlSpan(text, async () => {
        try {
          const traced = withTraceComment(text)
          // What a new connection is refused with is told before the statement is sent: asked again, it runs once.
          const { rows } = await loggedIn(() => pool.query<R>(traced, values as unknown[]))
          return rows
        } catch (error) {
          throw toAppError(error)
        }
      })
    },
  }
}

/**
 * The same database for reads of a request: each at most `ms`, set for its transaction alone, which a pooler keeps apart. Pages are read in
 * the order of an index: statistics that do not know a new stage yet would make the planner sort all of it for a page of 100.
 * @param options sort: the planner may sort, for reads that no index orders
 * @throws AppError `QUERY_TOO_SLOW` when a statement took longer; else as {@link Database}
 */
export function readingWithin(pool: Pool, ms: number, { sort = false } = {}): Database {
  return {
    query: <R extends object>(text: string, values: readonly unknown[] = []) =>
      inSqlSpan(text, () => readWithin<R>(pool, ms, sort, text, values)),
  }
}

async function readWithin<R extends object>(
  pool: Pool,
  ms: number,
  sort: boolean,
  text: string,
  values: readonly unknown[],
): Promise<R[]> {
  let client: pg.PoolClient | undefined
  try {
    client = await pool.connect()
    await client.query(
      `BEGIN READ ONLY; SET LOCAL statement_timeout = ${Math.round(ms)}${sort ? '' : '; SET LOCAL enable_sort = off'}`,
    )
    const { rows } = await client.query<R>(withTraceComment(text), values as unknown[])
    await client.query('COMMIT')
    client.release()
    return rows
  } catch (error) {
    // Its transaction goes with it.
    client?.release(true)
    if (error instanceof pg.DatabaseError && error.code === '57014')
      throw new AppError('QUERY_TOO_SLOW', `Reading this took longer than ${ms / 1000} s.`, { cause: error })
    throw toAppError(error)
  }
}
