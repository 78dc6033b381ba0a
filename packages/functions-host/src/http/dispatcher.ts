// What a request on the main port is: management API, admin, or a function; with keys, limits and the host's state.
import type { Functions } from '../functions/functions.ts'
import type { WorkerChannel } from '../functions/channel.ts'
import { ANSWERED, type Exchange, json, type Reply } from './exchange.ts'
import { runHttpFunction } from './functions.ts'
import { type Keys, keyOf, opensFunction, sameKey } from './keys.ts'
import { ConcurrencyLimit } from './concurrency-limit.ts'
import { type HttpRoute, matchRoute, type RouteMatch } from './routes.ts'
import type { TypedData } from '../functions/protocol.ts'

export type HostState = 'Starting' | 'Running' | 'Stopping' | 'Error'

export interface DispatcherDeps {
  readonly hostId: string
  readonly state: () => HostState
  readonly uptimeMs: () => number
  readonly functions: Functions
  readonly routePrefix: string
  /** In the host's order. */
  readonly routes: readonly HttpRoute[]
  readonly channel: WorkerChannel
  readonly keys: Keys
  readonly enforceKeys: boolean
  readonly timeoutMs: number
  readonly maxConcurrentRequests: number
  readonly maxOutstandingRequests: number
  readonly clientInputs: (name: string) => { name: string; data: TypedData }[]
  readonly durable: (exchange: Exchange, below: string) => Promise<Reply>
  /** Starts a run of a function that is no HTTP function. */
  readonly runByHand: (name: string) => void
  readonly onNoAnswer: (name: string, why: string) => void
  readonly onRefused: (name: string, why: string) => void
}

const DURABLE = '/runtime/webhooks/durabletask/'
const READY_WAIT_MS = 10_000
const NOT_RUNNING: Reply = { status: 503, body: 'Function host is not running.' }

export class Dispatcher {
  readonly #d: DispatcherDeps
  readonly #limit: ConcurrencyLimit

  constructor(deps: DispatcherDeps) {
    this.#d = deps
    this.#limit = new ConcurrencyLimit(deps.maxConcurrentRequests, deps.maxOutstandingRequests)
  }

  async answer(exchange: Exchange): Promise<Reply> {
    const { path } = exchange
    if (path.toLowerCase().startsWith(DURABLE)) return this.#durable(exchange, path.slice(DURABLE.length))
    if (path.toLowerCase().startsWith('/admin/')) return this.#admin(exchange)
    if (this.#d.state() !== 'Running') return NOT_RUNNING
    if (path === '/' && exchange.method === 'GET') return this.#home()
    const match = matchRoute(this.#d.routes, exchange.method, path)
    return match ? this.#function(exchange, match) : { status: 404 }
  }

  async #function(exchange: Exchange, match: RouteMatch): Promise<Reply> {
    const { name } = match.route
    const level = this.#d.functions.get(name)?.trigger.authLevel ?? 'anonymous'
    if (this.#d.enforceKeys && !opensFunction(this.#d.keys, level, keyOf(exchange.headers, exchange.query)))
      return { status: 401 }
    const place = await this.#limit.take()
    if (!place) return { status: 429 }
    try {
      // Left while it waited.
      if (exchange.raw.outgoing.destroyed) return ANSWERED
      if (!(await this.#workerReady())) return NOT_RUNNING
      const deps = {
        channel: this.#d.channel,
        triggerName: this.#d.functions.triggerName(name),
        extraInputs: this.#d.clientInputs(name),
        timeoutMs: this.#d.timeoutMs,
        onNoAnswer: this.#d.onNoAnswer,
        onRefused: this.#d.onRefused,
      }
      return await runHttpFunction(deps, exchange, match)
    } finally {
      place.leave()
    }
  }

  /** A new worker may be on its way: wait for it, but not for ever. */
  async #workerReady(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), READY_WAIT_MS)))
    const ready = this.#d.channel.ready.then(
      () => true,
      () => false,
    )
    return Promise.race([ready, late]).finally(() => clearTimeout(timer))
  }

  /** The extension's API always wants its key: the system key or the master key; a host key is known, but not enough. */
  #durable(exchange: Exchange, below: string): Promise<Reply> {
    const { keys } = this.#d
    const key = keyOf(exchange.headers, exchange.query)
    if (sameKey(key, keys.host)) return Promise.resolve({ status: 403 })
    if (!sameKey(key, keys.system) && !sameKey(key, keys.master))
      return Promise.resolve({ status: 401, headers: { 'www-authenticate': 'Bearer' } })
    return this.#d.durable(exchange, below)
  }

  async #admin(exchange: Exchange): Promise<Reply> {
    const { method } = exchange
    const path = exchange.path.toLowerCase()
    if (path === '/admin/host/ping' && (method === 'GET' || method === 'POST')) return { status: 200 }
    const refused = this.#d.enforceKeys ? this.#refusedAdmin(keyOf(exchange.headers, exchange.query)) : undefined
    if (refused) return refused
    if (path === '/admin/host/status' && method === 'GET') {
      const { hostId: id } = this.#d
      return json(200, { id, state: this.#d.state(), version: '4.1037.0.0', processUptime: this.#d.uptimeMs() })
    }
    if (path === '/admin/functions' && method === 'GET') return json(200, this.#list())
    const [, name, status] = /^\/admin\/functions\/([^/]+)(\/status)?$/.exec(exchange.path) ?? []
    const known = name === undefined ? undefined : this.#d.functions.get(name)
    if (!known) return { status: 404 }
    if (status && method === 'GET') return json(200, {})
    if (status || method !== 'POST') return { status: 404 }
    return this.#runByHand(exchange, known.metadata.name)
  }

  /** Only the master key opens it; another known key is known, but not enough. */
  #refusedAdmin(key: string | undefined): Reply | undefined {
    const { keys } = this.#d
    if (sameKey(key, keys.master)) return undefined
    if (sameKey(key, keys.host) || sameKey(key, keys.system)) return { status: 403 }
    return { status: 401, headers: { 'www-authenticate': 'Bearer' } }
  }

  async #runByHand(exchange: Exchange, name: string): Promise<Reply> {
    if (!exchange.hasBody) return { status: 400 }
    try {
      JSON.parse((await exchange.body()).toString('utf8'))
    } catch {
      return { status: 400 }
    }
    this.#d.runByHand(name)
    return { status: 202 }
  }

  /** Links to the app's own index, where something answers there. */
  #home(): Reply {
    const index = `/${this.#d.routePrefix}`
    const link = matchRoute(this.#d.routes, 'GET', index) ? `<p><a href="${index}">${index}</a></p>` : ''
    return {
      status: 200,
      headers: { 'content-type': 'text/html' },
      body: `<!doctype html><title>Function host</title><h1>The function host is running</h1><p>${this.#d.functions.names.length} functions are loaded.</p>${link}\n`,
    }
  }

  #list(): object[] {
    const { functions } = this.#d
    return functions.names.map((name) => ({
      name,
      isDisabled: false,
      language: 'node',
      config: { bindings: Object.entries(functions.get(name)?.metadata.bindings ?? {}).map(([n, b]) => ({ name: n, ...b })) },
    }))
  }
}
