// Composition: worker, engine, listeners, timers; readiness and drain.
import { randomBytes } from 'node:crypto'
import { type HostConfig, readHostConfig } from './config.ts'
import { manage } from './durable/api/management.ts'
import { clientPayload, type HubAddress } from './durable/api/payloads.ts'
import type { CodeAnswer } from './durable/answers.ts'
import { Engine } from './durable/engine.ts'
import { armTimer, seeded } from './durable/clock.ts'
import { WorkerChannel } from './functions/channel.ts'
import { Functions } from './functions/functions.ts'
import { type TypedData, valueOf } from './functions/protocol.ts'
import { parseSchedule, Timers } from './functions/timers.ts'
import { type Exchange, json, type Reply } from './http/exchange.ts'
import { runHttpFunction } from './http/functions.ts'
import { type HttpRoute, httpRoute, matchRoute } from './http/routes.ts'
import { type Listener, listen } from './http/server.ts'
import type { Log } from './log.ts'

export interface HostOptions {
  /** Folder with package.json and host.json. */
  readonly folder: string
  /** 0: any free port. */
  readonly port: number
  readonly host?: string
  readonly log: Log
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly graceMs?: number
  /** Draws batch sizes of the engine: any seed must give the same outcome. */
  readonly seed?: number
}

const MAX_BODY = 104_857_600
const DURABLE = '/runtime/webhooks/durabletask/'
const NO_STATUS = { Schedule: { AdjustForDST: true }, ScheduleStatus: null, IsPastDue: false }

/** Loads the app and listens. @throws Error with a sentence for the terminal */
export async function startHost(options: HostOptions): Promise<Host> {
  const env = options.env ?? process.env
  const config = readHostConfig(options.folder, env)
  const channel = new WorkerChannel(options.folder, options.log)
  await channel.start()
  try {
    const host = new Host(options, config, channel, env)
    await host.open()
    return host
  } catch (error) {
    await channel.stop()
    throw error
  }
}

/** A running host. */
export class Host {
  readonly functions: Functions
  readonly #options: HostOptions
  readonly #config: HostConfig
  readonly #channel: WorkerChannel
  readonly #engine: Engine
  readonly #routes: readonly HttpRoute[]
  readonly #timers: Timers
  readonly #env: Readonly<Record<string, string | undefined>>
  readonly #id = randomBytes(16).toString('hex')
  readonly #started = Date.now()
  readonly #listeners: Listener[] = []
  #state: 'Starting' | 'Running' | 'Stopping' = 'Starting'
  #address: HubAddress
  #rpcBaseUrl = ''

  constructor(
    options: HostOptions,
    config: HostConfig,
    channel: WorkerChannel,
    env: Readonly<Record<string, string | undefined>>,
  ) {
    this.#options = options
    this.#config = config
    this.#channel = channel
    this.#env = env
    this.functions = new Functions(channel.functions)
    this.#address = { origin: '', hub: config.hubName, code: randomBytes(20).toString('base64url') }
    this.#routes = this.functions.ofType('httptrigger').map((f) => httpRoute(f.metadata, f.trigger, config.routePrefix))
    this.#timers = new Timers((name, input) => this.#runTimer(name, input), options.log)
    this.#engine = this.#makeEngine()
  }

  get url(): string {
    return this.#address.origin
  }

  get workerPid(): number | undefined {
    return this.#channel.pid
  }

  /** Opens both listeners, then starts the timers. */
  async open(): Promise<void> {
    const { log, port, host = '127.0.0.1' } = this.#options
    const specs = this.functions.ofType('timertrigger').map(({ metadata: { name }, trigger }) => ({
      name,
      schedule: trigger.schedule ?? '',
      runOnStartup: trigger.runOnStartup ?? false,
      next: parseSchedule(trigger.schedule ?? '', this.#env),
    }))
    const main = await listen((x) => this.#front(x), { port, host, bodyLimit: MAX_BODY, log })
    this.#listeners.push(main)
    // A random path, so that a web page cannot reach the port that needs no key.
    const root = `/${this.#id}/durabletask/`
    const rpc = await listen(
      (x) => (x.path.startsWith(root) ? this.#durable(x, x.path.slice(root.length)) : Promise.resolve({ status: 404 })),
      {
        port: 0,
        host: '127.0.0.1',
        bodyLimit: Number.POSITIVE_INFINITY,
        log,
      },
    )
    this.#listeners.push(rpc)
    this.#address = { ...this.#address, origin: `http://localhost:${main.port}` }
    this.#rpcBaseUrl = `http://127.0.0.1:${rpc.port}${root}`
    this.#state = 'Running'
    this.#timers.start(specs)
  }

  /** Stops dispatching, drains the worker, closes the ports; answers with what was cut off. */
  async stop(): Promise<readonly string[]> {
    this.#state = 'Stopping'
    this.#timers.stop()
    this.#engine.stop()
    const cut = await this.#channel.drain(this.#options.graceMs ?? 10_000)
    await this.#channel.stop()
    await Promise.all(this.#listeners.map((l) => l.close()))
    return cut
  }

  #makeEngine(): Engine {
    const { maxActivities, maxOrchestrators, maxBatch, defaultVersion } = this.#config
    const random = this.#options.seed === undefined ? undefined : seeded(this.#options.seed)
    return new Engine({
      runOrchestrator: (name, payload) => this.#runOrchestrator(name, payload),
      runActivity: (name, instanceId, input) => this.#runActivity(name, instanceId, input),
      hasOrchestrator: (name) => this.functions.has(name, 'orchestrationtrigger'),
      hasActivity: (name) => this.functions.has(name, 'activitytrigger'),
      now: Date.now,
      setTimer: armTimer,
      maxActivities,
      maxOrchestrators,
      maxBatch,
      defaultVersion,
      ...(random ? { batchSize: (available: number) => 1 + Math.floor(random() * available) } : {}),
    })
  }

  async #runOrchestrator(name: string, payload: string): Promise<CodeAnswer> {
    for (;;) {
      const answer = await this.#invoke(name, { string: payload }, {})
      if (answer.ok) return { ok: true, value: valueOf(answer.returnValue) }
      // Died with its worker: dispatched again, replays are free of effects.
      if (!answer.workerDied || this.#state === 'Stopping') return answer
    }
  }

  async #runActivity(name: string, instanceId: string, input: unknown): Promise<CodeAnswer> {
    const data: TypedData =
      input === undefined || input === null ? {} : { string: typeof input === 'string' ? input : JSON.stringify(input) }
    const answer = await this.#invoke(name, data, { instanceId: { string: instanceId } })
    return answer.ok ? { ok: true, value: valueOf(answer.returnValue) } : answer
  }

  async #runTimer(name: string, input: object): Promise<void> {
    const answer = await this.#invoke(
      name,
      { json: JSON.stringify(input) },
      { TimerTrigger: { string: new Date().toISOString() } },
    )
    if (!answer.ok) throw new Error(answer.message)
  }

  #invoke(name: string, data: TypedData, metadata: Record<string, TypedData>): ReturnType<WorkerChannel['invoke']> {
    const binding = this.functions.triggerName(name)
    const inputData = [{ name: binding, data }, ...this.#clientInputs(name)]
    return this.#channel.invoke(
      name,
      { inputData, triggerMetadata: { ...metadata, [binding]: data } },
      this.#config.functionTimeoutMs,
    )
  }

  /** The durable client's input for each of a function's bindings of that type. */
  #clientInputs(name: string): { name: string; data: TypedData }[] {
    return this.functions
      .bindingsOf(name, 'durableclient')
      .map((binding) => ({ name: binding, data: { string: clientPayload(this.#address, this.#rpcBaseUrl) } }))
  }

  async #front(exchange: Exchange): Promise<Reply> {
    if (exchange.path.startsWith(DURABLE)) {
      if (exchange.query.get('code') !== this.#address.code) return { status: 401, headers: { 'www-authenticate': 'Bearer' } }
      return this.#durable(exchange, exchange.path.slice(DURABLE.length))
    }
    if (exchange.path.startsWith('/admin/')) return this.#admin(exchange)
    if (this.#state !== 'Running') return { status: 503, body: 'Function host is not running.' }
    const match = matchRoute(this.#routes, exchange.method, exchange.path)
    if (!match) return { status: 404 }
    const { name } = match.route
    const deps = {
      channel: this.#channel,
      triggerName: this.functions.triggerName(name),
      extraInputs: this.#clientInputs(name),
      timeoutMs: this.#config.functionTimeoutMs,
    }
    return runHttpFunction(deps, exchange, match)
  }

  async #durable(exchange: Exchange, below: string): Promise<Reply> {
    const answer = await manage(this.#engine, this.#address, {
      method: exchange.method,
      path: below.split('/').filter(Boolean).map(decodeURIComponent),
      query: exchange.query,
      href: exchange.url.href,
      body: async () => (exchange.hasBody ? (await exchange.body()).toString('utf8') : ''),
    })
    return answer.body === undefined
      ? { status: answer.status, headers: answer.headers ?? {} }
      : json(answer.status, answer.body, answer.headers)
  }

  #admin(exchange: Exchange): Promise<Reply> {
    const answer = (reply: Reply): Promise<Reply> => Promise.resolve(reply)
    if (exchange.path === '/admin/host/status') {
      return answer(
        json(200, { id: this.#id, state: this.#state, version: '4.1037.0.0', processUptime: Date.now() - this.#started }),
      )
    }
    if (exchange.path === '/admin/host/ping') return answer({ status: 200 })
    const timer = /^\/admin\/functions\/([^/]+)$/.exec(exchange.path)?.[1]
    if (exchange.method !== 'POST' || !timer || !this.functions.has(timer, 'timertrigger')) return answer({ status: 404 })
    this.#runTimer(timer, NO_STATUS).catch((error: Error) =>
      this.#options.log('error', `Executed 'Functions.${timer}' (Failed): ${error.message}`),
    )
    return answer({ status: 202 })
  }
}
