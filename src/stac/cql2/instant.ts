// Dates and timestamps of RFC 3339 in microseconds since 1970, the resolution of Postgres.
import type { Instant } from './ast.ts'

const DATE = /^\d{4}-\d{2}-\d{2}$/
const TIMESTAMP = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-]\d{2}):(\d{2}))$/

const DAY = 86_400_000_000n
const MINUTE = 60_000_000n
const FIRST = BigInt(Date.parse('0001-01-01T00:00:00Z')) * 1000n
const LAST = BigInt(Date.parse('9999-12-31T23:59:59.999Z')) * 1000n + 999n

/** First and last microsecond of what a literal stands for; equal for a timestamp. */
export interface Span {
  readonly first: bigint
  readonly last: bigint
}

/** Midnight UTC of a date that exists, in the years 0001 to 9999; undefined for any other text. */
export function microsOfDate(text: string): bigint | undefined {
  if (!DATE.test(text) || text.startsWith('0000')) return undefined
  const ms = Date.parse(`${text}T00:00:00Z`)
  // Engines may roll 30 February over into March.
  return Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(text) ? undefined : BigInt(ms) * 1000n
}

/**
 * Microseconds of an RFC 3339 date-time; digits beyond the sixth are cut. Second 60 is the first of the next minute, as in Postgres.
 * @returns undefined for anything else: no offset, impossible dates, instants outside the years 0001 to 9999
 */
export function microsOfTimestamp(text: string): bigint | undefined {
  const parts = TIMESTAMP.exec(text)
  const day = microsOfDate(parts?.[1] ?? '')
  if (!parts || day === undefined) return undefined
  const [, , hour = 0, minute = 0, second = 0, , offsetHour = 0, offsetMinute = 0] = parts.map((part) => Number(part ?? 0))
  if (hour > 23 || minute > 59 || second > 60 || Math.abs(offsetHour) > 23 || offsetMinute > 59) return undefined
  const fraction = BigInt((parts[5] ?? '').padEnd(6, '0').slice(0, 6))
  const offset = Math.abs(offsetHour) * 60 + offsetMinute
  const minutes = hour * 60 + minute - (parts[6]?.startsWith('-') ? -offset : offset)
  const micros = day + BigInt(minutes) * MINUTE + BigInt(second) * 1_000_000n + fraction
  return micros < FIRST || micros > LAST ? undefined : micros
}

/** A date covers its day; a timestamp is one microsecond. The literal was checked when it was read. */
export function spanOf(instant: Instant): Span {
  if (instant.kind === 'date') {
    const first = microsOfDate(instant.value) ?? 0n
    return { first, last: first + DAY - 1n }
  }
  const micros = microsOfTimestamp(instant.value) ?? 0n
  return { first: micros, last: micros }
}

/** RFC 3339 in UTC with six digits. @example isoOf(1n) // '1970-01-01T00:00:00.000001Z' */
export function isoOf(micros: bigint): string {
  const below = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n
  const seconds = new Date(Number((micros - below) / 1000n)).toISOString().slice(0, 19)
  return `${seconds}.${below.toString().padStart(6, '0')}Z`
}
