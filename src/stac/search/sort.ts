// What results can be sorted by. Columns of the records, or one typed value of the document; the ids always come last, so that the order is
// total and a page begins exactly behind the one before.
import { didYouMean } from '../../rules/nearest.ts'
import { refuseSearch } from './refuse.ts'
import type { SortKey } from './search.ts'

export interface Sortable {
  readonly sql: string
  readonly cast: 'text' | 'timestamptz' | 'float8'
  readonly nullable: boolean
}

const text = (sql: string): Sortable => ({ sql, cast: 'text', nullable: false })
const time = (sql: string): Sortable => ({ sql, cast: 'timestamptz', nullable: false })
const property = (name: string): Sortable => ({
  sql: `(CASE WHEN jsonb_typeof(i.content -> 'properties' -> '${name}') = 'string' THEN i.content -> 'properties' ->> '${name}' END) COLLATE "C"`,
  cast: 'text',
  nullable: true,
})
const number = (name: string): Sortable => ({
  sql: `(CASE WHEN jsonb_typeof(i.content -> 'properties' -> '${name}') = 'number' THEN (i.content -> 'properties' -> '${name}')::float8 END)`,
  cast: 'float8',
  nullable: true,
})

/** As it is served: items of others keep the times that they came with, which were judged before. */
export function registrationSql(which: 'created' | 'updated'): string {
  return `(CASE WHEN i.kind = 'foreign' THEN (i.content #>> '{properties,${which}}')::timestamptz ELSE i.${which}_at END)`
}

export const SORTABLES: Readonly<Record<string, Sortable>> = {
  id: text('i.item_id'),
  collection: text('i.collection_id'),
  datetime: time('i.sort_at'),
  start_datetime: time('i.start_at'),
  end_datetime: time('i.end_at'),
  created: { ...time(registrationSql('created')), nullable: true },
  updated: { ...time(registrationSql('updated')), nullable: true },
  gsd: number('gsd'),
  'proj:code': property('proj:code'),
  platform: property('platform'),
  'eo:cloud_cover': number('eo:cloud_cover'),
  'lamplighter:blob': property('lamplighter:blob'),
}

/** Newest first. */
export const DEFAULT_SORT: readonly SortKey[] = [{ field: 'datetime', descending: true }]
const MOST_KEYS = 5

/** @throws AppError `INVALID_SEARCH` listing what can be sorted by */
export function readSort(entries: readonly { readonly text: string }[]): SortKey[] {
  if (entries.length > MOST_KEYS) throw refuseSearch('sortby', `has more than ${MOST_KEYS} fields.`)
  const keys = entries.map(({ text: entry }): SortKey => {
    const sign = /^[-+ ]/.exec(entry)?.[0]
    const field = (sign === undefined ? entry : entry.slice(1)).trim().replace(/^properties\./, '')
    if (!Object.hasOwn(SORTABLES, field)) {
      const names = Object.keys(SORTABLES)
      throw refuseSearch(
        'sortby',
        `${JSON.stringify(field.slice(0, 60))} is not sortable.${didYouMean(field, names)} There are: ${names.join(', ')}.`,
      )
    }
    return { field, descending: sign === '-' }
  })
  if (new Set(keys.map((k) => k.field)).size < keys.length) throw refuseSearch('sortby', 'names a field twice.')
  return keys
}

/** The whole order: what was asked for, then the ids. */
export function orderOf(sort: readonly SortKey[]): SortKey[] {
  const asked = sort.length === 0 ? DEFAULT_SORT : sort
  const rest = ['collection', 'id'].filter((field) => asked.every((k) => k.field !== field))
  return [...asked, ...rest.map((field) => ({ field, descending: false }))]
}
