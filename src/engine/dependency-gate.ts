// The shared circuit breakers before claims: while a dependency is down, its tasks wait unclaimed; one worker in the system probes it.
import { breakerGate, breakerReport, type GateState } from '../db/breaker-functions.ts'
import { only } from '../db/sql-function.ts'
import type { AnyStage } from '../define/define-job.ts'
import type { DependencyName } from '../rules/dependencies.ts'
import type { Deps } from './deps.ts'

const CLOSED = { state: 'closed' as GateState, wait_ms: 0 }

/** @param take the probe, when the wait is over */
export async function gateOf(deps: Deps, stage: AnyStage, take: boolean): Promise<{ state: GateState; wait_ms: number }> {
  if (stage.dependsOn.length === 0) return CLOSED
  const { breakerCooldownSeconds } = deps.settings
  // A probe lives as long as its task may run: should its worker die, another one gets it then.
  const probe = Math.min(stage.timeoutMs, 60_000)
  return only(await breakerGate(deps.db, { names: stage.dependsOn, cooldown: breakerCooldownSeconds * 1000, probe, take }))
}

/** What the probe found: each dependency of the stage works, unless the task's failure failedDependencies it. */
export async function reportProbe(deps: Deps, stage: AnyStage, failedDependencies: ReadonlySet<DependencyName>): Promise<void> {
  for (const name of stage.dependsOn) await breakerReport(deps.db, { name, ok: !failedDependencies.has(name), actor: 'system' })
}
