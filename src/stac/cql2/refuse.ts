// How a filter is refused, and how large it may be.
import { AppError } from '../../rules/errors.ts'

export const LIMITS = { textBytes: 16_384, depth: 32, nodes: 500, values: 1000, positions: 10_000 } as const

/** Makes the error of one place; the caller throws it. */
export type Refuse = (what: string) => AppError

const shown = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)

/** A name or value of the caller, short and printable. */
export const quoted = shown

/**
 * Refuses a text at a place.
 * @param at 0-based index into the text; the message counts columns from 1, in UTF-16 units as editors do
 */
export function refuseText(text: string, at: number, what: string): AppError {
  const piece = text.slice(Math.max(0, at - 12), at + 24)
  const near = at >= text.length ? `after ${shown(piece)}` : `near ${shown(piece)}`
  const message = `The filter cannot be read at column ${at + 1}, ${near}: ${what}`
  return new AppError('CQL2_INVALID', message, { issues: [{ path: `column ${at + 1}`, message: what }] })
}

/** Refuses a member of a JSON document. @param pointer RFC 6901, '' for the whole */
export function refuseJson(pointer: string, what: string): AppError {
  const short = pointer.length > 200 ? `…${pointer.slice(-200)}` : pointer
  return new AppError('CQL2_INVALID', `The filter cannot be used at ${short || 'its top'}: ${what}`, {
    issues: [{ path: short, message: what }],
  })
}

/** Counts what a filter holds while it is read, so that a huge one is refused before it is built. */
export class Budget {
  #nodes = 0
  #positions = 0

  /** Going down to a level; the top is 1. */
  level(depth: number, refuse: Refuse): void {
    if (depth > LIMITS.depth) throw refuse(`it is nested more than ${LIMITS.depth} levels deep; write it flatter.`)
  }

  /** One more predicate, connective or collection of geometries. */
  node(refuse: Refuse): void {
    if (++this.#nodes > LIMITS.nodes)
      throw refuse(`it has more than ${LIMITS.nodes} predicates and connectives; use IN, or split it into several requests.`)
  }

  position(refuse: Refuse): void {
    if (++this.#positions > LIMITS.positions)
      throw refuse(`its geometries have more than ${LIMITS.positions} positions; simplify them.`)
  }
}
