// Which checks make up readiness, and which the whole report.
import { INTERNAL_CONTAINER } from '../models/blob-store.ts'
import type { Instances } from '../engine/instances.ts'
import type { Resources } from '../platform/resources.ts'
import { type Check, type CheckResult, type HealthStatus, overall, runChecks } from './check.ts'
import { schemaDrift, schemaVersion, serverFacts } from './database-checks.ts'
import { breakers, orchestrations, recentJobs, settings, thisProcess } from './process-checks.ts'
import { delegationKey, readableContainer, storageClock, writableContainer } from './storage-checks.ts'
import { vault } from './vault-check.ts'

export interface HealthReport {
  readonly status: HealthStatus
  readonly checks: readonly CheckResult[]
}

export interface HealthNeeds extends Resources {
  readonly instances: Instances
}

/** Of the process's environment: what scopes of remedies are written with. */
type Env = Readonly<Record<string, string | undefined>>

/** What a load balancer asks: may requests come here? At most 3 s. */
export const readiness = (r: HealthNeeds, env: Env): Promise<HealthReport> =>
  report(r, [schemaVersion(r), firstContainer(r, env), orchestrations(r.instances), breakers(r), settings(r)], {
    eachMs: 2500,
    allMs: 3000,
  })

const firstContainer = (r: HealthNeeds, env: Env): Check => ({
  ...readableContainer(r, env, r.config.ALLOWED_CONTAINERS?.[0] ?? r.config.BRONZE_CONTAINER),
  name: 'storage',
})

/** Everything that an operator asks when something is wrong. At most 25 s. */
export function fullReport(r: HealthNeeds, env: Env): Promise<HealthReport> {
  const { BRONZE_CONTAINER, SILVER_CONTAINER, GOLD_CONTAINER } = r.config
  const checks = [
    settings(r),
    schemaVersion(r),
    serverFacts(r),
    schemaDrift(r),
    readableContainer(r, env, BRONZE_CONTAINER),
    ...[SILVER_CONTAINER, GOLD_CONTAINER, INTERNAL_CONTAINER].map((container) => writableContainer(r, env, container)),
    delegationKey(r, env),
    storageClock(r),
    vault(r),
    orchestrations(r.instances),
    breakers(r),
    thisProcess(r),
    recentJobs(r),
  ]
  return report(r, checks, { eachMs: 5000, allMs: 25_000 })
}

async function report(
  r: HealthNeeds,
  checks: readonly Check[],
  limits: { eachMs: number; allMs: number },
): Promise<HealthReport> {
  const failed = (name: string, error: unknown): void => r.log.warn('health.failed', { check: name, error })
  const results = await runChecks(checks, { ...limits, now: r.now, failed })
  return { status: overall(results), checks: results }
}
