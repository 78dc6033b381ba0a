// Error answers: problem+json (RFC 9457) with code and request_id; nothing of the inside reaches them.
import type { HttpResponseInit } from '@azure/functions'
import { AppError, type Issue } from '../rules/errors.ts'

export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly request_id: string
  readonly issues?: readonly Issue[]
}

/** Of the errors that are not the caller's fault: those whose message was written for callers. */
const SHOWN: ReadonlySet<string> = new Set(['CONFIG_INVALID', 'STORAGE_ERROR', 'MIGRATION_FAILED'])

/** No answer is taken for something else than its type says. */
export const NOSNIFF = { 'x-content-type-options': 'nosniff' }

/** Any thrown value as an answer. What is not an AppError is INTERNAL, with its details in the log only. */
export function problemAnswer(error: unknown, requestId: string): HttpResponseInit {
  const known =
    error instanceof AppError && (error.status < 500 || error.retryable || SHOWN.has(error.code))
      ? error
      : new AppError('INTERNAL', 'An unexpected error happened. Details are in the log under the request id.')
  const problem: Problem = {
    type: `urn:lamplighter:error:${known.code}`,
    title: known.code.toLowerCase().replaceAll('_', ' '),
    status: known.status,
    detail: known.message,
    code: known.code,
    request_id: requestId,
    ...(known.issues.length > 0 ? { issues: known.issues } : {}),
  }
  const retryAfter =
    known.status === 503 || known.status === 429 ? { 'retry-after': String(Math.ceil((known.retryAfterMs ?? 5000) / 1000)) } : {}
  const challenge = known.status === 401 ? { 'www-authenticate': 'Bearer' } : {}
  return {
    status: known.status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...NOSNIFF,
      'x-request-id': requestId,
      ...retryAfter,
      ...challenge,
    },
    body: JSON.stringify(problem),
  }
}
