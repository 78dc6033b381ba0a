// Waiting for something that another process does: asked at intervals, so that the wait does not take the processor from what it waits for.
import { setTimeout as pause } from 'node:timers/promises'

const INTERVAL_MS = 25

/**
 * The first answer that is not undefined.
 * @param what is waited for, as a clause: "the job is completed"
 * @throws Error that says so when there is no answer within `ms`
 */
export async function until<T>(what: string, ask: () => T | undefined | Promise<T | undefined>, ms = 170_000): Promise<T> {
  const end = performance.now() + ms
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (performance.now() > end) throw new Error(`Waited ${Math.round(ms / 1000)} s in vain until ${what}.`)
    await pause(INTERVAL_MS)
  }
}
