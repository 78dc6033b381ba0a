// Paging cursors: opaque, and bound to the query that made them.
import { createHash } from 'node:crypto'
import * as z from 'zod'
import { canonicalJson } from '../rules/canonical-json.ts'
import { AppError } from '../rules/errors.ts'

const digest = (query: unknown): string => createHash('sha256').update(canonicalJson(query)).digest('base64url').slice(0, 12)

/** @param query what must not change from page to page, without `next` and `limit` */
export function makeCursor(query: unknown, position: unknown): string {
  return Buffer.from(JSON.stringify([digest(query), position])).toString('base64url')
}

/** @throws AppError `INVALID_CURSOR` when it is damaged or belongs to another query */
export function readCursor<T>(cursor: string | undefined, query: unknown, schema: z.ZodType<T>): T | undefined {
  if (cursor === undefined) return undefined
  try {
    const [mark, position] = z.tuple([z.string(), schema]).parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')))
    if (mark === digest(query)) return position
  } catch {
    throw new AppError('INVALID_CURSOR', 'next is damaged. Start again without it.', {
      issues: [{ path: 'next', message: 'damaged' }],
    })
  }
  throw new AppError('INVALID_CURSOR', 'next belongs to another query. Start again without it.', {
    issues: [{ path: 'next', message: 'belongs to another query' }],
  })
}

/** Numbers of a position: what an integer column can hold. */
export const Ordinal = z.int().min(0).max(2_147_483_647)
/** A time of a position, as Postgres writes it or as RFC 3339. */
export const PositionTime = z.string().regex(/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d(?::?\d\d)?)?$/)
/** A name or a token of the Blob service. */
export const PositionName = z
  .string()
  .max(3000)
  .refine((text) => text.isWellFormed() && !/[\u0000-\u001f\u007f-\u009f]/.test(text))

/** `limit` and `next` of every list. */
export const paging = {
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  next: z.string().max(1000).optional(),
}
