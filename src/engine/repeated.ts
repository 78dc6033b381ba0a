// Calls that may be asked again: a cut connection must not cost a lease.
import { ExponentialBackoff, handleWhen, retry } from 'cockatiel'
import { AppError } from '../rules/errors.ts'
import type { Deps } from './deps.ts'

const DOWN: ReadonlySet<string> = new Set([
  'DATABASE_UNAVAILABLE',
  'DATABASE_BUSY',
  'DATABASE_SETTINGS',
  'DATABASE_REFUSED',
  'IDENTITY_UNAVAILABLE',
])

const isDatabaseDown = (error: unknown): boolean => error instanceof AppError && DOWN.has(error.code)

/**
 * Calls until it answers, for at most `ms` (the lease: afterwards the tasks are somebody else's), while only the database is at fault.
 * The call must be idempotent: its answer may be lost after its commit. Ends early when the worker stops.
 * @throws what the last call threw
 */
export async function repeated<T>(deps: Deps, ms: number, call: (isRepeat: boolean) => Promise<T>): Promise<T> {
  const end = deps.now().getTime() + ms
  const policy = retry(
    handleWhen((error) => isDatabaseDown(error) && deps.now().getTime() < end && !deps.stopping.aborted),
    { maxAttempts: Number.POSITIVE_INFINITY, backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 2000 }) },
  )
  return policy.execute(({ attempt }) => call(attempt > 0))
}
