// Warnings about rules that bind app code on the real host too: once per code and function, then counted.
import { executionCost } from './durable/find-traps.ts'
import { TRAPS, type TrapCode } from './durable/trap-rules.ts'
import type { Instance } from './durable/instance.ts'
import type { Log } from './log.ts'

export type TrapMode = 'off' | 'warn' | 'error'

const COSTLY = { actions: 1000, events: 2500, megabytes: 50 }

export class Traps {
  readonly #mode: TrapMode
  readonly #log: Log
  readonly #counts = new Map<string, number>()
  /** Messages of an orchestrator's log, by instance: what comes again while replaying was not guarded. */
  readonly #logged = new Map<string, Set<string>>()

  constructor(mode: TrapMode, log: Log) {
    this.#mode = mode
    this.#log = log
  }

  /** Answers true when what broke the rule has to fail. */
  report(code: TrapCode, fn: string, instanceId: string, detail: string): boolean {
    if (this.#mode === 'off') return false
    const [fails, sentence] = TRAPS[code]
    const key = `${code} in ${fn}`
    const count = this.#counts.get(key) ?? 0
    this.#counts.set(key, count + 1)
    if (count === 0) this.#log('warning', `${code}: ${fn} (${instanceId}): ${detail}. ${sentence}.`)
    // The real instance would hang for ever: here it ends by name, also with warnings only.
    return (this.#mode === 'error' && fails) || code === 'trap.unknown-function'
  }

  orchestratorLog(fn: string, instanceId: string, replaying: boolean, message: string): void {
    const seen = this.#logged.get(instanceId) ?? new Set()
    if (replaying && seen.has(message)) this.report('trap.replay-log', fn, instanceId, 'a line was logged again while replaying')
    this.#logged.set(instanceId, seen.add(message))
  }

  executionEnded(instance: Instance, maxActivities: number): void {
    this.#logged.delete(instance.id)
    if (this.#mode === 'off') return
    const cost = executionCost(instance, maxActivities)
    const { actions = 0, events = 0, projected_mb: megabytes = 0 } = cost
    const costly = actions > COSTLY.actions || events > COSTLY.events || megabytes > COSTLY.megabytes
    this.#log(costly ? 'warning' : 'debug', `durable.cost: ${instance.name} (${instance.id}): ${JSON.stringify(cost)}`)
  }

  /** One line per code and function that came more than once. */
  summary(): string[] {
    return [...this.#counts].filter(([, n]) => n > 1).map(([key, n]) => `${key}: ${n} times`)
  }
}
