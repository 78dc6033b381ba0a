// Clock and randomness of a real run; tests hand in their own.

/** Fires at a time; returns the disarming. Times beyond what setTimeout holds are armed again in steps. */
export function armTimer(at: number, fire: () => void): () => void {
  let handle: NodeJS.Timeout
  const arm = (): void => {
    const wait = at - Date.now()
    handle = wait > MAX_DELAY ? setTimeout(arm, MAX_DELAY) : setTimeout(fire, Math.max(0, wait))
  }
  arm()
  return () => clearTimeout(handle)
}
const MAX_DELAY = 2 ** 31 - 1

/** Uniform numbers in [0, 1) that a seed repeats (mulberry32). */
export function seeded(seed: number): () => number {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
