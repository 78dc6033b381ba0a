// HTTP with streaming: the request goes as it is to the library's own server in the worker, and its answer comes back as it is.
import { type ClientRequest, request as httpRequest } from 'node:http'
import type { Exchange } from './exchange.ts'

/**
 * `answered`: the answer has left. `refused`: the worker's HTTP server would not hand the request to the app, and on the real host
 * nobody answers then. `failed`: the connection ended without an answer. `too large`: the body went past the limit.
 */
export type Ending = 'answered' | 'refused' | 'failed' | 'too large'

/** A forwarded request. */
export interface Forwarded {
  readonly ended: Promise<Ending>
  /** Gives up waiting for an answer that will not come. */
  abandon(): void
}

/** Meant for one connection, not for what lies behind it. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
]

/** Headers that may go on: neither hop-by-hop nor named by `Connection`; framing is each connection's own. */
export function endToEnd<T>(headers: Readonly<Record<string, T>>): Record<string, T> {
  const named = String(headers['connection'] ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
  const dropped = new Set([...HOP_BY_HOP, 'transfer-encoding', ...named])
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !dropped.has(name)))
}

const INVOCATION = 'x-ms-invocation-id'
/** What the real host takes from the worker. */
const ANSWER_HEAD_BYTES = 65_536

/**
 * @param target `http://host:port/` of the worker; only its port counts: the proxy listens on 127.0.0.1
 * @param body already read bytes; undefined: the request is piped
 */
export function forward(exchange: Exchange, target: string, invocationId: string, body: Buffer | undefined): Forwarded {
  const { outgoing } = exchange.raw
  const { promise, resolve } = Promise.withResolvers<Ending>()
  let begun = false
  const upstream: ClientRequest = httpRequest(
    {
      host: '127.0.0.1',
      port: new URL(target).port,
      method: exchange.method,
      path: exchange.path + exchange.url.search,
      headers: requestHeaders(exchange, invocationId),
      maxHeaderSize: ANSWER_HEAD_BYTES,
    },
    (answer) => {
      // The library puts the id into each answer: without it the worker's own HTTP server speaks.
      if (answer.headers[INVOCATION] === undefined) return (answer.resume(), resolve('refused'))
      if (outgoing.headersSent || outgoing.destroyed) return void upstream.destroy()
      begun = true
      outgoing.once('close', () => resolve('answered'))
      outgoing.writeHead(answer.statusCode ?? 500, endToEnd(answer.headers))
      answer.pipe(outgoing)
      answer.once('error', () => outgoing.destroy())
    },
  )
  upstream.once('error', () => begun || resolve('failed'))
  upstream.once('close', () => begun || resolve('failed'))
  // A client that went away is not an error: nothing is written, nothing waits.
  outgoing.once('close', () => upstream.destroy())
  if (body) upstream.end(body)
  else pipeBody(exchange, upstream, () => resolve('too large'))
  return { ended: promise, abandon: () => void upstream.destroy() }
}

function requestHeaders({ headers }: Exchange, invocationId: string): Record<string, string> {
  const { host = 'localhost', expect, ...rest } = headers
  return {
    ...endToEnd(rest),
    ...(headers['transfer-encoding'] === undefined ? {} : { 'transfer-encoding': 'chunked' }),
    // The host itself has told the client to go on.
    ...(expect === undefined || /^100-continue$/i.test(expect) ? {} : { expect }),
    host,
    [INVOCATION]: invocationId,
    'x-forwarded-host': host,
    'x-forwarded-proto': 'http',
  }
}

function pipeBody({ raw: { incoming }, bodyLimit }: Exchange, upstream: ClientRequest, tooLarge: () => void): void {
  let size = 0
  incoming.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size <= bodyLimit || upstream.destroyed) return
    tooLarge()
    incoming.unpipe(upstream)
    upstream.destroy()
  })
  incoming.pipe(upstream)
}
