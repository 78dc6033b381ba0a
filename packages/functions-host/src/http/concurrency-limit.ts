// How many requests may run and wait at once.

export class ConcurrencyLimit {
  readonly #running: number
  readonly #outstanding: number
  readonly #waiting: (() => void)[] = []
  #taken = 0

  /** @param running at once; more wait, in order @param outstanding running and waiting; more are refused */
  constructor(running: number, outstanding: number) {
    this.#running = running
    this.#outstanding = outstanding
  }

  /** A place, or undefined when too many wait already. */
  async take(): Promise<{ leave(): void } | undefined> {
    if (this.#taken + this.#waiting.length >= this.#outstanding) return undefined
    if (this.#taken >= this.#running) await new Promise<void>((go) => this.#waiting.push(go))
    else this.#taken++
    return {
      leave: () => {
        const next = this.#waiting.shift()
        if (next) next()
        else this.#taken--
      },
    }
  }
}
