// Notices what kills its worker again and again.
import type { PendingInvocation } from './channel.ts'

const LOOP = 3
const KEPT = 1000

export class DeathWatch {
  readonly #report: (fn: string, instanceId: string, detail: string) => void
  readonly #deaths = new Map<string, number>()

  /** @param report called from the third death under the same function and instance on */
  constructor(report: (fn: string, instanceId: string, detail: string) => void) {
    this.#report = report
  }

  died(running: readonly PendingInvocation[]): void {
    for (const { functionId, instanceId = '' } of running) {
      const key = `${functionId} ${instanceId}`
      const count = (this.#deaths.get(key) ?? 0) + 1
      this.#deaths.delete(key)
      this.#deaths.set(key, count)
      if (count >= LOOP) this.#report(functionId, instanceId, `${count} workers died while it was running`)
    }
    for (const key of this.#deaths.keys()) {
      if (this.#deaths.size <= KEPT) return
      this.#deaths.delete(key)
    }
  }
}
