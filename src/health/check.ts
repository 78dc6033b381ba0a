// A check of one thing that the app needs: run beside others, each within its time, so that one that hangs hides none.
import { AppError } from '../rules/errors.ts'
import { ERROR_CODES, type ErrorFacts } from '../rules/error-codes.ts'

export type CheckStatus = 'ok' | 'degraded' | 'failed' | 'skipped' | 'timeout'

/** What a check found. Nothing in it is a secret: no value of a setting, no signature. */
export interface Finding {
  readonly status: Exclude<CheckStatus, 'timeout'>
  readonly code?: string
  /** What was seen, in a sentence. */
  readonly detail?: string
  /** What to do, with the command where there is one. */
  readonly remediation?: string
  /** Figures. */
  readonly data?: Readonly<Record<string, unknown>>
}

export interface CheckResult extends Omit<Finding, 'status'> {
  readonly name: string
  readonly status: CheckStatus
  readonly ms: number
}

export interface Check {
  readonly name: string
  /** Whatever it throws is a failure; an AppError tells its code, its words and its remedy. */
  readonly ask: () => Promise<Finding>
  /** Remedies of this check by error code, before the general one of the code. */
  readonly remedies?: Readonly<Record<string, string>>
}

export interface CheckLimits {
  /** Of one check. */
  readonly eachMs: number
  /** Of all of them. */
  readonly allMs: number
  readonly now: () => Date
  /** Told of every check that threw. */
  readonly failed: (name: string, error: unknown) => void
}

/** All at once; a check that is late is `timeout`, and what it brings later is dropped. */
export function runChecks(checks: readonly Check[], limits: CheckLimits): Promise<CheckResult[]> {
  return Promise.all(checks.map((check) => runCheck(check, limits)))
}

async function runCheck({ name, ask, remedies }: Check, limits: CheckLimits): Promise<CheckResult> {
  const started = limits.now().getTime()
  const late = Promise.withResolvers<'late'>()
  const timer = setTimeout(() => late.resolve('late'), Math.min(limits.eachMs, limits.allMs))
  const ms = (): number => limits.now().getTime() - started
  try {
    const found = await Promise.race([ask(), late.promise])
    if (found !== 'late') return { name, ms: ms(), ...found }
    return { name, status: 'timeout', ms: ms(), detail: 'No answer in time.', remediation: remedies?.['timeout'] ?? LATE }
  } catch (error) {
    limits.failed(name, error)
    return { name, status: 'failed', ms: ms(), ...explained(error, remedies) }
  } finally {
    clearTimeout(timer)
  }
}
const LATE = 'Look whether it can be reached from the network of the app, and whether it is overloaded.'

function explained(error: unknown, remedies: Check['remedies'] = {}): Omit<Finding, 'status'> {
  if (!(error instanceof AppError)) return { code: 'INTERNAL', detail: 'An unexpected error; the log has it as health.failed.' }
  const facts = (ERROR_CODES as Record<string, ErrorFacts>)[error.code]
  const remediation = remedies[error.code] ?? facts?.remedy
  return { code: error.code, detail: error.message, ...(remediation === undefined ? {} : { remediation }) }
}

export type HealthStatus = 'ok' | 'degraded' | 'failed'

/** The worst of them: a check that is late counts as failed. */
export function overall(results: readonly Pick<CheckResult, 'status'>[]): HealthStatus {
  if (results.some((r) => r.status === 'failed' || r.status === 'timeout')) return 'failed'
  return results.some((r) => r.status === 'degraded') ? 'degraded' : 'ok'
}
