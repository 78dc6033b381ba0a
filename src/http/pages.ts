// Bounds of lists: the time that a read may take, and the bytes of a page.
import type { ListRow } from '../db/list-columns.ts'
import { type Database, readingWithin } from '../db/pool.ts'
import type { Resources } from '../platform/resources.ts'
import { makeCursor } from './cursor.ts'

const READ_MS = 10_000
/** Texts are searched row by row. */
const TEXT_MS = 3000
/** What a page holds at most, in bytes of JSON; a row that is larger is a page of its own. */
export const PAGE_BYTES = 1_000_000

/** The database for the reads of a list. @throws from its queries: AppError `QUERY_TOO_SLOW` */
export const readingOf = (r: Resources, { text }: { text?: string | undefined } = {}): Database =>
  readingWithin(r.db, text === undefined ? READ_MS : TEXT_MS)

/**
 * A page of at most `limit` rows and {@link PAGE_BYTES}, with the cursor of the next one when there are more.
 * @param rows at most `limit + 1` of them, in order
 * @param query what the cursor is bound to
 */
export function pageOf<T>(
  rows: readonly T[],
  limit: number,
  query: unknown,
  position: (last: T) => unknown,
): { page: T[]; more: { next?: string } } {
  const page: T[] = []
  let bytes = 0
  for (const row of rows.slice(0, limit)) {
    bytes += Buffer.byteLength(JSON.stringify(row))
    if (bytes > PAGE_BYTES && page.length > 0) break
    page.push(row)
  }
  const last = page.at(-1)
  return { page, more: rows.length > page.length && last !== undefined ? { next: makeCursor(query, position(last)) } : {} }
}

/** The row of a list; `cut` is there only when something was left out. */
export function withoutEmptyCut<T extends ListRow>(row: T): T {
  const { cut, ...rest } = row
  return (cut?.length ? row : rest) as T
}
