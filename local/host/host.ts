// Composition: worker, engine, listeners, timers; readiness and drain.
import { randomBytes } from 'node:crypto'
import { readHostConfig } from './config.ts'
import { manage } from './durable/api/management.ts'
import { clientPayload, type HubAddress } from './durable/api/payloads.ts'
import type { CodeAnswer } from './durable/answers.ts'
import { Engine } from './durable/engine.ts'
import { WorkerChannel } from './functions/channel.ts'
import type { Binding, FunctionMetadata, TypedData } from './functions/protocol.ts'
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

export interface Host {
  readonly url: string
  readonly functions: readonly FunctionMetadata[]
  readonly workerPid: () => number | undefined
  /** Stops dispatching, drains the worker, closes the ports; answers with what was cut off. */
  stop(): Promise<readonly string[]>
}

const MAX_BODY = 104_857_600
const DURABLE = '/runtime/webhooks/durabletask/'

const triggerOf = (fn: FunctionMetadata): [string, Binding] =>
  Object.entries(fn.bindings).find(([, b]) => /trigger$/i.test(b.type)) ?? ['', { type: 'none', direction: 'in' }]
const SUPPORTED = new Set(['httptrigger', 'http', 'timertrigger', 'orchestrationtrigger', 'activitytrigger', 'durableclient'])

/** Loads the app and listens. @throws Error with a sentence for the terminal */
export async function startHost(options: HostOptions): Promise<Host> {
  const env = options.env ?? process.env
  const config = readHostConfig(options.folder, env)
  const { log } = options
  const channel = new WorkerChannel(options.folder, log)
  await channel.start()
  const functions = channel.functions
  refuseUnsupported(functions)
  const byKind = (type: string): FunctionMetadata[] => functions.filter((f) => triggerOf(f)[1].type.toLowerCase() === type)
  const names = (type: string): ReadonlySet<string> => new Set(byKind(type).map((f) => f.name.toLowerCase()))
  const [orchestrators, activities] = [names('orchestrationtrigger'), names('activitytrigger')]
  const triggers = new Map(functions.map((f) => [f.name.toLowerCase(), triggerOf(f)[0]]))
  const triggerName = (name: string): string => triggers.get(name.toLowerCase()) ?? ''
  const random = options.seed === undefined ? undefined : seeded(options.seed)
  const engine = new Engine({
    runOrchestrator: (name, payload) => call(name, [{ name: triggerName(name), data: { string: payload } }], {}),
    runActivity: (name, instanceId, input) => runActivity(name, instanceId, input),
    hasOrchestrator: (name) => orchestrators.has(name.toLowerCase()),
    hasActivity: (name) => activities.has(name.toLowerCase()),
    now: Date.now,
    setTimer: armTimer,
    maxActivities: config.maxActivities,
    maxOrchestrators: config.maxOrchestrators,
    maxBatch: config.maxBatch,
    defaultVersion: config.defaultVersion,
    ...(random ? { batchSize: (available: number) => 1 + Math.floor(random() * available) } : {}),
  })
  const routes = byKind('httptrigger').map((f): HttpRoute => httpRoute(f, triggerOf(f)[1], config.routePrefix))
  const secret = randomBytes(16).toString('hex')
  const state = {
    name: 'Starting' as 'Starting' | 'Running' | 'Stopping',
    address: { origin: '', hub: config.hubName, code: randomBytes(20).toString('base64url') } as HubAddress,
    rpcBaseUrl: '',
  }
  const started = Date.now()

  const clientInputs = (name: string): { name: string; data: TypedData }[] => {
    const fn = functions.find((f) => f.name.toLowerCase() === name.toLowerCase())
    const clients = Object.entries(fn?.bindings ?? {}).filter(([, b]) => b.type.toLowerCase() === 'durableclient')
    return clients.map(([binding]) => ({ name: binding, data: { string: clientPayload(state.address, state.rpcBaseUrl) } }))
  }

  async function call(
    name: string,
    inputData: { name: string; data: TypedData }[],
    triggerMetadata: Record<string, TypedData>,
  ): Promise<CodeAnswer> {
    const answer = await channel.invoke(name, { inputData, triggerMetadata }, config.functionTimeoutMs)
    if (answer.ok) return { ok: true, value: valueOf(answer.returnValue) }
    // An orchestrator's invocation that died with its worker is dispatched again by the caller's next try.
    if (answer.workerDied && orchestrators.has(name.toLowerCase()) && state.name !== 'Stopping')
      return call(name, inputData, triggerMetadata)
    return { ok: false, message: answer.message, stack: answer.stack }
  }

  function runActivity(name: string, instanceId: string, input: unknown): Promise<CodeAnswer> {
    const data: TypedData =
      input === undefined || input === null ? {} : { string: typeof input === 'string' ? input : JSON.stringify(input) }
    const binding = triggerName(name)
    return call(name, [{ name: binding, data }, ...clientInputs(name)], { instanceId: { string: instanceId }, [binding]: data })
  }

  async function durable(exchange: Exchange, below: string): Promise<Reply> {
    const [kind = '', ...rest] = below.split('/').filter(Boolean).map(decodeURIComponent)
    const answer = await manage(engine, state.address, {
      method: exchange.method,
      path: [kind, ...rest],
      query: exchange.query,
      href: exchange.url.href,
      body: async () => (exchange.hasBody ? (await exchange.body()).toString('utf8') : ''),
    })
    return answer.body === undefined
      ? { status: answer.status, headers: answer.headers ?? {} }
      : json(answer.status, answer.body, answer.headers)
  }

  async function front(exchange: Exchange): Promise<Reply> {
    if (exchange.path.startsWith(DURABLE)) {
      if (exchange.query.get('code') !== state.address.code) return { status: 401, headers: { 'www-authenticate': 'Bearer' } }
      return durable(exchange, exchange.path.slice(DURABLE.length))
    }
    if (exchange.path.startsWith('/admin/')) return admin(exchange)
    if (state.name !== 'Running') return { status: 503, body: 'Function host is not running.' }
    const match = matchRoute(routes, exchange.method, exchange.path)
    if (!match) return { status: 404 }
    return runHttpFunction(
      { channel, extraInputs: clientInputs, triggerName, timeoutMs: config.functionTimeoutMs },
      exchange,
      match,
    )
  }

  async function admin(exchange: Exchange): Promise<Reply> {
    if (exchange.path === '/admin/host/status')
      return json(200, { id: secret, state: state.name, version: '4.1037.0.0', processUptime: Date.now() - started })
    if (exchange.path === '/admin/host/ping') return { status: 200 }
    const timer = /^\/admin\/functions\/([^/]+)$/.exec(exchange.path)?.[1]
    if (exchange.method === 'POST' && timer && timerNames.has(timer.toLowerCase())) {
      void runTimer(timer, { Schedule: { AdjustForDST: true }, ScheduleStatus: null, IsPastDue: false })
      return { status: 202 }
    }
    return { status: 404 }
  }

  const runTimer = async (name: string, input: object): Promise<void> => {
    const answer = await channel.invoke(
      name,
      {
        inputData: [{ name: triggerName(name), data: { json: JSON.stringify(input) } }, ...clientInputs(name)],
        triggerMetadata: { TimerTrigger: { string: new Date().toISOString() } },
      },
      config.functionTimeoutMs,
    )
    if (!answer.ok) log('error', `Executed 'Functions.${name}' (Failed): ${answer.message}`)
  }
  const timers = new Timers(runTimer, log)
  const timerFunctions = byKind('timertrigger')
  const timerNames = new Set(timerFunctions.map((f) => f.name.toLowerCase()))
  const specs = timerFunctions.map((f) => {
    const [, t] = triggerOf(f)
    return {
      name: f.name,
      schedule: t.schedule ?? '',
      runOnStartup: t.runOnStartup ?? false,
      next: parseSchedule(t.schedule ?? '', env),
    }
  })

  const listeners: Listener[] = []
  try {
    const main = await listen(front, { port: options.port, host: options.host ?? '127.0.0.1', bodyLimit: MAX_BODY, log })
    listeners.push(main)
    const rpcRoot = `/${secret}/durabletask/`
    const rpc = await listen(
      async (x) => (x.path.startsWith(rpcRoot) ? durable(x, x.path.slice(rpcRoot.length)) : { status: 404 }),
      { port: 0, host: '127.0.0.1', bodyLimit: Number.POSITIVE_INFINITY, log },
    )
    listeners.push(rpc)
    state.address = { ...state.address, origin: `http://localhost:${main.port}` }
    state.rpcBaseUrl = `http://127.0.0.1:${rpc.port}${rpcRoot}`
  } catch (error) {
    await channel.stop()
    throw error
  }
  state.name = 'Running'
  timers.start(specs)
  return {
    url: state.address.origin,
    functions,
    workerPid: () => channel.pid,
    async stop() {
      state.name = 'Stopping'
      timers.stop()
      engine.stop()
      const cut = await channel.drain(options.graceMs ?? 10_000)
      await channel.stop()
      await Promise.all(listeners.map((l) => l.close()))
      return cut
    },
  }
}

function refuseUnsupported(functions: readonly FunctionMetadata[]): void {
  for (const fn of functions) {
    for (const binding of Object.values(fn.bindings)) {
      if (binding.type.toLowerCase() === 'entitytrigger') {
        throw new Error(
          `Entity function '${fn.name}' is not supported by the local host (entities, callEntity, signalEntity, df.lock).`,
        )
      }
      if (!SUPPORTED.has(binding.type.toLowerCase()))
        throw new Error(`Function '${fn.name}' has a binding of type '${binding.type}', which the local host does not support.`)
    }
  }
}

function valueOf(data: TypedData | null | undefined): unknown {
  if (!data) return undefined
  if (data.json !== undefined) return JSON.parse(data.json)
  if (data.bytes !== undefined) return Buffer.from(data.bytes).toString('base64')
  return data.string ?? data.int ?? data.double
}

/** Timers beyond what setTimeout holds are armed again in steps. */
function armTimer(at: number, fire: () => void): () => void {
  let handle: NodeJS.Timeout
  const arm = (): void => {
    const wait = at - Date.now()
    handle = wait > 2 ** 31 - 1 ? setTimeout(arm, 2 ** 31 - 1) : setTimeout(fire, Math.max(0, wait))
  }
  arm()
  return () => clearTimeout(handle)
}

/** A small generator with a seed (mulberry32): repeatable batches. */
function seeded(seed: number): () => number {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
