// Timer schedules: six-field NCRONTAB or hh:mm:ss.
import { Cron } from 'croner'
import { type Env, resolveSetting } from '../config.ts'

/** Next occurrence strictly after a time, in milliseconds. */
export type Schedule = (after: number) => number

const SPAN = /^(\d{1,2}):(\d\d):(\d\d)$/

export const isInterval = (text: string): boolean => SPAN.test(text.trim())

/** UTC unless `WEBSITE_TIME_ZONE`. @throws Error with the host's sentence for an expression that it does not know */
export function parseSchedule(text: string, env: Env = {}): Schedule {
  const expression = resolveSetting(text, env).trim()
  const refuse = (): never => {
    throw new Error(`The schedule expression '${text}' was not recognized as a valid cron expression or timespan string.`)
  }
  const span = SPAN.exec(expression)
  if (span) {
    const ms = ((Number(span[1]) * 60 + Number(span[2])) * 60 + Number(span[3])) * 1000
    return ms > 0 ? (after) => after + ms : refuse()
  }
  // Names of months and days may be written out.
  const fields = expression.replaceAll(/[a-z]{4,}/gi, (name) => name.slice(0, 3)).split(/\s+/)
  // croner knows more than NCRONTAB: what the real host refuses is refused here too.
  if (fields.length < 5 || fields.length > 6 || /[LW#?@]/.test(expression.replaceAll(/\b(jul|wed)\w*\b/gi, ''))) refuse()
  try {
    const cron = new Cron([...(fields.length === 5 ? ['0'] : []), ...fields].join(' '), {
      timezone: env['WEBSITE_TIME_ZONE'] ?? 'UTC',
      paused: true,
      domAndDow: true,
    })
    return (after) => cron.nextRun(new Date(after))?.getTime() ?? Number.POSITIVE_INFINITY
  } catch {
    return refuse()
  }
}
