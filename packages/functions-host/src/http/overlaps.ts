// Routes that stand in each other's way: the host asks them by name, so a general one may answer for a special one.
import { type HttpRoute, matchParts, type Part } from './routes.ts'

export interface Overlap {
  /** Sorts first, so it answers. */
  readonly winner: HttpRoute
  readonly loser: HttpRoute
  readonly method: string
  /** A path that both match. */
  readonly path: string
}

/** Values of which each kind of parameter accepts some. */
const SAMPLES = [
  'x',
  '1',
  '5',
  '10',
  '100',
  '1000',
  'true',
  'ab',
  'abc',
  'a1',
  '1.5',
  '0f8fad5b-d9cb-469f-a165-70867728950e',
].concat(Array.from({ length: 64 }, (_, n) => 'a'.repeat(n + 1)))

/**
 * Pairs of which the one that answers is not the more special one: somebody wrote the other route in vain, at least for one path.
 * A special route that sorts before a general one is meant so.
 * @param routes in the host's order
 */
export function findOverlaps(routes: readonly HttpRoute[]): Overlap[] {
  const found: Overlap[] = []
  for (const [i, winner] of routes.entries()) {
    for (const loser of routes.slice(i + 1)) {
      const method = winner.methods.find((m) => loser.methods.includes(m))
      const path = method && commonPath(winner.parts, loser.parts)
      const meant = covers(loser.parts, winner.parts) && !covers(winner.parts, loser.parts)
      if (method && path !== undefined && !meant) found.push({ winner, loser, method, path: `/${path}` })
    }
  }
  return found
}

/** Every template's shortest paths, in which parameters take values from the other's literals and the samples. */
function commonPath(a: readonly Part[], b: readonly Part[]): string | undefined {
  const segments: string[] = []
  for (let i = 0; ; i++) {
    if (matchParts(a, segments) && matchParts(b, segments)) return segments.join('/')
    const next = segmentFor(a, b, i)
    if (next === undefined) return undefined
    segments.push(next)
  }
}

function segmentFor(a: readonly Part[], b: readonly Part[], i: number): string | undefined {
  const [first, second] = [partAt(a, i), partAt(b, i)]
  if (!first || !second) return undefined
  if (first.catchAll && second.catchAll) return undefined
  const accepts = (part: Part, text: string): boolean =>
    part.literal === undefined ? part.catchAll === true || part.accepts?.(text) === true : part.literal === text
  const literals = [first.literal, second.literal].filter((l) => l !== undefined)
  return [...literals, ...SAMPLES].find((text) => accepts(first, text) && accepts(second, text))
}

/** A catch-all goes on for ever. */
const partAt = (parts: readonly Part[], i: number): Part | undefined =>
  parts[i] ?? (parts.at(-1)?.catchAll ? parts.at(-1) : undefined)

/** Does the first template match every path that the second one matches? */
function covers(general: readonly Part[], special: readonly Part[]): boolean {
  for (let i = 0; i < Math.max(general.length, special.length); i++) {
    const [wide, narrow] = [general[i], special[i]]
    if (wide?.catchAll) return true
    if (!narrow) return wide?.optional === true
    if (!wide || narrow.catchAll || (narrow.optional && !wide.optional)) return false
    if (wide.literal !== undefined ? wide.literal !== narrow.literal : !takesAll(wide, narrow)) return false
  }
  return true
}

const takesAll = (wide: Part, narrow: Part): boolean =>
  wide.text === '' || (narrow.literal === undefined ? wide.text === narrow.text : wide.accepts?.(narrow.literal) === true)
