// Waiting for something that another process does: asked at intervals, so that the wait does not take the processor from what it waits for.
import { setTimeout as pause } from 'node:timers/promises'

/** The first pause; each is longer than the one before, since whoever asks takes processor time from what it waits for. */
const FIRST_MS = 10
const LONGER = 1.3
const LONGEST_MS = 200

/**
 * The first answer that is not undefined.
 * @param what is waited for, as a clause: "the job is completed"
 * @throws Error that says so when there is no answer within `ms`
 */
export async function until<T>(what: string, ask: () => T | undefined | Promise<T | undefined>, ms = 170_000): Promise<T> {
  const end = performance.now() + ms
  for (let interval = FIRST_MS; ; interval = Math.min(LONGEST_MS, interval * LONGER)) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (performance.now() > end) throw new Error(`Waited ${Math.round(ms / 1000)} s in vain until ${what}.`)
    await pause(interval)
  }
}
