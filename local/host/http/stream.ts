// HTTP with streaming: the request goes as it is to the library's own server in the worker, and its answer comes back as it is.
import { type ClientRequest, request as httpRequest } from 'node:http'
import type { Exchange } from './exchange.ts'

/** A forwarded request. */
export interface Forwarded {
  /** True when an answer came; false when the connection ended without one. */
  readonly answered: Promise<boolean>
  /** Gives up waiting for an answer that will not come. */
  abandon(): void
}

/**
 * @param target `http://host:port/` of the worker; only its port counts: the proxy listens on 127.0.0.1
 * @param body already read bytes; undefined: the request is piped
 */
export function forward(exchange: Exchange, target: string, invocationId: string, body: Buffer | undefined): Forwarded {
  const { incoming, outgoing } = exchange.raw
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const { host = 'localhost', ...headers } = exchange.headers
  const upstream: ClientRequest = httpRequest(
    {
      host: '127.0.0.1',
      port: new URL(target).port,
      method: exchange.method,
      path: incoming.url,
      headers: { ...headers, host, 'x-ms-invocation-id': invocationId, 'x-forwarded-host': host, 'x-forwarded-proto': 'http' },
    },
    (answer) => {
      resolve(true)
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(outgoing)
      answer.once('error', () => outgoing.destroy())
    },
  )
  upstream.once('error', () => resolve(false))
  upstream.once('close', () => resolve(false))
  // A client that went away is not an error: nothing is written, nothing waits.
  outgoing.once('close', () => upstream.destroy())
  if (body) upstream.end(body)
  else incoming.pipe(upstream)
  return { answered: promise, abandon: () => upstream.destroy() }
}
