// Back-pressure towards the worker: while its channel is full, messages wait here.
import type { ToWorker } from './protocol.ts'

export class Outbox {
  readonly #send: (message: ToWorker, sent: () => void) => boolean
  readonly #waiting: ToWorker[] = []
  #full = false

  /** @param send false: the channel is full until `sent` is called */
  constructor(send: (message: ToWorker, sent: () => void) => boolean) {
    this.#send = send
  }

  put(message: ToWorker): void {
    this.#waiting.push(message)
    this.#flush()
  }

  /** What waits is for a worker that died. */
  clear(): void {
    this.#waiting.length = 0
    this.#full = false
  }

  #flush(): void {
    while (!this.#full) {
      const next = this.#waiting.shift()
      if (!next) return
      const sent = (): void => {
        if (!this.#full) return
        this.#full = false
        this.#flush()
      }
      this.#full = !this.#send(next, sent)
    }
  }
}
