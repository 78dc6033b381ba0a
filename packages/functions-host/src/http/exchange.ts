// One HTTP request and its answer, without node:http in the rest of the host.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { targetOf } from './head.ts'
import { withoutDotSegments } from './paths.ts'

export interface Exchange {
  readonly method: string
  /** As the client wrote it, without dot segments. */
  readonly path: string
  readonly query: URLSearchParams
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly hasBody: boolean
  /** Bytes; more is {@link TooLarge}. */
  readonly bodyLimit: number
  /** For forwarding as it is. */
  readonly raw: { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse }
  body(): Promise<Buffer>
}

/** The answer was written elsewhere (streaming). */
export const ANSWERED = { status: 0 } as const

export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly cookies?: readonly string[]
  readonly body?: Uint8Array | string | undefined
}

export class TooLarge extends Error {}

/** @param limit bytes of body; more is {@link TooLarge} */
export function exchangeOf(request: IncomingMessage, outgoing: ServerResponse, limit: number): Exchange {
  const host = request.headers.host ?? 'localhost'
  const [given = '/', ...rest] = (targetOf(request.url ?? '/', host) ?? '/').split('?')
  const path = withoutDotSegments(given)
  const url = new URL(`http://${host}${[path, ...rest].join('?')}`)
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  return {
    method: request.method ?? 'GET',
    path,
    query: url.searchParams,
    url,
    headers,
    raw: { incoming: request, outgoing },
    // The real host drops a body without Content-Length (recorded).
    bodyLimit: limit,
    hasBody: Number(headers['content-length'] ?? 0) > 0,
    async body() {
      const chunks: Buffer[] = []
      let size = 0
      for await (const chunk of request as AsyncIterable<Buffer>) {
        size += chunk.length
        if (size > limit) throw new TooLarge()
        chunks.push(chunk)
      }
      return Buffer.concat(chunks)
    },
  }
}

/** A client that went away is not an error. */
export function sendReply(response: ServerResponse, reply: Reply): void {
  if (reply === ANSWERED || response.destroyed || response.headersSent) return
  const body = typeof reply.body === 'string' ? Buffer.from(reply.body) : reply.body
  for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value)
  if (reply.cookies?.length) response.setHeader('set-cookie', [...reply.cookies])
  if (body !== undefined || reply.status !== 204) response.setHeader('content-length', String(body?.length ?? 0))
  response.writeHead(reply.status)
  response.end(body)
}

export const json = (status: number, value: unknown, headers: Record<string, string> = {}): Reply => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  body: JSON.stringify(value),
})
