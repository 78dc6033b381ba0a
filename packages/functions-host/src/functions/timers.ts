// Timer functions: one run at a time each; an error never stops the schedule; missed occurrences are known from a state file.
import { readFileSync, writeFileSync } from 'node:fs'
import type { Log } from '../log.ts'
import type { Schedule } from './schedule.ts'

export interface TimerSpec {
  readonly name: string
  /** A cron expression, not an interval. */
  readonly cron: boolean
  readonly next: Schedule
  readonly runOnStartup: boolean
  /** Keep when it ran, so that an occurrence missed while the host was down runs at once. */
  readonly useMonitor: boolean
}

interface ScheduleStatus {
  readonly Last: string
  readonly Next: string
  readonly LastUpdated: string
}
export interface TimerInput {
  readonly Schedule: { readonly AdjustForDST: boolean }
  readonly ScheduleStatus: ScheduleStatus | null
  readonly IsPastDue: boolean
}

const NEVER = '0001-01-01T00:00:00+00:00'
const MINUTE = 60_000
const text = (at: number): string => new Date(at).toISOString().replace(/\.?0*Z$/, '+00:00')

/** Fires the functions until stopped. */
export class Timers {
  readonly #run: (name: string, input: TimerInput) => Promise<void>
  readonly #log: Log
  readonly #stateFile: string | undefined
  readonly #handles = new Map<string, NodeJS.Timeout>()
  readonly #status: Record<string, ScheduleStatus>
  readonly #specs = new Map<string, TimerSpec>()
  #stopped = false

  /** @param stateFile keeps the times of monitored timers; undefined: they are forgotten */
  constructor(run: (name: string, input: TimerInput) => Promise<void>, log: Log, stateFile?: string) {
    this.#run = run
    this.#log = log
    this.#stateFile = stateFile
    this.#status = stateFile ? readState(stateFile) : {}
  }

  start(specs: readonly TimerSpec[]): void {
    for (const spec of specs) {
      this.#specs.set(spec.name, spec)
      const due = Date.parse(this.#status[spec.name]?.Next ?? '')
      const pastDue = this.#monitored(spec) && due <= Date.now()
      if (spec.runOnStartup || pastDue) void this.#fire(spec, pastDue)
      else this.#arm(spec, spec.next(Date.now()))
    }
  }

  stop(): void {
    this.#stopped = true
    for (const handle of this.#handles.values()) clearTimeout(handle)
  }

  /** The input of a run that somebody asks for. */
  inputOf(name: string): TimerInput {
    const spec = this.#specs.get(name)
    return this.#input(spec, false)
  }

  /** What fires more than once a minute is not monitored, as on the real host. */
  #monitored(spec: TimerSpec): boolean {
    const first = spec.next(Date.now())
    return spec.useMonitor && spec.next(first) - first >= MINUTE
  }

  #input(spec: TimerSpec | undefined, pastDue: boolean): TimerInput {
    const status =
      spec && this.#monitored(spec)
        ? (this.#status[spec.name] ?? { Last: NEVER, Next: text(spec.next(Date.now())), LastUpdated: NEVER })
        : null
    return { Schedule: { AdjustForDST: spec?.cron ?? true }, ScheduleStatus: status, IsPastDue: pastDue }
  }

  #arm(spec: TimerSpec, due: number): void {
    if (this.#stopped) return
    const wait = Math.max(0, due - Date.now())
    // Longer waits than a timer can hold are taken in steps.
    const step = Math.min(wait, 2 ** 31 - 1)
    this.#handles.set(
      spec.name,
      setTimeout(() => (step < wait ? this.#arm(spec, due) : void this.#fire(spec, false)), step),
    )
  }

  async #fire(spec: TimerSpec, pastDue: boolean): Promise<void> {
    const began = Date.now()
    try {
      await this.#run(spec.name, this.#input(spec, pastDue))
    } catch (error) {
      this.#log('error', `Timer function ${spec.name}: ${error instanceof Error ? error.message : String(error)}`)
    }
    // A tick that passed while it ran is taken at once: runs never overlap.
    const due = spec.cron ? spec.next(began) : spec.next(Date.now())
    this.#remember(spec, began, due)
    this.#arm(spec, due)
  }

  #remember(spec: TimerSpec, last: number, next: number): void {
    if (!this.#stateFile || !this.#monitored(spec)) return
    this.#status[spec.name] = { Last: text(last), Next: text(next), LastUpdated: text(last) }
    writeFileSync(this.#stateFile, JSON.stringify(this.#status, null, 2))
  }
}

function readState(file: string): Record<string, ScheduleStatus> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, ScheduleStatus>
  } catch {
    // None yet, or cut off by a crash: nothing is past due then.
    return {}
  }
}
