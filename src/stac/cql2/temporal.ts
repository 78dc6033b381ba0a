// What the temporal operators compare (OGC 21-065r2, table of temporal functions): starts and ends, all of the listed must hold.
import type { TemporalOperator } from './ast.ts'

export type End = 'start' | 'end'
export type Order = '<' | '<=' | '=' | '>=' | '>'

/** An end of the left operand, an order, an end of the right operand. An instant starts and ends at once; a date ends with its day. */
export const TEMPORAL_RULES: Readonly<Record<TemporalOperator, readonly (readonly [End, Order, End])[]>> = {
  t_after: [['start', '>', 'end']],
  t_before: [['end', '<', 'start']],
  t_during: [
    ['start', '>', 'start'],
    ['end', '<', 'end'],
  ],
  t_equals: [
    ['start', '=', 'start'],
    ['end', '=', 'end'],
  ],
  t_intersects: [
    ['start', '<=', 'end'],
    ['end', '>=', 'start'],
  ],
}
