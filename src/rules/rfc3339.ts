// Times and intervals of RFC 3339, strictly: what Date.parse accepts beyond it (dates alone, local times, 30 February) is refused.

/** An instant. */
export interface Instant {
  /** Milliseconds since 1970-01-01T00:00:00Z; with a fraction where the text has more than three digits of a second. */
  readonly ms: number
  /** The same in UTC with `Z`, upper case, every digit of the fraction kept. */
  readonly iso: string
}

/** Both ends are in it; one may be open, never both. */
export interface Interval {
  readonly start: Instant | undefined
  readonly end: Instant | undefined
}

const SHAPE = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/i
/** `2024-01-01T00:00:00.123456789+00:00` and nothing longer. */
const LONGEST = 35

/**
 * A `date-time` of RFC 3339, section 5.6: any offset incl. `-00:00`, `t` and `z` in any case, 0 to 9 digits of fraction.
 * A leap second (`23:59:60` UTC) is the instant after it. Year 0000 is refused: no database stores it.
 * @returns undefined for everything else
 * @example parseRfc3339('2024-01-01T01:00:00.5+01:00') // { ms: 1704067200500, iso: '2024-01-01T00:00:00.5Z' }
 */
export function parseRfc3339(text: string): Instant | undefined {
  const found = text.length <= LONGEST ? SHAPE.exec(text) : null
  if (!found) return undefined
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const [fraction = '', sign, offsetHour = '00', offsetMinute = '00'] = found.slice(7)
  if (year === 0 || month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return undefined
  if (hour > 23 || minute > 59 || second > 60 || Number(offsetHour) > 23 || Number(offsetMinute) > 59) return undefined
  const offset = (sign === '-' ? -1 : 1) * (Number(offsetHour) * 60 + Number(offsetMinute))
  const at = new Date(0)
  // Date.UTC takes years below 100 for 19xx.
  at.setUTCFullYear(year, month - 1, day)
  at.setUTCHours(hour, minute - offset, Math.min(second, 59), 0)
  if (second === 60 && (at.getUTCHours() !== 23 || at.getUTCMinutes() !== 59)) return undefined
  const whole = at.getTime() + (second === 60 ? 1000 : 0)
  // An offset may lead out of the four digits of a year.
  if (whole < FIRST || whole > LAST) return undefined
  const digits = fraction.replace(/0+$/, '')
  const iso = `${new Date(whole).toISOString().slice(0, 19)}${digits ? `.${fraction}` : ''}Z`
  return { ms: whole + (digits ? Number(`0.${digits}`) * 1000 : 0), iso }
}

const FIRST = Date.parse('0001-01-01T00:00:00Z')
const LAST = Date.parse('9999-12-31T23:59:59Z')

function daysOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/**
 * The parameter `datetime` of a search (OGC API Features 1.0, 7.15.3): an instant (both ends the same), `a/b`, `../b`, `a/..`, `/b`, `a/`.
 * A `+` that nobody escaped arrives as a space and is meant as `+`.
 * @returns undefined for anything else: both ends open, reversed, three parts, an end that is no RFC 3339 time
 */
export function parseInterval(text: string): Interval | undefined {
  const parts = text.split('/', 3)
  if (parts.length === 1) {
    const at = parseRfc3339(withPlus(text))
    return at && { start: at, end: at }
  }
  const [from, to, third] = parts as [string, string, string?]
  if (third !== undefined) return undefined
  const [start, end] = [endOf(from), endOf(to)]
  if (start === null || end === null || (!start && !end)) return undefined
  return start && end && start.ms > end.ms ? undefined : { start, end }
}

/** Undefined: open; null: not readable. */
function endOf(text: string): Instant | undefined | null {
  return text === '' || text === '..' ? undefined : (parseRfc3339(withPlus(text)) ?? null)
}

const withPlus = (text: string): string => text.replace(/ (?=\d\d:\d\d$)/, '+')
