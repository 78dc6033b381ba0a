// SQLSTATE → AppError. Every state maps to one code; details stay in `cause` for the log and never reach an answer.
import { ERROR_CODES, type ErrorCode, type ErrorFacts } from '../rules/error-codes.ts'
import { AppError } from '../rules/errors.ts'

const OWN = new Map<string, ErrorCode>(
  Object.entries(ERROR_CODES as Record<string, ErrorFacts>).flatMap(([code, f]) =>
    f.sqlstate ? [[f.sqlstate, code as ErrorCode]] : [],
  ),
)

/** Serialization failure, deadlock, lock timeout, query cancelled, too many connections: a repeat may help. */
const BUSY = new Set(['40001', '40P01', '55P03', '57014', '53300', '53400'])
/** admin_shutdown, crash_shutdown, cannot_connect_now, disk full, out of memory. */
const DOWN = new Set(['57P01', '57P02', '57P03', '53100', '53200'])
const NETWORK =
  /ECONNREFUSED|ECONNRESET|ENOTFOUND|ETIMEDOUT|EPIPE|EAI_AGAIN|Connection terminated|timeout exceeded|not queryable|after calling end on the pool/i

/** What Node says about certificates that it does not believe. */
const CERTIFICATE = /^ERR_TLS_CERT|^CERT_|SELF_SIGNED_CERT|^UNABLE_TO_(VERIFY|GET)/
/** No such database, schema, table or function. */
const SCHEMA = new Set(['3D000', '3F000', '42P01', '42883'])
const GRANT = 'Run, as the owner of the schema, the grants that `npm run migrate -- --print-grants` prints.'

/** Why nobody was let in, without addresses. */
function refusal(code: string, message: string): string {
  if (/no encryption|SSL off/i.test(message))
    return 'Postgres takes connections with TLS only: add ?sslmode=verify-full to the connection string.'
  return `Postgres refused the role of the connection (${code}): its name or password is wrong, or the role may not log in.`
}

interface PgError extends Error {
  readonly code?: string
  readonly constraint?: string
  readonly hint?: string
}

/** Maps whatever `pg` threw. An AppError passes unchanged. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error
  if (!(error instanceof Error)) return new AppError('DATABASE_ERROR', 'The database call failed.', { cause: error })
  const { code = '', constraint, hint, message } = error as PgError
  const own = OWN.get(code)
  if (own) return new AppError(own, hint ? `${message}. ${hint}` : message, { cause: error })
  if (message === 'timeout exceeded when trying to connect') {
    return new AppError('DATABASE_BUSY', 'No database connection became free within 5 s.', { cause: error })
  }
  if (CERTIFICATE.test(code))
    return new AppError(
      'DATABASE_UNAVAILABLE',
      `The certificate of Postgres is not trusted (${code}). Name its authority by sslrootcert in the connection string or by NODE_EXTRA_CA_CERTS.`,
      { cause: error },
    )
  if (BUSY.has(code)) return new AppError('DATABASE_BUSY', `The database could not do it now (${code}).`, { cause: error })
  if (DOWN.has(code) || code.startsWith('08') || NETWORK.test(`${code} ${message}`) || error instanceof AggregateError) {
    return new AppError('DATABASE_UNAVAILABLE', 'Postgres cannot be reached.', { cause: error })
  }
  if (SCHEMA.has(code))
    return new AppError(
      'DATABASE_SCHEMA',
      `The database lacks something of this release: ${message} (${code}). Run npm run migrate.`,
      {
        cause: error,
      },
    )
  if (code === '42501')
    return new AppError('DATABASE_FORBIDDEN', `The role of the app lacks a right: ${message} (${code}). ${GRANT}`, {
      cause: error,
    })
  if (code.startsWith('28')) return new AppError('DATABASE_REFUSED', refusal(code, message), { cause: error })
  if (code === '22P05' || code === '22021')
    return new AppError('TEXT_NOT_STORABLE', 'A text holds a character that cannot be stored.', { cause: error })
  if (code.startsWith('23'))
    return new AppError('CONSTRAINT_VIOLATED', `The row breaks the constraint ${constraint ?? code}.`, { cause: error })
  return new AppError('DATABASE_ERROR', `Postgres refused a statement (${code || 'no code'}).`, { cause: error })
}
