// The two listeners: the main port for everybody on this machine, and the RPC port that only the app's client knows.
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import { hostname, networkInterfaces } from 'node:os'
import type { Log } from '../log.ts'
import { type Exchange, exchangeOf, type Reply, sendReply, TooLarge } from './exchange.ts'
import { PARSER_BYTES, refusedBytes, refusedHead } from './head.ts'
import { cutSlowBody } from './slow-body.ts'

export type Handler = (exchange: Exchange) => Promise<Reply>

export interface Listener {
  readonly port: number
  close(): Promise<void>
}

export interface ListenOptions {
  /** 0: any free one. */
  readonly port: number
  readonly host: string
  /** Bytes; more is a 413. */
  readonly bodyLimit: number
  readonly log: Log
  /** A body that brings next to nothing for so long is cut; default 30 s. */
  readonly slowBodyMs?: number
}

/** An idle connection is kept this long. */
const IDLE_MS = 130_000

const LAST_ANSWERS_MS = 500
const SLOW_MS = 30_000
const MAX_DROPPED = 134_217_728

/** Can only this machine reach the address? */
export const isLoopback = (host: string): boolean =>
  ['localhost', '::1'].includes(host) || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)

/** The names under which a request may ask for a server that is bound to this address. */
function namesOf(bound: string): ReadonlySet<string> {
  const own = ['0.0.0.0', '::'].includes(bound)
    ? [hostname(), ...Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((a) => a.address))]
    : []
  return new Set([bound, ...own].map((name) => name.toLowerCase()))
}

/**
 * Listens on a loopback address.
 * @throws Error `Port N is unavailable. …` with the way out
 */
export async function listen(handle: Handler, options: ListenOptions): Promise<Listener> {
  const server = serverFor(handle, options)
  const port = await bind(server, options.port, options.host)
  // The other loopback address, where there is one: some clients try it first.
  const second = options.host === '127.0.0.1' ? await bindSecond(serverFor(handle, options), port) : undefined
  return {
    port,
    close: async () => {
      await Promise.all([closeServer(server), second && closeServer(second)])
    },
  }
}

function serverFor(handle: Handler, options: ListenOptions): Server {
  const names = namesOf(options.host)
  const answer = (request: IncomingMessage, response: ServerResponse): void =>
    answerRequest(request, response, handle, names, options)
  const server = createServer({ maxHeaderSize: PARSER_BYTES, requestTimeout: 0, headersTimeout: SLOW_MS }, answer)
  // As Kestrel: with Node's five seconds a client meets a connection that is just being closed.
  server.keepAliveTimeout = IDLE_MS
  // Counted by us: Node would drop the rest silently.
  server.maxHeadersCount = 0
  server.on('checkContinue', answer)
  // Other expectations mean nothing to the host itself.
  server.on('checkExpectation', answer)
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
      return
    }
    const status = refusedBytes(error)
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
  })
  return server
}

function answerRequest(
  request: IncomingMessage,
  response: ServerResponse,
  handle: Handler,
  names: ReadonlySet<string>,
  { bodyLimit, log, slowBodyMs = SLOW_MS }: ListenOptions,
): void {
  const refused = refusedHead(request)
  if (refused) return sendReply(response, { status: refused, headers: { connection: 'close' } })
  const exchange = exchangeOf(request, response, bodyLimit)
  // A request whose Host is not this machine comes from a web page that rebinds its name.
  const name = exchange.url.hostname.replaceAll(/^\[|\]$/g, '')
  if (!isLoopback(name) && !names.has(name)) return sendReply(response, { status: 403 })
  cutSlowBody(request, response, slowBodyMs)
  if (Number(exchange.headers['content-length'] ?? 0) > bodyLimit) return refuseBody(request, response)
  if (/^100-continue$/i.test(exchange.headers['expect'] ?? '')) response.writeContinue()
  handle(exchange).then(
    (reply) => sendReply(response, reply),
    (error: Error) => {
      if (error instanceof TooLarge) return refuseBody(request, response)
      log('error', `HTTP ${exchange.method} ${exchange.path}: ${error.message}`)
      return sendReply(response, { status: 500, headers: { connection: 'close' } })
    },
  )
}

/** Many clients read an answer only when their body has left: what still comes is dropped, up to a bound. */
function refuseBody(request: IncomingMessage, response: ServerResponse): void {
  let dropped = 0
  request.on('data', (chunk: Buffer) => {
    dropped += chunk.length
    if (dropped > MAX_DROPPED) request.destroy()
  })
  sendReply(response, { status: 413 })
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // Answers that are on their way may still leave.
    const cut = setTimeout(() => server.closeAllConnections(), LAST_ANSWERS_MS)
    server.close(() => (clearTimeout(cut), resolve()))
  })
}

function bindSecond(server: Server, port: number): Promise<Server | undefined> {
  return bind(server, port, '::1').then(
    () => server,
    () => undefined,
  )
}

function bind(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const busy = `Port ${port} is unavailable. Close the process using that port, or specify another port using --port [-p].`
      reject(error.code === 'EADDRINUSE' || error.code === 'EACCES' ? new Error(busy) : error)
    })
    server.listen(port, host, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}
