// What a peer must do to be compared: the same work as hello_world, two stages of n tasks, and an end that is durable.

/** One system, set up on an empty database of its own. */
export interface Contender {
  /**
   * Runs a job of two stages of n tasks; the second begins when every task of the first has ended.
   * Resolves when the end is durably recorded.
   * @param taskMs how long each task waits; 0 is a task that does nothing
   */
  runJob(jobId: string, n: number, taskMs: number): Promise<void>
  /** How many results of tasks are stored for the job: asked after the clock has stopped. */
  stored(jobId: string): Promise<number>
  /** Removes what finished jobs left, where the system itself would only do so after days. */
  forget?(): Promise<void>
  close(): Promise<void>
}

/** @param url of a Postgres database that nobody else uses; @param variant for systems that are compared in several set-ups */
export type Open = (url: string, variant: string) => Promise<Contender>

/** How many tasks run at once, wherever a system lets that be chosen. */
export const CONCURRENCY = 30

/** A task's work: the same in every contender. */
export const work = (taskMs: number): Promise<void> | undefined =>
  taskMs > 0 ? new Promise((resolve) => setTimeout(resolve, taskMs)) : undefined

/** A task's result: the same size in every contender. */
export const resultOf = (jobId: string, task: number): object => ({ greeting: `Hello ${jobId} from task ${task}!` })

/** What waits for ends that are told elsewhere in the process. */
export class Ends {
  readonly #waiting = new Map<string, PromiseWithResolvers<void>>()

  of(jobId: string): Promise<void> {
    const end = Promise.withResolvers<void>()
    this.#waiting.set(jobId, end)
    return end.promise
  }

  tell(jobId: string, error?: Error): void {
    const end = this.#waiting.get(jobId)
    this.#waiting.delete(jobId)
    if (error) end?.reject(error)
    else end?.resolve()
  }
}
