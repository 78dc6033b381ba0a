// The end of a process: long tasks stop, what runs is waited for, then connections are closed.

/** What runs in this process, and the word to stop. */
export class Shutdown {
  readonly #stop = new AbortController()
  readonly #running = new Set<Promise<unknown>>()
  readonly #closers: (() => Promise<void>)[] = []
  #ending: Promise<void> | undefined

  /** Fires at the beginning of the end: nothing new is claimed, running tasks are handed back. */
  readonly signal: AbortSignal = this.#stop.signal

  /** Runs what the end waits for. */
  track<T>(work: () => T): T {
    const result = work()
    if (result instanceof Promise) {
      const running: Promise<unknown> = result.then(
        () => this.#running.delete(running),
        () => this.#running.delete(running),
      )
      this.#running.add(running)
    }
    return result
  }

  /** What is closed when nothing runs any more. */
  onEnd(close: () => Promise<void>): void {
    this.#closers.push(close)
  }

  /**
   * Stops, waits for what runs, then closes; called again, it is the same end.
   * @param ms the longest that running work is waited for: the platform ends the process soon after
   */
  end(ms = 25_000): Promise<void> {
    return (this.#ending ??= this.#end(ms))
  }

  async #end(ms: number): Promise<void> {
    this.#stop.abort()
    await within(ms, () => this.#ended())
    await within(CLOSE_MS, () => Promise.all(this.#closers.map((close) => close())))
  }

  /** What is running may still begin something: a worker that is told to stop records its tasks first. */
  async #ended(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }
}

/** A connection whose statement hangs is not given back, and the pool waits for it. */
const CLOSE_MS = 3000

/** Waits for the work, but no longer. */
export async function within(ms: number, work: () => Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<void>()
  const timer = setTimeout(late.resolve, ms)
  await Promise.race([work(), late.promise])
  clearTimeout(timer)
}

/** Of this process. */
export const shutdown = new Shutdown()
