// HTTP functions: request → wire form of the worker, and back.
import type { WorkerChannel } from '../functions/channel.ts'
import type { HttpData, TypedData } from '../functions/protocol.ts'
import type { Exchange, Reply } from './exchange.ts'
import type { RouteMatch } from './routes.ts'

export interface HttpFunctionDeps {
  readonly channel: WorkerChannel
  /** Extra inputs (the durable client) of the function, by binding name. */
  readonly extraInputs: readonly { name: string; data: TypedData }[]
  readonly triggerName: string
  readonly timeoutMs: number
}

const nullable = (entries: Iterable<[string, string]>): Record<string, { value: string }> =>
  Object.fromEntries([...entries].map(([k, value]) => [k, { value }]))

/** Repeated query parameters arrive joined by a comma, as on the real host. */
function queryOf(exchange: Exchange): Record<string, string> {
  const query: Record<string, string> = {}
  for (const [name, value] of exchange.query) query[name] = query[name] === undefined ? value : `${query[name]},${value}`
  return query
}

export async function runHttpFunction(deps: HttpFunctionDeps, exchange: Exchange, match: RouteMatch): Promise<Reply> {
  const { name } = match.route
  const query = queryOf(exchange)
  const http: HttpData = {
    method: exchange.method,
    url: exchange.url.href,
    nullableHeaders: nullable(Object.entries(exchange.headers)),
    nullableQuery: nullable(Object.entries(query)),
    nullableParams: nullable(Object.entries(match.params)),
    ...(exchange.hasBody ? { body: { bytes: await exchange.body() } } : {}),
  }
  const text = (value: string): TypedData => ({ string: value })
  const triggerMetadata = {
    ...Object.fromEntries(Object.entries(match.params).map(([k, v]) => [k, text(v)])),
    Query: { json: JSON.stringify(query) },
    Headers: { json: JSON.stringify(exchange.headers) },
  }
  const answer = await deps.channel.invoke(
    name,
    { inputData: [{ name: deps.triggerName, data: { http } }, ...deps.extraInputs], triggerMetadata },
    deps.timeoutMs,
  )
  if (!answer.ok) return { status: 500 }
  return replyOf(answer.returnValue?.http)
}

function replyOf(http: HttpData | undefined): Reply {
  // A handler that returned undefined has no answer: 204.
  if (!http) return { status: 204 }
  const status = Number(http.statusCode ?? 200)
  return { status, headers: http.headers ?? {}, cookies: (http.cookies ?? []).map(cookieText), body: bodyOf(http.body) }
}

function bodyOf(data: TypedData | undefined): Uint8Array | string | undefined {
  return data?.bytes ?? data?.string ?? data?.json ?? (data?.int ?? data?.double)?.toString()
}

interface Cookie {
  readonly name?: string
  readonly value?: string
  readonly path?: { value?: string }
}
function cookieText(cookie: unknown): string {
  const { name = '', value = '', path } = cookie as Cookie
  return `${name}=${encodeURIComponent(value)}${path?.value ? `; Path=${path.value}` : ''}`
}
