// Drives one orchestrator in memory with a virtual clock: any seed draws other batches and other orders of arrival.
import type { Action } from './actions.ts'
import type { CodeAnswer } from './answers.ts'
import { seeded } from './clock.ts'
import { Engine } from './engine.ts'
import { isTerminal, type RuntimeStatus } from './instance.ts'

export interface Simulation {
  /** User code for one replay: payload → state, as the worker answers it. */
  readonly orchestrator: (payload: string) => Promise<unknown>
  readonly input: unknown
  /** Called when the activity's turn comes; a throw is a failed activity. */
  readonly activities: Readonly<Record<string, (input: never) => unknown>>
  readonly seed: number
  readonly maxBatch?: number
  readonly maxActivities?: number
}

/** One execution: from a start or continueAsNew to its end. */
export interface Execution {
  readonly actions: readonly Action[]
  readonly events: number
  /** Bytes of the largest activity input and result. */
  readonly largestPayload: number
  readonly openTimers: number
}

export interface SimulationResult {
  readonly status: RuntimeStatus
  readonly output: unknown
  readonly customStatus: unknown
  readonly executions: readonly Execution[]
  /** Virtual milliseconds from start to end. */
  readonly elapsedMs: number
}

/** @throws Error when nothing can happen any more and the instance has not ended */
export async function simulate(s: Simulation): Promise<SimulationResult> {
  const random = seeded(s.seed)
  const parked: (() => void)[] = []
  const timers = new Map<number, { at: number; fire: () => void }>()
  const executions: Execution[] = []
  let now = Date.UTC(2026, 0, 1)
  const begun = now
  let timerId = 0
  let largest = 0
  const measure = (value: unknown): void => void (largest = Math.max(largest, (JSON.stringify(value) ?? '').length))
  const engine = new Engine({
    runOrchestrator: (_name, payload) => answer(() => s.orchestrator(payload)),
    runActivity: (name, _id, input) =>
      new Promise((resolve) => {
        measure(input)
        parked.push(
          () => void answer(() => Promise.resolve(s.activities[name]?.(input as never))).then((a) => (measure(a), resolve(a))),
        )
      }),
    hasOrchestrator: () => true,
    hasActivity: (name) => name in s.activities,
    now: () => now,
    setTimer: (at, fire) => {
      const id = timerId++
      timers.set(id, { at, fire })
      return () => void timers.delete(id)
    },
    maxActivities: s.maxActivities ?? 1000,
    maxOrchestrators: 1,
    maxBatch: s.maxBatch ?? 32,
    batchSize: (available) => 1 + Math.floor(random() * available),
    defaultVersion: null,
    onExecutionEnd: (i) =>
      executions.push({ actions: i.actions, events: i.history.events.length, largestPayload: largest, openTimers: timers.size }),
  })
  const instance = engine.start('simulated', 'simulated', JSON.stringify(s.input))
  while (!isTerminal(instance.status)) {
    await settled()
    if (isTerminal(instance.status)) break
    if (parked.length > 0) {
      // Some of the running activities end now, in any order.
      for (let n = 1 + Math.floor(random() * parked.length); n > 0; n--)
        parked.splice(Math.floor(random() * parked.length), 1)[0]?.()
    } else if (timers.size > 0) {
      const [id, next] = [...timers].reduce((a, b) => (b[1].at < a[1].at ? b : a))
      timers.delete(id)
      now = Math.max(now, next.at)
      next.fire()
    } else if (!instance.busy) throw new Error('The instance waits for something that never comes.')
    now++
  }
  return {
    status: instance.status,
    output: instance.output,
    customStatus: instance.customStatus,
    executions,
    elapsedMs: now - begun,
  }
}

/** User code runs on microtasks and the engine on promises: one turn of the event loop lets both come to rest. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function answer(run: () => Promise<unknown>): Promise<CodeAnswer> {
  try {
    return { ok: true, value: await run() }
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) }
  }
}
