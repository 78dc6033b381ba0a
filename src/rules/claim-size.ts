// How many tasks a light worker claims at a time. Pure; docs/decisions/0026 has the figures.

/** The first claim of a slice, and the least: whatever is lost with a worker is no more than it must be. */
export const LEAST_CLAIM = 50
/** More costs each task no less. */
export const MOST_CLAIM = 200
/** A batch of quick tasks may last so long, in milliseconds. */
const BATCH_MS = 100

/** What was claimed last, how many of them failed, and how long it took in milliseconds from the claim to the record. */
export interface LastBatch {
  readonly claimed: number
  readonly failed: number
  readonly ms: number
}

/** As many as the last batch would have done in 100 ms; the least again after a failure, which may be that of a dependency. */
export function nextClaimSize({ claimed, failed, ms }: LastBatch): number {
  if (failed > 0) return LEAST_CLAIM
  return Math.max(LEAST_CLAIM, Math.min(MOST_CLAIM, Math.round((claimed * BATCH_MS) / Math.max(1, ms))))
}
