// Callers of the SQL functions of circuit breakers.
import { sqlFunction } from './sql-function.ts'

/** `ready`: the wait is over, nobody has the probe yet (answered when it is not taken). */
export type GateState = 'closed' | 'open' | 'ready' | 'probe'

export const breakerGate = sqlFunction<
  { names: readonly string[]; cooldown: number; probe: number; take: boolean },
  { state: GateState; wait_ms: number }
>(
  'breaker_gate',
  { names: 'text[]', cooldown: 'interval', probe: 'interval', take: 'boolean' },
  { state: 'text', wait_ms: 'integer' },
)

export const breakerReport = sqlFunction<{ name: string; ok: boolean; actor: string }, { breaker_report: string }>(
  'breaker_report',
  {
    name: 'text',
    ok: 'boolean',
    actor: 'text',
  },
  { breaker_report: 'text' },
)
