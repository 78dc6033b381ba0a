// The host's side of the worker: sends invocations, notices its death, starts another one.
import { randomUUID } from 'node:crypto'
import type { InvocationEvent, Log } from '../log.ts'
import { forkWorker, inlineWorker, type WorkerLink } from './link.ts'
import { Outbox } from './outbox.ts'
import type { FromWorker, FunctionMetadata, InvocationRequest, Running } from './protocol.ts'

export type InvocationResult = Extract<FromWorker, { type: 'result' }>
export type InvocationAnswer =
  | Extract<InvocationResult, { ok: true }>
  | (Pick<Extract<InvocationResult, { ok: false }>, 'ok' | 'message' | 'stack'> & { readonly workerDied?: boolean })

export interface ChannelOptions {
  readonly folder: string
  readonly env: NodeJS.ProcessEnv
  readonly inline: boolean
  readonly output: number | undefined
  readonly log: Log
  /** A line that user code or the library wrote, with the function that was running. */
  readonly onLog: (line: Extract<FromWorker, { type: 'log' }>, pending: PendingInvocation | undefined) => void
  /** The event loop stood still while these functions were running. */
  readonly onBlocked: (ms: number, running: readonly Running[]) => void
  /** A worker has loaded the app. */
  readonly onLoaded: (pid: number | undefined) => void
  /** A worker died under these. */
  readonly onDeath: (running: readonly PendingInvocation[]) => void
}

export interface InvocationOptions {
  readonly timeoutMs: number
  /** Why it runs; without one (orchestrators and activities) it is only told with --verbose. */
  readonly reason?: string
  /** Told only when it fails, in a log for people. */
  readonly isTimer?: boolean
  readonly instanceId?: string | undefined
  readonly invocationId?: string
}

export interface PendingInvocation {
  readonly functionId: string
  /** Of orchestrators and activities. */
  readonly instanceId: string | undefined
  readonly request: InvocationRequest
  readonly timer: NodeJS.Timeout | undefined
  readonly done: (answer: InvocationAnswer) => void
}

/** Waits before a new worker after a death, by deaths in a row; a worker that lived for a minute starts the row again. */
const RESTART_MS = [0, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000]
const GOOD_LIFE_MS = 60_000

/** A W3C trace of its own for each invocation: nothing here continues the caller's. */
const newTrace = (): InvocationRequest['traceContext'] => {
  const id = randomUUID().replaceAll('-', '')
  return { traceParent: `00-${id}-${id.slice(16)}-00`, traceState: '', attributes: {} }
}

export class WorkerChannel {
  functions: readonly FunctionMetadata[] = []
  /** Where streamed requests go; undefined: HTTP streaming is off. */
  httpUri: string | undefined
  /** Why a new worker could not load the app. */
  loadError: string | undefined
  readonly #o: ChannelOptions
  readonly #pending = new Map<string, PendingInvocation>()
  readonly #outbox = new Outbox((message, sent) => this.#link?.send(message, sent) ?? true)
  #link: WorkerLink | undefined
  #ready: PromiseWithResolvers<void> = Promise.withResolvers()
  #gone: PromiseWithResolvers<void> = Promise.withResolvers()
  #deaths = 0
  #bornAt = 0
  #stopping = false
  #idle: (() => void) | undefined

  constructor(options: ChannelOptions) {
    this.#o = options
  }

  get pid(): number | undefined {
    return this.#link?.pid
  }

  get running(): readonly PendingInvocation[] {
    return [...this.#pending.values()]
  }

  /** @throws Error when the app cannot be loaded */
  async start(): Promise<void> {
    this.#spawn()
    await this.#ready.promise
  }

  /** Resolves when a worker runs; rejects when the host stops or the app does not load. */
  get ready(): Promise<void> {
    return this.#ready.promise
  }

  /** Runs one function; waits while a new worker starts. A time-out replaces the worker, as on Azure. */
  async invoke(
    functionId: string,
    input: Omit<InvocationRequest, 'invocationId' | 'functionId' | 'traceContext'>,
    options: InvocationOptions,
  ): Promise<InvocationAnswer> {
    try {
      await this.#ready.promise
    } catch (error) {
      return { ok: false, message: error instanceof Error ? error.message : 'no worker', workerDied: true }
    }
    const { timeoutMs, instanceId, reason, isTimer = false, invocationId = randomUUID() } = options
    const request: InvocationRequest = { invocationId, functionId, traceContext: newTrace(), ...input }
    const about = { functionId, invocationId, isTimer }
    const log = (level: string, line: string, phase: Pick<InvocationEvent, 'phase' | 'ok' | 'ms' | 'why'>): void =>
      this.#o.log(level, line, `Function.${functionId}`, { ...about, ...phase })
    const began = Date.now()
    log(
      reason ? 'information' : 'debug',
      `Executing 'Functions.${functionId}' (Reason='${reason ?? instanceId}', Id=${invocationId})`,
      { phase: 'begin' },
    )
    const answer = await new Promise<InvocationAnswer>((done) => {
      const timer = setTimeout(() => this.#timedOut(invocationId, timeoutMs), Math.min(timeoutMs, 2 ** 31 - 1))
      this.#pending.set(invocationId, { functionId, instanceId, request, timer, done })
      this.#outbox.put({ type: 'invoke', request })
    })
    const ms = Date.now() - began
    const end = `(${answer.ok ? 'Succeeded' : 'Failed'}, Id=${invocationId}, Duration=${ms}ms)`
    const why = answer.ok ? '' : answer.message
    log(
      reason ? (answer.ok ? 'information' : 'error') : 'debug',
      `Executed 'Functions.${functionId}' ${end}${why && `: ${why}`}`,
      { phase: 'end', ok: answer.ok, ms, why },
    )
    return answer
  }

  /** SIGTERM first, so that the app stops its long tasks; resolves when nothing runs any more or the grace time is over. */
  async drain(graceMs: number): Promise<readonly PendingInvocation[]> {
    this.#stopping = true
    this.#link?.kill('SIGTERM')
    if (this.#pending.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, graceMs)
        this.#idle = () => (clearTimeout(timer), resolve())
      })
    }
    return this.running
  }

  kill(): void {
    this.#stopping = true
    this.#link?.kill('SIGKILL')
  }

  async stop(): Promise<void> {
    this.#stopping = true
    if (!this.#link) return
    this.#outbox.put({ type: 'terminate' })
    const timer = setTimeout(() => this.#link?.kill('SIGKILL'), 3000)
    await this.#gone.promise
    clearTimeout(timer)
  }

  #spawn(): void {
    this.#bornAt = Date.now()
    const events = {
      onMessage: (message: FromWorker) => this.#receive(message),
      onEnd: (code: number | null, signal: string | null) => this.#died(code, signal),
    }
    const { folder, env, inline, output } = this.#o
    this.#link = inline ? inlineWorker(folder, events) : forkWorker({ folder, env, output }, events)
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'loaded':
        this.functions = message.functions
        this.httpUri = message.httpUri
        this.#o.onLoaded(this.pid)
        this.#ready.resolve()
        return
      case 'loadFailed':
        this.#stopping = true
        this.loadError = message.message
        this.#ready.promise.catch(() => undefined)
        this.#ready.reject(new Error(message.message))
        return
      case 'terminated':
        if (this.#o.inline) this.#gone.resolve()
        return
      case 'blocked':
        return this.#o.onBlocked(message.ms, message.running)
      case 'log':
        return this.#o.onLog(message, this.#pending.get(message.invocationId ?? ''))
      default:
        this.#finish(message.invocationId, message)
    }
  }

  #finish(invocationId: string, answer: InvocationAnswer): void {
    const pending = this.#pending.get(invocationId)
    if (!pending) return
    this.#pending.delete(invocationId)
    clearTimeout(pending.timer)
    pending.done(answer)
    if (this.#pending.size === 0) this.#idle?.()
  }

  #timedOut(invocationId: string, ms: number): void {
    const span = new Date(ms).toISOString().slice(11, 19)
    const name = this.#pending.get(invocationId)?.functionId
    const message = `Timeout value of ${span} was exceeded by function: Functions.${name}`
    this.#o.log('error', message)
    this.#finish(invocationId, { ok: false, message })
    this.#link?.kill('SIGKILL')
  }

  #died(code: number | null, signal: string | null): void {
    const number = code ?? 128
    const { running } = this
    this.#outbox.clear()
    this.#ready = Promise.withResolvers()
    this.#ready.promise.catch(() => undefined)
    if (!this.#stopping) {
      const names = running.map((f) => `${f.functionId}${f.instanceId ? ` (${f.instanceId})` : ''}`)
      this.#o.log('error', `Worker process ended with ${signal ?? code} while running: ${names.join(', ') || 'nothing'}`)
      this.#o.onDeath(running)
    }
    const message = `node exited with code ${number} (0x${number.toString(16).toUpperCase()})`
    for (const { request } of running) this.#finish(request.invocationId, { ok: false, message, workerDied: true })
    if (this.#stopping) return this.#end()
    const wait = RESTART_MS[Math.min(this.#deaths, RESTART_MS.length - 1)] ?? 0
    this.#deaths = Date.now() - this.#bornAt > GOOD_LIFE_MS ? 0 : this.#deaths + 1
    setTimeout(() => (this.#stopping ? this.#end() : this.#spawn()), wait)
  }

  #end(): void {
    this.#ready.reject(new Error(this.loadError ?? 'The worker is stopped.'))
    this.#gone.resolve()
  }
}
