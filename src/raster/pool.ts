// Child processes for foreign bytes: forked when they are needed, used again, watched, and killed when they hang or grow.
import { type ChildProcess, fork } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { availableParallelism, totalmem } from 'node:os'
import { AppError, type Issue } from '../rules/errors.ts'
import { activeTraceparent } from '../telemetry/spans.ts'
import type { LookAnswer, LookTask } from './look-task.ts'
import type { RasterAnswers, RasterTask } from './tasks.ts'

export interface PoolRequest {
  readonly id: number
  readonly task: RasterTask | LookTask
  /** `traceparent` that the child's requests to storage belong to. */
  readonly trace?: string | undefined
}
export type PoolAnswer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | {
      readonly id: number
      readonly ok: false
      readonly error: {
        readonly code: string
        readonly message: string
        readonly status: number
        readonly retryable: boolean
        readonly issues: readonly Issue[]
      }
    }

export interface PoolOptions {
  /** Processes at once. */
  readonly size: number
  /** After so many tasks a process is replaced: what a library leaks does not add up. */
  readonly tasksPerProcess?: number
  /** Resident bytes above which a process is killed. */
  readonly memoryBytes?: number
  /** Entry of the child; tests give their own. */
  readonly entry?: URL
  readonly env?: NodeJS.ProcessEnv
  /** File descriptor for what children complain about; default: this process's own. */
  readonly output?: number
}

/** A small nursery costs no CPU here and 70 MB less: pixels live outside of the heap, so that it is rarely looked at. */
export const CHILD_FLAGS: readonly string[] = ['--max-old-space-size=160', '--max-semi-space-size=4']
/** Of glibc: each thread of zlib's pool would keep an arena. */
export const CHILD_ENV = { MALLOC_ARENA_MAX: '2' } as const
const MEMORY_BYTES = 400 * 1024 * 1024
const TASKS_PER_PROCESS = 50
const WATCH_MS = 1000

/** The child's bundle stands beside the app's; from source it is the file itself. */
const ENTRY = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './raster-worker.js', import.meta.url)

/** Places by cores and memory: each may take 300 MB beside the host's 400. The same rule as maxConcurrentActivityFunctions. */
export function defaultSlots(cores = availableParallelism(), memoryBytes = totalmem()): number {
  return Math.max(1, Math.min(cores, Math.floor((memoryBytes / 1e6 - 400) / 300)))
}

interface Child {
  readonly process: ChildProcess
  tasks: number
  /** Resident bytes when it was last looked at. */
  memory: number
  /** Given to a caller that has not sent its task yet. */
  reserved: boolean
  job: Job | undefined
}

interface Job {
  readonly id: number
  readonly what: string
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  /** Why it was killed, when we did it. */
  reason: AppError | undefined
}

interface Waiting {
  readonly start: (child: Child) => void
  readonly reject: (error: unknown) => void
}

export class RasterPool {
  readonly #options: Required<Omit<PoolOptions, 'env' | 'output'>> & Pick<PoolOptions, 'env' | 'output'>
  readonly #children = new Set<Child>()
  readonly #waiting: Waiting[] = []
  #watch: NodeJS.Timeout | undefined
  #next = 1

  constructor(options: PoolOptions) {
    this.#options = { tasksPerProcess: TASKS_PER_PROCESS, memoryBytes: MEMORY_BYTES, entry: ENTRY, ...options }
  }

  get size(): number {
    return this.#options.size
  }

  /**
   * Runs one task in a child of its own; waits while all are busy.
   * @throws AppError what the task throws; `WORKER_CRASHED`, `WORKER_MEMORY`; the signal's reason within two seconds of its firing
   */
  run<K extends RasterTask['kind']>(task: Extract<RasterTask, { kind: K }>, signal?: AbortSignal): Promise<RasterAnswers[K]>
  run(task: LookTask, signal?: AbortSignal): Promise<LookAnswer>
  async run(task: RasterTask | LookTask, signal?: AbortSignal): Promise<unknown> {
    signal?.throwIfAborted()
    const child = await this.#free(signal)
    child.reserved = false
    if (!signal?.aborted && this.#children.has(child)) return this.#give(child, task, signal)
    this.#handOn(child)
    signal?.throwIfAborted()
    return this.run(task as LookTask)
  }

  /** Ends every child. */
  close(): void {
    for (const child of this.#children) child.process.kill('SIGKILL')
  }

  /** A child without a task, a new one, or the next that becomes free. */
  #free(signal: AbortSignal | undefined): Promise<Child> {
    const idle = [...this.#children].find((c) => c.job === undefined && !c.reserved)
    const child = idle ?? (this.#children.size < this.#options.size ? this.#fork() : undefined)
    if (child) {
      child.reserved = true
      return Promise.resolve(child)
    }
    const { promise, resolve, reject } = Promise.withResolvers<Child>()
    const waiting: Waiting = { start: resolve, reject }
    this.#waiting.push(waiting)
    const onAbort = (): void => {
      const at = this.#waiting.indexOf(waiting)
      if (at >= 0) this.#waiting.splice(at, 1)
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    return promise.finally(() => signal?.removeEventListener('abort', onAbort))
  }

  #fork(): Child {
    const { entry, env, output = 'inherit' } = this.#options
    const child: Child = {
      process: fork(entry, {
        execArgv: [...CHILD_FLAGS],
        serialization: 'advanced',
        stdio: ['ignore', 'ignore', output, 'ipc'],
        env: { ...(env ?? process.env), ...CHILD_ENV },
      }),
      tasks: 0,
      memory: 0,
      reserved: false,
      job: undefined,
    }
    this.#children.add(child)
    child.process.on('message', (message) => this.#answered(child, message as PoolAnswer))
    child.process.on('exit', (code, signal) => this.#gone(child, code, signal))
    child.process.on('error', () => child.process.kill('SIGKILL'))
    // An idle child keeps nobody alive.
    child.process.unref()
    child.process.channel?.unref()
    return child
  }

  #give(child: Child, task: RasterTask | LookTask, signal: AbortSignal | undefined): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const job: Job = { id: this.#next++, what: whatOf(task), resolve, reject, reason: undefined }
    child.job = job
    child.tasks++
    child.process.ref()
    child.process.channel?.ref()
    this.#watch ??= setInterval(() => void this.#look(), WATCH_MS)
    const onAbort = (): void => {
      job.reason = signal?.reason instanceof AppError ? signal.reason : new AppError('TASK_ABORTED', 'The task was stopped.')
      child.process.kill('SIGKILL')
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    child.process.send({ id: job.id, task, trace: activeTraceparent() } satisfies PoolRequest, (error) => {
      if (error) child.process.kill('SIGKILL')
    })
    return promise.finally(() => signal?.removeEventListener('abort', onAbort))
  }

  #answered(child: Child, answer: PoolAnswer): void {
    const { job } = child
    if (!job || job.id !== answer.id) return
    child.job = undefined
    child.process.unref()
    child.process.channel?.unref()
    if (answer.ok) job.resolve(answer.value)
    else {
      const { code, message, status, retryable, issues } = answer.error
      job.reject(new AppError(code, message, { status, retryable, issues }))
    }
    if (child.tasks < this.#options.tasksPerProcess) this.#handOn(child)
    else {
      // Nobody gets it any more.
      child.reserved = true
      child.process.kill('SIGKILL')
    }
    this.#rest()
  }

  #gone(child: Child, code: number | null, signal: NodeJS.Signals | null): void {
    this.#children.delete(child)
    const { job } = child
    child.job = undefined
    const memory = child.memory > 0 ? ` It held ${Math.round(child.memory / 1e6)} MB when last seen.` : ''
    job?.reject(
      job.reason ??
        new AppError('WORKER_CRASHED', `The process that worked on ${job.what} ended (${signal ?? `code ${code}`}).${memory}`),
    )
    if (this.#waiting.length > 0 && this.#children.size < this.#options.size) this.#handOn(this.#fork())
    this.#rest()
  }

  /** To whoever waits longest. */
  #handOn(child: Child): void {
    const next = this.#children.has(child) ? this.#waiting.shift() : undefined
    if (!next) return
    child.reserved = true
    next.start(child)
  }

  /** Nothing to watch any more. */
  #rest(): void {
    if ([...this.#children].some((c) => c.job)) return
    clearInterval(this.#watch)
    this.#watch = undefined
  }

  async #look(): Promise<void> {
    for (const child of this.#children) {
      const { job } = child
      const { pid } = child.process
      if (!job || pid === undefined) continue
      child.memory = await residentBytes(pid)
      if (child.memory <= this.#options.memoryBytes || child.job !== job) continue
      job.reason = new AppError(
        'WORKER_MEMORY',
        `The process that worked on ${job.what} held ${Math.round(child.memory / 1e6)} MB, more than ${Math.round(this.#options.memoryBytes / 1e6)}, and was ended.`,
      )
      child.process.kill('SIGKILL')
    }
  }
}

const PAGE_BYTES = 4096

/** 0 where the system does not tell. */
async function residentBytes(pid: number): Promise<number> {
  try {
    return Number((await readFile(`/proc/${pid}/statm`, 'latin1')).split(' ')[1]) * PAGE_BYTES
  } catch {
    return 0
  }
}

function whatOf(task: RasterTask | LookTask): string {
  if (task.kind === 'tiles') return `tile x${task.column} y${task.row} of ${task.target.blob}`
  if (task.kind === 'assemble') return `the assembly of ${task.target.blob}`
  return `${task.source.container}/${task.source.blob}`
}
