// Timer triggers: six-field NCRONTAB or hh:mm:ss; one run at a time per function, and an error never stops the schedule.
import { Cron } from 'croner'
import { resolveSetting } from '../config.ts'
import type { Log } from '../log.ts'

export interface TimerSpec {
  readonly name: string
  readonly schedule: string
  readonly runOnStartup: boolean
}

/** Next occurrence strictly after a time, in milliseconds; UTC. */
export type Schedule = (after: number) => number

/** @throws Error with the host's sentence for an expression that it does not know */
export function parseSchedule(text: string, env: Readonly<Record<string, string | undefined>> = {}): Schedule {
  const expression = resolveSetting(text, env).trim()
  const refuse = (): never => {
    throw new Error(`The schedule expression '${text}' was not recognized as a valid cron expression or timespan string.`)
  }
  const span = /^(\d{1,2}):(\d\d):(\d\d)$/.exec(expression)
  if (span) {
    const ms = ((Number(span[1]) * 60 + Number(span[2])) * 60 + Number(span[3])) * 1000
    return ms > 0 ? (after) => after + ms : refuse()
  }
  const fields = expression.split(/\s+/)
  // croner knows more than NCRONTAB: what the real host refuses is refused here too.
  if (fields.length < 5 || fields.length > 6 || /[LW#?@]/.test(expression.replaceAll(/\b(jul|wed)\w*\b/gi, ''))) refuse()
  try {
    const cron = new Cron(fields.length === 5 ? `0 ${expression}` : expression, {
      timezone: 'UTC',
      paused: true,
      domAndDow: true,
    })
    return (after) => cron.nextRun(new Date(after))?.getTime() ?? Number.POSITIVE_INFINITY
  } catch {
    return refuse()
  }
}

/** Fires the functions until stopped. */
export class Timers {
  readonly #run: (name: string, input: object) => Promise<void>
  readonly #log: Log
  readonly #handles = new Map<string, NodeJS.Timeout>()
  #stopped = false

  constructor(run: (name: string, input: object) => Promise<void>, log: Log) {
    this.#run = run
    this.#log = log
  }

  start(specs: readonly (TimerSpec & { readonly next: Schedule })[]): void {
    for (const spec of specs) {
      if (spec.runOnStartup) void this.#fire(spec, true)
      else this.#arm(spec)
    }
  }

  stop(): void {
    this.#stopped = true
    for (const handle of this.#handles.values()) clearTimeout(handle)
  }

  #arm(spec: TimerSpec & { readonly next: Schedule }): void {
    if (this.#stopped) return
    const wait = spec.next(Date.now()) - Date.now()
    // Longer waits than a timer can hold are taken in steps.
    const step = Math.min(wait, 2 ** 31 - 1)
    this.#handles.set(
      spec.name,
      setTimeout(() => (step < wait ? this.#arm(spec) : void this.#fire(spec, false)), step),
    )
  }

  async #fire(spec: TimerSpec & { readonly next: Schedule }, startup: boolean): Promise<void> {
    const adjust = !/^\d{1,2}:\d\d:\d\d$/.test(spec.schedule)
    try {
      await this.#run(spec.name, { Schedule: { AdjustForDST: adjust }, ScheduleStatus: null, IsPastDue: false })
    } catch (error) {
      this.#log(
        'error',
        `Timer function ${spec.name}${startup ? ' (at start)' : ''}: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
    this.#arm(spec)
  }
}
