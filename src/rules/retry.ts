// Whether and when a failed task is tried again. Pure: randomness is handed in.
import { AppError, describeError } from './errors.ts'
import type { ErrorCode } from './error-codes.ts'

/** Waits between tries: `base · factor^(claims - 1)`, at most `cap`, then full jitter. All in milliseconds. */
export interface Backoff {
  readonly baseMs: number
  readonly factor: number
  readonly capMs: number
}

export const DEFAULT_BACKOFF: Backoff = { baseMs: 2000, factor: 2, capMs: 600_000 }

/**
 * Milliseconds until the next try: uniform in [0, bound], so that tasks that failed together do not return together.
 * A dependency's own Retry-After is a lower bound, also above the cap.
 * @param claims tries so far, from 1
 * @param random uniform in [0, 1)
 */
export function backoffMs(claims: number, backoff: Backoff, random: number, retryAfterMs = 0): number {
  const bound = Math.min(backoff.capMs, backoff.baseMs * backoff.factor ** Math.max(0, claims - 1))
  return Math.max(Math.ceil(retryAfterMs), Math.round(bound * random))
}

/** A failure as complete_tasks takes it; SQL alone decides against the claim limit. */
export interface Failure {
  readonly error_code: string
  readonly error_details: string
  readonly retryable: boolean
  readonly retry_in_ms: number
}

/** Turns anything thrown by `run` into a recordable failure. Only an AppError that says so is retryable. */
export function toFailure(
  error: unknown,
  claims: number,
  backoff: Backoff,
  random: number,
  fallback: ErrorCode = 'TASK_FAILED',
): Failure {
  const { code, details } = describeError(error, fallback)
  const retryable = error instanceof AppError && error.retryable
  const retryAfterMs = error instanceof AppError ? error.retryAfterMs : undefined
  return {
    error_code: code,
    error_details: details,
    retryable,
    retry_in_ms: retryable ? backoffMs(claims, backoff, random, retryAfterMs) : 0,
  }
}
