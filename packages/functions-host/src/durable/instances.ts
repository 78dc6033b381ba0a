// All instances by id: rows of ended ones stay for a while, their histories for a shorter while.
import { History } from './events.ts'
import { type Instance, isTerminal, type RuntimeStatus } from './instance.ts'

const KEPT_ROWS = 10_000
/** Events of ended instances whose history can still be looked at; of older ones only the status row stays. */
const KEPT_EVENTS = 20_000

export interface InstanceFilter {
  readonly prefix: string
  /** None: all. */
  readonly statuses: readonly RuntimeStatus[]
  readonly createdFrom: number
  readonly createdTo: number
}

export class Instances {
  readonly #byId = new Map<string, Instance>()
  readonly #ended: Instance[] = []
  #endedEvents = 0

  get(id: string): Instance | undefined {
    return this.#byId.get(id)
  }

  all(): Iterable<Instance> {
    return this.#byId.values()
  }

  isCurrent(instance: Instance): boolean {
    return this.#byId.get(instance.id) === instance
  }

  /** Stores an instance; answers with the one that it replaces. */
  put(instance: Instance): Instance | undefined {
    const old = this.#byId.get(instance.id)
    this.#byId.delete(instance.id)
    this.#byId.set(instance.id, instance)
    if (this.#byId.size > KEPT_ROWS) this.#forgetOldest()
    return old
  }

  delete(id: string): boolean {
    return this.#byId.delete(id)
  }

  /** Ordered by id, as the table of the real host. */
  find({ prefix, statuses, createdFrom, createdTo }: InstanceFilter): Instance[] {
    const found = [...this.#byId.values()].filter(
      (i) =>
        i.id.startsWith(prefix) &&
        (statuses.length === 0 || statuses.includes(i.status)) &&
        i.createdAt >= createdFrom &&
        i.createdAt <= createdTo,
    )
    return found.sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  ended(instance: Instance): void {
    instance.history.forgetTexts()
    this.#ended.push(instance)
    this.#endedEvents += instance.history.events.length
    while (this.#endedEvents > KEPT_EVENTS && this.#ended.length > 1) {
      const old = this.#ended.shift() as Instance
      this.#endedEvents -= old.history.events.length
      old.history = new History()
      old.actions = []
    }
  }

  #forgetOldest(): void {
    for (const [id, instance] of this.#byId) {
      if (!isTerminal(instance.status)) continue
      this.#byId.delete(id)
      return
    }
  }
}
