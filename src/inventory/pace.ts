// Long loops over names give way, so that others of the same process wait for one slice and not for the loop.
import { setImmediate as others } from 'node:timers/promises'

/** At once, in milliseconds. */
const SLICE_MS = 20

/** @param clock milliseconds that never go back */
export class Pace {
  readonly #clock: () => number
  #slice: number
  #spent = 0

  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock
    this.#slice = clock()
  }

  /** Asked between two names. */
  get isDue(): boolean {
    return this.#clock() - this.#slice >= SLICE_MS
  }

  /** Milliseconds in slices that ended: what the loop took itself, without what it waited for. */
  get spentMs(): number {
    return this.#spent
  }

  async giveWay(): Promise<void> {
    this.#spent += this.#clock() - this.#slice
    await others()
    this.#slice = this.#clock()
  }

  /** What was waited for since the last name does not count. */
  goOn(): void {
    this.#slice = this.#clock()
  }
}
