// Temporal predicates as SQL.
import type { Expression, Interval, Temporal } from './ast.ts'
import { spanOf } from './instant.ts'
import { instantSql, queryableOf, type SqlPlace, valueSql } from './sql-values.ts'
import { type End, TEMPORAL_RULES } from './temporal.ts'

/** Made only for the ends that are compared: Postgres refuses a bound value that stands nowhere in the statement. */
type Ends = Readonly<Record<End, () => string>>

export function temporalSql({ op, left, right }: Expression & { kind: 'temporal' }, place: SqlPlace): string {
  const a = endsSql(left, { ...place, at: `${place.at}/args/0` })
  const b = endsSql(right, { ...place, at: `${place.at}/args/1` })
  return TEMPORAL_RULES[op].map(([mine, order, other]) => `${a[mine]()} ${order} ${b[other]()}`).join(' AND ')
}

function endsSql(temporal: Temporal, place: SqlPlace): Ends {
  if (temporal.kind === 'interval')
    return { start: endSql(temporal.start, 'start', place), end: endSql(temporal.end, 'end', place) }
  if (temporal.kind === 'property') {
    const value = valueSql(temporal, 'timestamp', place)
    const { start, end } = queryableOf(temporal, place).interval ?? { start: value, end: value }
    return { start: () => start, end: () => end }
  }
  const { first, last } = spanOf(temporal)
  return { start: () => instantSql(first, place), end: () => instantSql(last, place) }
}

function endSql(end: Interval['start'], which: End, place: SqlPlace): () => string {
  if (end.kind === 'open') return () => (which === 'start' ? `'-infinity'::timestamptz` : `'infinity'::timestamptz`)
  if (end.kind === 'property') {
    const value = valueSql(end, 'timestamp', place)
    return () => value
  }
  const { first, last } = spanOf(end)
  return () => instantSql(which === 'start' ? first : last, place)
}
