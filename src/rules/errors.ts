// The one error class. Its code says everything: status and retryability come from the table of codes.
import { ERROR_CODES, type ErrorCode, type ErrorFacts } from './error-codes.ts'

/** One broken rule of an input: where, and what is wrong. */
export interface Issue {
  readonly path: string
  readonly message: string
}

export interface ErrorOptions {
  readonly cause?: unknown
  /** Overrides the table, and is needed for a job's own codes; those are 500 and not retryable unless said. */
  readonly retryable?: boolean
  readonly status?: number
  /** The dependency's own wish, e.g. a Retry-After header. */
  readonly retryAfterMs?: number
  readonly issues?: readonly Issue[]
}

/**
 * An error with a code that users and programs can act on.
 * Job types may throw their own codes (`^[A-Z][A-Z0-9_]*$`, at most 64 characters); `retryable` decides whether the task is tried again.
 * @example throw new AppError('TILE_OUT_OF_RANGE', `Tile ${x}/${y} lies outside the raster.`)
 */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: string
  readonly status: number
  readonly retryable: boolean
  readonly retryAfterMs: number | undefined
  readonly issues: readonly Issue[]

  constructor(code: ErrorCode | (string & {}), message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    const known: ErrorFacts | undefined = Object.hasOwn(ERROR_CODES, code) ? ERROR_CODES[code as ErrorCode] : undefined
    this.code = code
    this.status = options.status ?? known?.status ?? 500
    this.retryable = options.retryable ?? known?.retryable ?? false
    this.retryAfterMs = options.retryAfterMs
    this.issues = options.issues ?? []
  }
}

/**
 * Code and text of anything that was thrown: errors, strings, undefined, errors without a message. Readers see it, so it holds no stack:
 * paths of the server are for the log.
 */
export function describeError(error: unknown, fallbackCode: ErrorCode): { code: string; details: string } {
  if (error instanceof AppError) return { code: error.code, details: error.message || error.code }
  if (error instanceof Error)
    return { code: fallbackCode, details: error.message ? `${error.name}: ${error.message}` : error.name }
  return { code: fallbackCode, details: typeof error === 'string' && error ? error : `thrown value: ${String(error)}` }
}
