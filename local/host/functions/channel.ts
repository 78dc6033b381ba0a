// The host's side of the worker: starts it, sends invocations, notices its death and starts another one.
import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import type { Log } from '../log.ts'
import type { FromWorker, FunctionMetadata, InvocationRequest, ToWorker, TypedData } from './protocol.ts'

export type InvocationAnswer =
  | { readonly ok: true; readonly returnValue: TypedData | null | undefined }
  | { readonly ok: false; readonly message: string; readonly stack?: string | undefined; readonly workerDied?: boolean }

/** Waits before a new worker after a death, by deaths in a row; a worker that lived for a minute starts the row again. */
const RESTART_MS = [0, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000]
const GOOD_LIFE_MS = 60_000

interface Flight {
  readonly request: InvocationRequest
  readonly timer: NodeJS.Timeout | undefined
  readonly done: (answer: InvocationAnswer) => void
}

export class WorkerChannel {
  functions: readonly FunctionMetadata[] = []
  readonly #folder: string
  readonly #log: Log
  readonly #flights = new Map<string, Flight>()
  #child: ChildProcess | undefined
  #ready: PromiseWithResolvers<void> = Promise.withResolvers()
  #deaths = 0
  #bornAt = 0
  #stopping = false
  #gone: PromiseWithResolvers<void> = Promise.withResolvers()

  constructor(folder: string, log: Log) {
    this.#folder = folder
    this.#log = log
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** @throws Error when the app cannot be loaded */
  async start(): Promise<void> {
    this.#spawn()
    await this.#ready.promise
  }

  /** Runs one function in the worker; waits while a new worker starts. A time-out replaces the worker, as on Azure. */
  async invoke(
    functionId: string,
    input: Pick<InvocationRequest, 'inputData' | 'triggerMetadata'>,
    timeoutMs?: number,
  ): Promise<InvocationAnswer> {
    await this.#ready.promise
    const request: InvocationRequest = { invocationId: randomUUID(), functionId, ...input }
    return new Promise((done) => {
      const timer = timeoutMs === undefined ? undefined : setTimeout(() => this.#timedOut(functionId, timeoutMs), timeoutMs)
      this.#flights.set(request.invocationId, { request, timer, done })
      this.#send({ type: 'invoke', request })
    })
  }

  /** SIGTERM first, so that the app stops its long tasks; resolves when nothing runs any more or the grace time is over. */
  async drain(graceMs: number): Promise<string[]> {
    this.#stopping = true
    this.#child?.kill('SIGTERM')
    const deadline = Date.now() + graceMs
    while (this.#flights.size > 0 && Date.now() < deadline) await new Promise((r) => setTimeout(r, 25))
    return [...this.#flights.values()].map((f) => f.request.functionId)
  }

  async stop(): Promise<void> {
    this.#stopping = true
    if (!this.#child || this.#child.exitCode !== null) return
    this.#send({ type: 'terminate' })
    const timer = setTimeout(() => this.#child?.kill('SIGKILL'), 3000)
    await this.#gone.promise
    clearTimeout(timer)
  }

  #send(message: ToWorker): void {
    if (this.#child?.connected) this.#child.send(message)
  }

  #spawn(): void {
    this.#bornAt = Date.now()
    const child = fork(new URL('./worker.ts', import.meta.url), [this.#folder], {
      cwd: this.#folder,
      serialization: 'advanced',
      execArgv: ['--enable-source-maps'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#child = child
    child.on('message', (message: FromWorker) => this.#receive(message))
    child.once('exit', (code, signal) => this.#died(code, signal))
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'loaded':
        this.functions = message.functions
        this.#ready.resolve()
        return
      case 'loadFailed':
        this.#stopping = true
        this.#ready.reject(new Error(message.message))
        return
      case 'log':
        this.#log(message.level, message.message)
        return
      default: {
        const flight = this.#flights.get(message.invocationId)
        this.#flights.delete(message.invocationId)
        clearTimeout(flight?.timer)
        flight?.done(message)
      }
    }
  }

  #timedOut(functionId: string, ms: number): void {
    const span = new Date(ms).toISOString().slice(11, 19)
    this.#log('error', `Timeout value of ${span} was exceeded by function: Functions.${functionId}`)
    this.#fail(`Timeout value of ${span} was exceeded by function: Functions.${functionId}`, functionId)
    this.#child?.kill('SIGKILL')
  }

  #fail(message: string, only?: string): void {
    for (const [id, flight] of this.#flights) {
      if (only !== undefined && flight.request.functionId !== only) continue
      this.#flights.delete(id)
      clearTimeout(flight.timer)
      flight.done({ ok: false, message, workerDied: true })
    }
  }

  #died(code: number | null, signal: NodeJS.Signals | null): void {
    const number = code ?? 128
    const running = [...this.#flights.values()].map((f) => f.request.functionId)
    if (!this.#stopping)
      this.#log('error', `Worker process ended with ${signal ?? code} while running: ${running.join(', ') || 'nothing'}`)
    this.#fail(`node exited with code ${number} (0x${number.toString(16).toUpperCase()})`)
    if (this.#stopping) {
      this.#ready.promise.catch(() => undefined)
      this.#ready.reject(new Error('The worker is stopped.'))
      this.#gone.resolve()
      return
    }
    this.#deaths = Date.now() - this.#bornAt > GOOD_LIFE_MS ? 0 : this.#deaths + 1
    this.#ready = Promise.withResolvers()
    this.#ready.promise.catch(() => undefined)
    setTimeout(
      () => {
        if (!this.#stopping) this.#spawn()
        else this.#gone.resolve()
      },
      RESTART_MS[Math.min(this.#deaths, RESTART_MS.length - 1)],
    )
  }
}
