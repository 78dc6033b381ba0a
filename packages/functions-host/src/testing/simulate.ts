// Drives one orchestrator in memory with a virtual clock: any seed draws other batches and other orders of arrival.
import type { Action } from '../durable/actions.ts'
import type { CodeAnswer } from '../durable/answers.ts'
import { seeded } from '../durable/clock.ts'
import { Engine } from '../durable/engine.ts'
import type { HistoryEvent } from '../durable/events.ts'
import { type EngineOptions, type Instance, isTerminal, type RuntimeStatus } from '../durable/instance.ts'

export interface Simulation {
  /** User code for one replay: payload → state, as the worker answers it. */
  readonly orchestrator: (payload: string) => Promise<unknown>
  readonly input: unknown
  /** Orchestrators that it may call, by name. */
  readonly children?: Readonly<Record<string, (payload: string) => Promise<unknown>>>
  /** External events: each is raised at some moment, in this order. */
  readonly events?: readonly { readonly name: string; readonly input: unknown }[]
  /** Rules for app code that were broken are reported here; true: fail for it. */
  readonly onTrap?: EngineOptions['onTrap']
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
  readonly history: readonly HistoryEvent[]
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
  const world = new World(s)
  const instance = world.engine.start('simulated', 'simulated', JSON.stringify(s.input))
  while (!isTerminal(instance.status)) {
    await settled()
    if (!isTerminal(instance.status)) world.step(instance)
  }
  const { status, output, customStatus } = instance
  return {
    status,
    output: output === null ? null : JSON.parse(output),
    customStatus,
    executions: world.executions,
    elapsedMs: world.elapsedMs,
  }
}

/** Clock, activities and events around an engine: what happens next is drawn. */
class World {
  readonly engine: Engine
  readonly executions: Execution[] = []
  readonly #s: Simulation
  readonly #random: () => number
  readonly #parked: (() => void)[] = []
  readonly #timers = new Map<number, { at: number; fire: () => void }>()
  readonly #events: { readonly name: string; readonly input: unknown }[]
  #now = BEGIN
  #timerId = 0
  #largest = 0

  constructor(s: Simulation) {
    this.#s = s
    this.#random = seeded(s.seed)
    this.#events = [...(s.events ?? [])]
    this.engine = new Engine({
      runOrchestrator: (name, _id, payload) => answer(() => (s.children?.[name] ?? s.orchestrator)(payload)),
      runActivity: (name, _id, input) => this.#park(name, parsed(input)),
      orchestrators: () => ['simulated', ...Object.keys(s.children ?? {})],
      hasActivity: (name) => name in s.activities,
      now: () => this.#now,
      setTimer: (at, fire) => this.#arm(at, fire),
      maxActivities: s.maxActivities ?? 1000,
      maxOrchestrators: 1,
      maxActions: 100_000,
      maxBatch: s.maxBatch ?? 32,
      batchSize: (available) => 1 + Math.floor(this.#random() * available),
      versioning: { own: null, match: 'None', failure: 'Reject' },
      onExecutionEnd: (instance) => this.#ended(instance),
      ...(s.onTrap ? { onTrap: s.onTrap } : {}),
    })
  }

  get elapsedMs(): number {
    return this.#now - BEGIN
  }

  /** An event, some activities' ends in any order, or the next timer. */
  step(instance: Instance): void {
    const idle = this.#parked.length === 0 && this.#timers.size === 0
    const event = this.#random() < EVENT_CHANCE || idle ? this.#events.shift() : undefined
    if (event) this.engine.raise(instance.id, event.name, JSON.stringify(event.input))
    else if (this.#parked.length > 0) {
      for (let n = 1 + Math.floor(this.#random() * this.#parked.length); n > 0; n--)
        this.#parked.splice(Math.floor(this.#random() * this.#parked.length), 1)[0]?.()
    } else if (this.#timers.size > 0) this.#fireNext()
    else if (!instance.busy) throw new Error('The instance waits for something that never comes.')
    this.#now++
  }

  #fireNext(): void {
    const [id, next] = [...this.#timers].reduce((a, b) => (b[1].at < a[1].at ? b : a))
    this.#timers.delete(id)
    this.#now = Math.max(this.#now, next.at)
    next.fire()
  }

  #arm(at: number, fire: () => void): () => void {
    const id = this.#timerId++
    this.#timers.set(id, { at, fire })
    return () => void this.#timers.delete(id)
  }

  /** An activity ends when its turn comes. */
  #park(name: string, input: unknown): Promise<CodeAnswer> {
    this.#measure(input)
    return new Promise((resolve) => {
      const end = async (): Promise<void> => {
        const ended = await answer(() => Promise.resolve(this.#s.activities[name]?.(input as never)))
        this.#measure(ended)
        resolve(ended)
      }
      this.#parked.push(() => void end())
    })
  }

  #measure(value: unknown): void {
    this.#largest = Math.max(this.#largest, (JSON.stringify(value) ?? '').length)
  }

  #ended({ id, actions, history: { events } }: Instance): void {
    if (id !== 'simulated') return
    this.executions.push({
      actions,
      events: events.length,
      largestPayload: this.#largest,
      openTimers: this.#timers.size,
      history: [...events],
    })
  }
}

const BEGIN = Date.UTC(2026, 0, 1)
const EVENT_CHANCE = 0.3
const parsed = (text: string | null): unknown => (text === null ? undefined : JSON.parse(text))

/** User code runs on microtasks and the engine on promises: one turn of the event loop lets both come to rest. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function answer(run: () => Promise<unknown>): Promise<CodeAnswer> {
  try {
    return { ok: true, value: await run() }
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) }
  }
}
