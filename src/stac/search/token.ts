// Where a page ends: the values of the order of its last item, bound to the search that they belong to.
import { createHash } from 'node:crypto'
import * as z from 'zod'
import { canonicalJson } from '../../rules/canonical-json.ts'
import { AppError } from '../../rules/errors.ts'
import { orderOf, type Sortable, SORTABLES } from './sort.ts'
import type { Search } from './search.ts'

/** Text of each sort value as Postgres writes it; null last. */
export type Position = readonly (string | null)[]

const Token = z.tuple([z.string(), z.array(z.string().max(3000).nullable()).min(2).max(7)])

/** Everything that decides which items there are, and in what order; not how many a page has and what is shown of them. */
function digest(search: Search): string {
  const { bbox, isOffGround, intersects, interval, ids, collections, filter, sort } = search
  const decides = { bbox, isOffGround, intersects, interval, ids, collections, filter, sort }
  // Undefined members are dropped on the way.
  const text = canonicalJson(JSON.parse(JSON.stringify(decides)))
  return createHash('sha256').update(text).digest('base64url').slice(0, 16)
}

export const makeToken = (search: Search, position: Position): string =>
  Buffer.from(JSON.stringify([digest(search), position])).toString('base64url')

/** As Postgres writes a timestamptz. */
const TIME = /^\d{4,6}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?[+-]\d\d(?::\d\d){0,2}$/

/** What the statement may cast without an error. */
function isValueOf(sortable: Sortable | undefined, value: string | null): boolean {
  if (!sortable) return false
  if (value === null) return sortable.nullable
  if (sortable.cast === 'float8') return value.trim() !== '' && Number.isFinite(Number(value))
  return sortable.cast === 'text' ? !value.includes('\0') : TIME.test(value) && !Number.isNaN(Date.parse(value.slice(0, 10)))
}

/** @throws AppError `INVALID_TOKEN` when it was cut, edited, or made by another search */
export function readToken(search: Search): Position | undefined {
  if (search.token === undefined) return undefined
  const refuse = (message: string): AppError =>
    new AppError('INVALID_TOKEN', `token ${message}. Search again without it.`, { issues: [{ path: 'token', message }] })
  let read: z.infer<typeof Token>
  try {
    read = Token.parse(JSON.parse(Buffer.from(search.token, 'base64url').toString('utf8')))
  } catch {
    throw refuse('is damaged')
  }
  const [mark, position] = read
  if (mark !== digest(search)) throw refuse('belongs to another search')
  const order = orderOf(search.sort)
  if (position.length !== order.length || !position.every((value, i) => isValueOf(SORTABLES[order[i]?.field ?? ''], value)))
    throw refuse('is damaged')
  return position
}
