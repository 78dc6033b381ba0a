// Temporal predicates as SQL.
import type { Expression, Interval, Temporal } from './ast.ts'
import { spanOf } from './instant.ts'
import { instantSql, queryableOf, type SqlPlace, valueSql } from './sql-values.ts'
import { type End, TEMPORAL_RULES } from './temporal.ts'

export function temporalSql({ op, left, right }: Expression & { kind: 'temporal' }, place: SqlPlace): string {
  const ends = (temporal: Temporal, i: number): Record<End, string> =>
    endsSql(temporal, { ...place, at: `${place.at}/args/${i}` })
  const [a, b] = [ends(left, 0), ends(right, 1)]
  return TEMPORAL_RULES[op].map(([mine, order, other]) => `${a[mine]} ${order} ${b[other]}`).join(' AND ')
}

function endsSql(temporal: Temporal, place: SqlPlace): Record<End, string> {
  if (temporal.kind === 'interval')
    return { start: endSql(temporal.start, 'start', place), end: endSql(temporal.end, 'end', place) }
  if (temporal.kind === 'property') {
    const value = valueSql(temporal, 'timestamp', place)
    return queryableOf(temporal, place).interval ?? { start: value, end: value }
  }
  const { first, last } = spanOf(temporal)
  return { start: instantSql(first, place), end: instantSql(last, place) }
}

function endSql(end: Interval['start'], which: End, place: SqlPlace): string {
  if (end.kind === 'open') return which === 'start' ? `'-infinity'::timestamptz` : `'infinity'::timestamptz`
  if (end.kind === 'property') return valueSql(end, 'timestamp', place)
  const { first, last } = spanOf(end)
  return instantSql(which === 'start' ? first : last, place)
}
