// Composition: worker, engine, listeners, timers; readiness and drain.
import { randomBytes } from 'node:crypto'
import { join, resolve } from 'node:path'
import { type Env, type HostConfig, isDisabled, readHostConfig } from './config.ts'
import { clientPayload } from './durable/api/payloads.ts'
import { armTimer, seeded } from './durable/clock.ts'
import { Engine } from './durable/engine.ts'
import type { CodeAnswer } from './durable/answers.ts'
import { otherVersion } from './durable/versions.ts'
import { type ChannelOptions, type PendingInvocation, WorkerChannel } from './functions/channel.ts'
import { DeathWatch } from './functions/death-watch.ts'
import { Functions } from './functions/functions.ts'
import { isInterval, parseSchedule } from './functions/schedule.ts'
import { Timers } from './functions/timers.ts'
import { answerDurable } from './http/durable.ts'
import type { Exchange, Reply } from './http/exchange.ts'
import { Dispatcher, type HostState } from './http/dispatcher.ts'
import { readKeys } from './http/keys.ts'
import { findOverlaps } from './http/overlaps.ts'
import { type HttpRoute, httpRoute, inHostOrder } from './http/routes.ts'
import { isLoopback, type Listener, listen } from './http/server.ts'
import { Invocations } from './invocations.ts'
import { filterLog, type Log } from './log.ts'
import { type TrapMode, Traps } from './traps.ts'

export interface HostOptions {
  /** Folder with package.json and host.json. */
  readonly folder: string
  /** 0: any free port. */
  readonly port: number
  readonly host?: string
  readonly log: Log
  readonly env?: Env
  readonly graceMs?: number
  /** Draws batch sizes of the engine: any seed must give the same outcome. */
  readonly seed?: number
  /** Caps the batch size of the engine. */
  readonly maxBatch?: number
  /** User code in this process instead of one of its own. */
  readonly inline?: boolean
  /** File descriptor for everything that workers print themselves; default: this process's own output. */
  readonly output?: number
  readonly enforceKeys?: boolean
  readonly traps?: TrapMode
  /** Only these functions. */
  readonly only?: readonly string[]
  /** Folder for keys.json and timers.json; undefined: neither outlives this run. */
  readonly stateFolder?: string
  /** Called with the process id of each worker that has loaded the app. */
  readonly onWorker?: (pid: number | undefined) => void
  /** Sees every replay: what the orchestrator was called with and what it answered. */
  readonly onReplay?: (instanceId: string, payload: string, answer: CodeAnswer) => void
}

const MAX_BODY = 104_857_600

/** Loads the app and listens. @throws Error with a sentence for the terminal */
export async function startHost(options: HostOptions): Promise<Host> {
  const env = options.env ?? process.env
  // The worker runs in this folder, so a relative one would mean another there.
  const folder = resolve(options.folder)
  const host = new Host({ ...options, folder }, readHostConfig(folder, env), env)
  try {
    await host.open()
    return host
  } catch (error) {
    await host.stop()
    throw error
  }
}

/** A running host. */
export class Host {
  readonly #o: HostOptions
  readonly #config: HostConfig
  readonly #env: Env
  readonly #log: Log
  readonly #traps: Traps
  readonly #deaths: DeathWatch
  readonly #channel: WorkerChannel
  readonly #engine: Engine
  readonly #keys
  readonly id = randomBytes(16).toString('hex')
  readonly #started = Date.now()
  readonly #listeners: Listener[] = []
  #functions: Functions | undefined
  #invocations: Invocations | undefined
  #timers: Timers | undefined
  #state: HostState = 'Starting'
  #origin = ''
  #rpcBaseUrl = ''

  constructor(options: HostOptions, config: HostConfig, env: Env) {
    this.#o = options
    this.#config = config
    this.#env = env
    this.#log = filterLog(options.log, config.logLevels)
    this.#traps = new Traps(options.traps ?? 'warn', this.#log)
    this.#deaths = new DeathWatch((fn, id, detail) => this.#traps.report('worker.death-loop', fn, id, detail))
    this.#keys = readKeys(options.stateFolder && join(options.stateFolder, 'keys.json'))
    this.#channel = new WorkerChannel(this.#channelOptions())
    this.#engine = this.#makeEngine()
  }

  get url(): string {
    return this.#origin
  }

  get rpcUrl(): string {
    return this.#rpcBaseUrl
  }

  get keys(): { readonly master: string; readonly host: string; readonly system: string } {
    return this.#keys
  }

  get functions(): Functions {
    if (!this.#functions) throw new Error('The host has not loaded its app yet.')
    return this.#functions
  }

  get workerPid(): number | undefined {
    return this.#channel.pid
  }

  /** Name, trigger type and, of HTTP functions, methods and address, of each function. */
  describe(): { name: string; kind: string; methods: readonly string[]; url?: string }[] {
    const { functions } = this
    return functions.names.map((name) => {
      const fn = functions.get(name)
      const kind = fn?.trigger.type ?? ''
      if (!fn || kind !== 'httpTrigger') return { name, kind, methods: [] }
      const { methods, template } = httpRoute(fn.metadata, fn.trigger, this.#config.routePrefix)
      return { name, kind, methods, url: `${this.#origin}/${template}` }
    })
  }

  status(): HostState {
    return this.#channel.loadError ? 'Error' : this.#state
  }

  /** Loads the app, opens both listeners, starts the timers. */
  async open(): Promise<void> {
    for (const line of this.#config.warnings) this.#log('warning', line)
    await this.#channel.start()
    const functions = this.#loadFunctions()
    const timers = new Timers((name, input) => this.#invoked.timer(name, input), this.#log, this.#stateFile('timers.json'))
    // Read before anything listens: a broken schedule ends the start.
    const specs = functions.ofType('timertrigger').map(({ metadata: { name }, trigger }) => ({
      name,
      cron: !isInterval(trigger.schedule ?? ''),
      next: parseSchedule(trigger.schedule ?? '', this.#env),
      runOnStartup: trigger.runOnStartup ?? false,
      useMonitor: trigger.useMonitor ?? true,
    }))
    const dispatcher = this.#makeDispatcher(functions, timers)
    await this.#listen(dispatcher)
    this.#timers = timers
    this.#state = 'Running'
    timers.start(specs)
  }

  /** Stops dispatching, drains the worker, closes the ports; answers with what was cut off. */
  async stop(): Promise<readonly PendingInvocation[]> {
    this.#state = 'Stopping'
    this.#timers?.stop()
    this.#engine.stop()
    const cut = await this.#channel.drain(this.#o.graceMs ?? 10_000)
    await this.#channel.stop()
    await Promise.all(this.#listeners.map((l) => l.close()))
    for (const line of this.#traps.summary()) this.#log('warning', line)
    return cut
  }

  /** Ends at once, as a crash would: nothing is drained. */
  async kill(): Promise<void> {
    this.#engine.stop()
    this.#timers?.stop()
    this.#channel.kill()
    await Promise.all(this.#listeners.map((l) => l.close()))
  }

  #stateFile(name: string): string | undefined {
    return this.#o.stateFolder && join(this.#o.stateFolder, name)
  }

  get #invoked(): Invocations {
    if (!this.#invocations) throw new Error('The host has not loaded its app yet.')
    return this.#invocations
  }

  #channelOptions(): ChannelOptions {
    const { folder, inline = false, output } = this.#o
    return {
      folder,
      inline,
      output,
      env: this.#env as NodeJS.ProcessEnv,
      log: this.#log,
      onLog: ({ level, message, category }, pending) => {
        const instanceId = pending?.instanceId
        const payload = pending?.request.inputData[0]?.data.string
        if (pending && instanceId && this.#functions?.has(pending.functionId, 'orchestrationtrigger'))
          this.#traps.orchestratorLog(pending.functionId, instanceId, payload?.includes('"isReplaying":true') ?? false, message)
        const where = pending
          ? `[${pending.functionId}${instanceId ? ` ${instanceId}` : ''} ${pending.request.invocationId}] `
          : ''
        this.#log(level, `${where}${message}`, pending ? `Function.${pending.functionId}.User` : `Worker.${category}`)
      },
      onBlocked: (ms, running) => {
        for (const { functionId, instanceId } of running)
          this.#traps.report('trap.blocked-loop', functionId, instanceId, `the event loop stood still for ${ms} ms`)
      },
      onLoaded: (pid) => this.#o.onWorker?.(pid),
      onDeath: (running) => this.#deaths.died(running),
    }
  }

  #loadFunctions(): Functions {
    this.#functions = new Functions(this.#channel.functions, {
      lenient: this.#env['LHOST_UNSUPPORTED'] === 'warn',
      only: this.#o.only ?? [],
      isDisabled: (name) => isDisabled(name, this.#env),
      warn: (message) => this.#log('warning', message),
    })
    this.#invocations = new Invocations({
      functions: this.#functions,
      channel: this.#channel,
      timeoutMs: this.#config.functionTimeoutMs,
      clientPayload: () =>
        clientPayload({ origin: this.#origin, hub: this.#config.hubName, code: this.#keys.system }, this.#rpcBaseUrl),
      isStopping: () => this.#state === 'Stopping',
    })
    return this.#functions
  }

  #makeEngine(): Engine {
    const { maxActivities, maxOrchestrators, maxActions, maxBatch, versioning } = this.#config
    const random = this.#o.seed === undefined ? undefined : seeded(this.#o.seed)
    return new Engine({
      runOrchestrator: async (name, id, payload) => {
        const answer = await this.#invoked.orchestrator(name, id, payload)
        this.#o.onReplay?.(id, payload, answer)
        return answer
      },
      runActivity: (name, id, input) => this.#invoked.activity(name, id, input),
      orchestrators: () => this.#functions?.ofType('orchestrationtrigger').map((f) => f.metadata.name) ?? [],
      hasActivity: (name) => this.#functions?.has(name, 'activitytrigger') ?? false,
      now: Date.now,
      setTimer: armTimer,
      maxActivities,
      maxOrchestrators,
      maxActions,
      maxBatch: Math.min(maxBatch, this.#o.maxBatch ?? maxBatch),
      versioning,
      onOtherVersion: (instance) => this.#log('warning', otherVersion(instance, versioning)),
      onTrap: (code, fn, id, detail) => this.#traps.report(code, fn, id, detail),
      onExecutionEnd: (instance) => this.#traps.executionEnded(instance, maxActivities),
      ...(random ? { batchSize: (available: number) => 1 + Math.floor(random() * available) } : {}),
    })
  }

  #makeDispatcher(functions: Functions, timers: Timers): Dispatcher {
    const { routePrefix, functionTimeoutMs, maxConcurrentRequests, maxOutstandingRequests } = this.#config
    return new Dispatcher({
      hostId: this.id,
      state: () => this.status(),
      uptimeMs: () => Date.now() - this.#started,
      functions,
      routes: this.#routes(functions),
      routePrefix,
      channel: this.#channel,
      keys: this.#keys,
      enforceKeys: this.#o.enforceKeys ?? false,
      timeoutMs: functionTimeoutMs,
      maxConcurrentRequests,
      maxOutstandingRequests,
      clientInputs: (name) => this.#invoked.clientInputs(name),
      durable: (exchange, below) => this.#durable(exchange, below, false),
      runByHand: (name) => this.#runByHand(name, timers),
      onNoAnswer: (name, why) => this.#traps.report('trap.http-throw', name, 'http', why),
      onRefused: (name, why) => this.#traps.report('trap.http-hang', name, 'http', why),
    })
  }

  /** In the order in which they are asked; what stands in another's way is said once per route that answers. */
  #routes(functions: Functions): HttpRoute[] {
    const all = functions.ofType('httptrigger')
    const routes = inHostOrder(all.map((f) => httpRoute(f.metadata, f.trigger, this.#config.routePrefix)))
    const overlaps = findOverlaps(routes)
    for (const winner of new Set(overlaps.map((o) => o.winner))) {
      const losers = overlaps.filter((o) => o.winner === winner)
      const { method = '', path = '', loser } = losers[0] ?? {}
      const names = losers.map((o) => o.loser.name).join(', ')
      const detail = `it answers in place of ${names}, because its name sorts first: ${method} ${path} never reaches ${loser?.name}`
      this.#traps.report('trap.route-overlap', winner.name, winner.template, detail)
    }
    return routes
  }

  #runByHand(name: string, timers: Timers): void {
    if (!this.functions.has(name, 'timertrigger')) return
    this.#invoked
      .timer(name, timers.inputOf(name))
      .catch((error: Error) => this.#log('error', `Timer function ${name}, run by hand: ${error.message}`))
  }

  async #listen(dispatcher: Dispatcher): Promise<void> {
    const { port, host = '127.0.0.1', log } = this.#o
    if (!isLoopback(host) && !this.#o.enforceKeys)
      throw new Error(`--host ${host} would let other machines call every function of this app. Start with --enable-auth too.`)
    if (!isLoopback(host)) log('warning', `--host ${host} lets other machines call this app, with its keys.`)
    const bodyLimit = Number(this.#env['FUNCTIONS_REQUEST_BODY_SIZE_LIMIT']) || MAX_BODY
    const answer = (exchange: Exchange): Promise<Reply> => {
      // Set first, so that the answer's own header of that name wins.
      for (const [name, value] of Object.entries(this.#config.customHeaders)) exchange.raw.outgoing.setHeader(name, value)
      return dispatcher.answer(exchange)
    }
    const main = await listen(answer, { port, host, bodyLimit, log })
    this.#listeners.push(main)
    // A random path, so that a web page cannot reach the port that needs no key.
    const root = `/${this.id}/durabletask/`
    const rpc = await listen(
      (x) => (x.path.startsWith(root) ? this.#durable(x, x.path.slice(root.length), true) : Promise.resolve({ status: 404 })),
      { port: 0, host: '127.0.0.1', bodyLimit: Number.POSITIVE_INFINITY, log },
    )
    this.#listeners.push(rpc)
    this.#origin = `http://localhost:${main.port}`
    this.#rpcBaseUrl = `http://127.0.0.1:${rpc.port}${root}`
  }

  #durable(exchange: Exchange, below: string, rpc: boolean): Promise<Reply> {
    return answerDurable(this.#engine, exchange, below, { hub: this.#config.hubName, key: this.#keys.system, rpc })
  }
}
