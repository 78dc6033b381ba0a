// Circuit breakers of this process (cockatiel): they count failures, stop the rest of a batch, and tell Postgres, which tells the others.
import {
  BrokenCircuitError,
  circuitBreaker,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  handleWhen,
} from 'cockatiel'
import { failedDependency, DEPENDENCIES, type DependencyName } from '../rules/dependencies.ts'
import type { Breakers } from '../engine/deps.ts'
import { AppError } from '../rules/errors.ts'

export interface BreakerSettings {
  /** Failures in a row that open a breaker. */
  readonly failures: number
  readonly cooldownMs: number
  /** Called when a breaker opens, and when it closes again. */
  readonly onChange: (name: DependencyName, ok: boolean) => void
}

/** Breakers whose state can be told: 0 closed, 1 half open, 2 open. */
export interface ProcessBreakers extends Breakers {
  states(): ReadonlyMap<DependencyName, 0 | 1 | 2>
}

export function openBreakers({ failures, cooldownMs, onChange }: BreakerSettings): ProcessBreakers {
  const policies = new Map<DependencyName, CircuitBreakerPolicy>()
  for (const name of Object.keys(DEPENDENCIES) as DependencyName[]) {
    const isDown = (error: unknown): boolean => error instanceof AppError && failedDependency([name], error.code) !== undefined
    // Shorter than the shared wait: whoever gets the shared probe is not held up by its own breaker.
    const policy = circuitBreaker(handleWhen(isDown), {
      halfOpenAfter: cooldownMs / 2,
      breaker: new ConsecutiveBreaker(failures),
    })
    policy.onBreak(() => onChange(name, false))
    policy.onReset(() => onChange(name, true))
    policies.set(name, policy)
  }
  const run = async <T>(names: readonly DependencyName[], work: () => Promise<T>): Promise<T> => {
    const [name, ...rest] = names
    const policy = name === undefined ? undefined : policies.get(name)
    if (!policy) return work()
    try {
      return await policy.execute(() => run(rest, work))
    } catch (error) {
      if (!(error instanceof BrokenCircuitError)) throw error
      throw new AppError('DEPENDENCY_OPEN', `${name} is down; tasks that need it wait until it answers again.`, { cause: error })
    }
  }
  return { run, states: () => new Map([...policies].map(([name, policy]) => [name, FIGURES[policy.state]])) }
}

const FIGURES = {
  [CircuitState.Closed]: 0,
  [CircuitState.HalfOpen]: 1,
  [CircuitState.Open]: 2,
  [CircuitState.Isolated]: 2,
} as const
