// Waiting for something that another process does: asked at intervals, so that the wait does not take the processor from what it waits for.
import { vi } from 'vitest'

const INTERVAL_MS = 25

/** The first answer that is not undefined. @throws Error when there is none within `ms` */
export async function until<T>(ask: () => T | undefined | Promise<T | undefined>, ms = 170_000): Promise<T> {
  let found: { answer: T } | undefined
  await vi.waitUntil(
    async () => {
      const answer = await ask()
      if (answer !== undefined) found = { answer }
      return answer !== undefined
    },
    { timeout: ms, interval: INTERVAL_MS },
  )
  return (found as { answer: T }).answer
}
