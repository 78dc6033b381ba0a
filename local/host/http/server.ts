// The two listeners: the main port for everybody on this machine, and the RPC port that only the app's client knows.
import { createServer, type Server } from 'node:http'
import type { Log } from '../log.ts'
import { type Exchange, exchangeOf, type Reply, sendReply, TooLarge } from './exchange.ts'

export type Handler = (exchange: Exchange) => Promise<Reply>

export interface Listener {
  readonly port: number
  close(): Promise<void>
}

const LAST_ANSWERS_MS = 500
export const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '::1'])

/** A request whose Host is not this machine comes from a web page that rebinds its name. */
function foreignHost(exchange: Exchange, bound: string): boolean {
  const name = exchange.url.hostname.replaceAll(/^\[|\]$/g, '')
  return !LOOPBACK.has(name) && name !== bound
}

/**
 * Listens on a loopback address.
 * @throws Error `Port N is unavailable. …` with the way out
 */
export async function listen(
  handle: Handler,
  options: { port: number; host: string; bodyLimit: number; log: Log },
): Promise<Listener> {
  const server = createServer((request, response) => {
    let exchange: Exchange
    try {
      exchange = exchangeOf(request, response, options.bodyLimit)
    } catch {
      return sendReply(response, { status: 400 })
    }
    if (foreignHost(exchange, options.host)) return sendReply(response, { status: 403 })
    handle(exchange).then(
      (reply) => sendReply(response, reply),
      (error: Error) => {
        if (!(error instanceof TooLarge)) options.log('error', `HTTP ${exchange.method} ${exchange.path}: ${error.message}`)
        sendReply(response, { status: error instanceof TooLarge ? 413 : 500, headers: { connection: 'close' } })
      },
    )
  })
  server.requestTimeout = 0
  const port = await bind(server, options.port, options.host)
  // The other loopback address, where there is one: some clients try it first.
  const second = options.host === '127.0.0.1' ? await bindSecond(server, port) : undefined
  return {
    port,
    close: async () => {
      await Promise.all([closeServer(server), second && closeServer(second)])
    },
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // Answers that are on their way may still leave.
    const cut = setTimeout(() => server.closeAllConnections(), LAST_ANSWERS_MS)
    server.close(() => (clearTimeout(cut), resolve()))
  })
}

async function bindSecond(first: Server, port: number): Promise<Server | undefined> {
  const server = createServer()
  for (const listener of first.listeners('request')) server.on('request', listener as (...args: unknown[]) => void)
  server.requestTimeout = 0
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
