// When a schedule is due: cron expressions of five fields in a time zone, over changes of clocks too.
import { Cron } from 'croner'
import { AppError } from '../rules/errors.ts'
import type { MissedRule } from '../models/schedule.ts'

/** A due time that is later than this was missed: nobody ran then. */
export const GRACE_MS = 10 * 60_000
/** Of missed ones so many are noted. */
const MOST_MISSED = 100

export interface Timing {
  readonly cron: string
  readonly time_zone: string
}

/** @throws AppError `INVALID_PARAMETERS` naming `cron` or `time_zone` */
function cronOf({ cron, time_zone }: Timing): Cron {
  try {
    Intl.DateTimeFormat('en', { timeZone: time_zone })
  } catch {
    throw refused('time_zone', `${JSON.stringify(time_zone)} is no time zone of the IANA database, such as Europe/Berlin`)
  }
  // Six fields would be seconds, and a nickname such as @hourly hides what is meant.
  if (cron.trim().split(/\s+/).length !== 5)
    throw refused('cron', 'must have five fields: minute, hour, day, month, day of the week')
  try {
    return new Cron(cron, { timezone: time_zone, paused: true })
  } catch (error) {
    throw refused('cron', error instanceof Error ? error.message.replace(/^CronPattern: /, '') : 'is no cron expression')
  }
}

const refused = (path: string, message: string): AppError =>
  new AppError('INVALID_PARAMETERS', `Invalid input: ${path}: ${message}`, { issues: [{ path, message }] })

/**
 * The first due times after a moment; fewer when there are no more.
 * @throws AppError `INVALID_PARAMETERS`
 */
export function nextDueTimes(timing: Timing, after: Date, n: number): Date[] {
  const cron = cronOf(timing)
  const found: Date[] = []
  for (let at: Date | null = after; found.length < n;) {
    at = cron.nextRun(at)
    if (at === null) break
    found.push(at)
  }
  return found
}

export interface DuePlan {
  /** To be submitted now. */
  readonly run: Date | null
  /** Nobody ran then: oldest first, the newest 100. */
  readonly missed: readonly Date[]
  readonly next: Date | null
}

/** What is to be done about a schedule that is due since `due`. */
export function planDue(timing: Timing, missedRule: MissedRule, due: Date, now: Date): DuePlan {
  const cron = cronOf(timing)
  // Backwards from now: a schedule of minutes that nobody looked at for a year has half a million.
  const earlier = cron.previousRuns(MOST_MISSED + 1, new Date(now.getTime() + 1)).filter((at) => at > due && at <= now)
  const past = [due, ...earlier.toReversed()].slice(-MOST_MISSED - 1)
  const next = cron.nextRun(now)
  const last = past.at(-1) as Date
  const runs = missedRule === 'latest' || now.getTime() - last.getTime() <= GRACE_MS
  return { run: runs ? last : null, missed: runs ? past.slice(0, -1) : past.slice(-MOST_MISSED), next }
}
