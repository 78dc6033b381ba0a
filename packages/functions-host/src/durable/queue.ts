// A bounded queue of running work, first in first out.

/** At most `limit` at once. A finished one hands its place to the next that waits, so the limit is never passed. */
export class Queue {
  readonly #limit: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  async run(work: () => Promise<void>): Promise<void> {
    if (this.#running < this.#limit) this.#running++
    else await new Promise<void>((go) => this.#waiting.push(go))
    try {
      await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running--
    }
  }
}
