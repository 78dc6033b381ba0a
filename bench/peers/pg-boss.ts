// pg-boss. Workers as https://pgboss.io/api/workers recommends for load: batches of 50, fetched again at once while they come full
// (burstWhenBatchFull), each job settled with an output of its own (perJobResults), woken by NOTIFY. `flow`: stages as dependencies
// (https://pgboss.io/api/jobs, flow()): n jobs, a gate that depends on them, n jobs that depend on it, an end. Dependencies are resolved in the
// background every 5 s by default; here resolveFlow() and notifyWorker() are called as soon as a stage's jobs have been handled. `batch`: plain insert() of a
// stage; its end is asked of the job table once all its jobs have been handled here.
// Finished jobs stay a week by default: they are removed between measurements.
import pg from 'pg'
import { type JobResult, PgBoss } from 'pg-boss'
import { CONCURRENCY, type Contender, Ends, resultOf, work } from './contender.ts'

interface Task {
  readonly job: string
  readonly stage: number
  readonly task: number
  readonly n: number
  readonly taskMs: number
}

const TASKS = 'tasks'
const GATES = 'gates'
const POLL_MS = 5
const WORKERS = {
  batchSize: 50,
  localConcurrency: 4,
  burstWhenBatchFull: true,
  pollingIntervalSeconds: 0.5,
  notifyPollingIntervalSeconds: 0.5,
} as const

/** Where a job stands, as this process knows it; the database has the last word. */
interface Progress {
  readonly n: number
  readonly taskMs: number
  stage: number
  handled: number
}

class Boss implements Contender {
  readonly #boss: PgBoss
  readonly #pool: pg.Pool
  readonly #isFlow: boolean
  readonly #ends = new Ends()
  readonly #progress = new Map<string, Progress>()
  readonly #workers: string[] = []
  #polling = false

  constructor(url: string, variant: string) {
    this.#boss = new PgBoss({ connectionString: url, max: CONCURRENCY, useListenNotify: true, flowIntervalSeconds: 1 })
    this.#boss.on('error', (error) => console.error(error))
    this.#pool = new pg.Pool({ connectionString: url, max: 4 })
    this.#isFlow = variant === 'flow'
  }

  async start(): Promise<this> {
    await this.#boss.start()
    for (const name of [TASKS, GATES]) await this.#boss.createQueue(name, { notify: true })
    this.#workers.push(
      await this.#boss.work(TASKS, { ...WORKERS, perJobResults: true }, (jobs) =>
        Promise.all(jobs.map((j) => this.#task(j.id, j.data as Task))),
      ),
    )
    this.#workers.push(
      await this.#boss.work<Task>(GATES, WORKERS, async (gates) => void gates.forEach(({ data }) => this.#gate(data))),
    )
    return this
  }

  async #task(id: string, { job, task, taskMs }: Task): Promise<JobResult> {
    await work(taskMs)
    const progress = this.#progress.get(job)
    if (progress && ++progress.handled === progress.n) void this.#poll()
    return { id, status: 'completed', output: resultOf(job, task) }
  }

  /** Whoever stands at a gate has all its dependencies completed. */
  #gate({ job, stage }: Task): void {
    const progress = this.#progress.get(job)
    if (stage === 2) this.#end(job)
    else if (progress) Object.assign(progress, { stage: 2, handled: 0 })
    // Its own completion, which the next stage depends on, is written after this returns.
    void this.#poll()
  }

  #end(job: string): void {
    this.#progress.delete(job)
    this.#ends.tell(job)
  }

  /** While jobs wait for the database to tell that a stage is complete. */
  async #poll(): Promise<void> {
    if (this.#polling) return
    this.#polling = true
    try {
      for (let left = this.#handled(); left.length > 0; left = this.#handled()) {
        await (this.#isFlow ? this.#resolve() : this.#advance(left))
        await new Promise((resolve) => setTimeout(resolve, POLL_MS))
      }
    } catch (error) {
      for (const job of this.#progress.keys()) this.#ends.tell(job, error as Error)
    } finally {
      this.#polling = false
    }
  }

  /** Jobs that are unblocked notify nobody: the workers are woken here. */
  async #resolve(): Promise<void> {
    await this.#boss.resolveFlow()
    for (const id of this.#workers) this.#boss.notifyWorker(id)
  }

  /** Jobs whose stage may be complete; with flows also those that wait for their gate. */
  #handled(): string[] {
    return [...this.#progress]
      .filter(([, { n, handled, stage }]) => handled === n || (this.#isFlow && stage === 2 && handled === 0))
      .map(([job]) => job)
  }

  async #advance(jobs: readonly string[]): Promise<void> {
    const { rows } = await this.#pool.query<{ job: string; stage: number; done: number }>(
      `SELECT data->>'job' AS job, (data->>'stage')::int AS stage, count(*)::int AS done FROM pgboss.job
       WHERE name = '${TASKS}' AND state = 'completed' AND data->>'job' = ANY ($1) GROUP BY 1, 2`,
      [jobs],
    )
    for (const { job, stage, done } of rows) {
      const progress = this.#progress.get(job)
      if (!progress || progress.stage !== stage || done !== progress.n) continue
      if (stage === 2) this.#end(job)
      else {
        Object.assign(progress, { stage: 2, handled: 0 })
        await this.#boss.insert(
          TASKS,
          this.#tasks(job, progress).map((data) => ({ data })),
        )
      }
    }
  }

  #tasks(job: string, { n, taskMs, stage }: Omit<Progress, 'handled'>): Task[] {
    return Array.from({ length: n }, (_, i) => ({ job, stage, task: i + 1, n, taskMs }))
  }

  async runJob(jobId: string, n: number, taskMs: number): Promise<void> {
    const end = this.#ends.of(jobId)
    this.#progress.set(jobId, { n, taskMs, stage: 1, handled: 0 })
    if (this.#isFlow) await this.#boss.flow(this.#flow(jobId, n, taskMs))
    else
      await this.#boss.insert(
        TASKS,
        this.#tasks(jobId, { n, taskMs, stage: 1 }).map((data) => ({ data })),
      )
    await end
  }

  #flow(job: string, n: number, taskMs: number): Parameters<PgBoss['flow']>[0] {
    const stage = (no: number, dependsOn: string[]): Parameters<PgBoss['flow']>[0] => {
      const refs = this.#tasks(job, { n, taskMs, stage: no }).map((data) => ({
        ref: `${no}-${data.task}`,
        name: TASKS,
        data,
        dependsOn,
      }))
      const gate = { ref: `gate ${no}`, name: GATES, data: { job, stage: no }, dependsOn: refs.map(({ ref }) => ref) }
      return [...refs, gate]
    }
    return [...stage(1, []), ...stage(2, ['gate 1'])]
  }

  async stored(jobId: string): Promise<number> {
    const { rows } = await this.#pool.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pgboss.job WHERE name = '${TASKS}' AND state = 'completed' AND output IS NOT NULL AND data->>'job' = $1`,
      [jobId],
    )
    return rows[0]?.n ?? 0
  }

  async forget(): Promise<void> {
    await this.#boss.deleteStoredJobs(TASKS)
    await this.#boss.deleteStoredJobs(GATES)
  }

  async close(): Promise<void> {
    await this.#boss.stop({ graceful: false })
    await this.#pool.end()
  }
}

export const open = (url: string, variant: string): Promise<Contender> => new Boss(url, variant).start()
