// Name rules shared by models, HTTP and engine.
import * as z from 'zod'

/** Job types, stages and functions: snake_case, 1-63 characters. */
export const SnakeName = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, 'must be snake_case, 1-63 characters')

/** A job id: sha256 as 64 lower-case hex digits. It is also the Durable instance id, so nothing else may pass. */
export const JobId = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits')

/**
 * An instant as RFC 3339 text with an offset, in the range that Postgres and JavaScript share: years 0001-9999, offsets to ±14:00, at most
 * nine digits of a second.
 */
export const Instant = z.iso
  .datetime({ offset: true })
  .max(40)
  .refine((text) => !text.startsWith('0000'), 'must be in the years 0001-9999')
  .refine((text) => !/\.\d{10}/.test(text), 'must have at most nine digits of a second')
  .refine((text) => {
    const [, hours, minutes] = /[+-](\d\d):?(\d\d)$/.exec(text) ?? []
    return hours === undefined || Number(hours) * 60 + Number(minutes) <= 14 * 60
  }, 'must have an offset between -14:00 and +14:00')

/** A reason, a note: text that Postgres can hold. */
export const storableText = (most: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(most)
    .refine((text) => text.isWellFormed() && !text.includes('\u0000'), 'holds NUL or a lone surrogate')

/** A task key: kept whole, any text without NUL, control characters are the job's own matter. */
export const TaskKey = z.string().min(1).max(2048)
