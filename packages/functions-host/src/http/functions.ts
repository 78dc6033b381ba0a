// HTTP functions: request → wire form of the worker, and back.
import { randomUUID } from 'node:crypto'
import type { WorkerChannel } from '../functions/channel.ts'
import type { HttpData, TypedData } from '../functions/protocol.ts'
import { ANSWERED, type Exchange, type Reply, TooLarge } from './exchange.ts'
import type { RouteMatch } from './routes.ts'
import { forward } from './stream.ts'

export interface HttpFunctionDeps {
  readonly channel: WorkerChannel
  /** Extra inputs (the durable client) of the function, by binding name. */
  readonly extraInputs: readonly { name: string; data: TypedData }[]
  readonly triggerName: string
  readonly timeoutMs: number
  /** A handler left its streamed request without an answer. */
  readonly onNoAnswer: (name: string, why: string) => void
  /** The worker's HTTP server would not hand a request to the app: nobody answers it, and the worker ends when its time is over. */
  readonly onRefused: (name: string, why: string) => void
}

const BY_HTTP = 'This function was programmatically called via the host APIs.'
const JSON_PARAMS_LIMIT = 1_048_576
const text = (value: string): TypedData => ({ string: value })
const nullable = (entries: Iterable<[string, string]>): Record<string, { value: string }> =>
  Object.fromEntries([...entries].map(([k, value]) => [k, { value }]))

/** Repeated query parameters arrive joined by a comma; when streaming, the last one wins (recorded). */
function queryOf(exchange: Exchange, streaming: boolean): Record<string, string> {
  const query: Record<string, string> = {}
  for (const [name, value] of exchange.query)
    query[name] = query[name] === undefined || streaming ? value : `${query[name]},${value}`
  return query
}

const texts = (values: Readonly<Record<string, string>>): Record<string, TypedData> =>
  Object.fromEntries(Object.entries(values).map(([k, v]) => [k, text(v)]))

export function runHttpFunction(deps: HttpFunctionDeps, exchange: Exchange, match: RouteMatch): Promise<Reply> {
  const { httpUri } = deps.channel
  return httpUri === undefined ? runBuffered(deps, exchange, match) : runStreamed(deps, exchange, match, httpUri)
}

async function runBuffered(deps: HttpFunctionDeps, exchange: Exchange, match: RouteMatch): Promise<Reply> {
  const query = queryOf(exchange, false)
  const http: HttpData = {
    method: exchange.method,
    url: exchange.url.href,
    nullableHeaders: nullable(Object.entries(exchange.headers)),
    nullableQuery: nullable(Object.entries(query)),
    nullableParams: nullable(Object.entries(match.params)),
    ...(exchange.hasBody ? { body: { bytes: await exchange.body() } } : {}),
  }
  const triggerMetadata = { ...texts(match.params), ...requestData(exchange, query) }
  const inputData = [{ name: deps.triggerName, data: { http } }, ...deps.extraInputs]
  const answer = await deps.channel.invoke(match.route.name, { inputData, triggerMetadata }, { ...deps, reason: BY_HTTP })
  return answer.ok ? replyOf(answer.returnValue?.http) : { status: 500 }
}

/** The raw request goes to the worker's own server; the invocation carries what stands in the URL and in a JSON body. */
async function runStreamed(deps: HttpFunctionDeps, exchange: Exchange, match: RouteMatch, httpUri: string): Promise<Reply> {
  const { name } = match.route
  // The real host cannot forward it.
  if (exchange.raw.incoming.httpVersion === '1.0') return { status: 500 }
  const invocationId = randomUUID()
  const json = (exchange.headers['content-type'] ?? '').includes('json')
  const known = Number(exchange.headers['content-length'] ?? Number.NaN) <= JSON_PARAMS_LIMIT
  const body = json && known ? await exchange.body() : undefined
  const query = queryOf(exchange, true)
  const members = texts(membersOf(body))
  const triggerMetadata = { ...members, ...texts(query), ...texts(match.params), ...requestData(exchange, query) }
  const inputData = [{ name: deps.triggerName, data: { http: {} } }, ...deps.extraInputs]
  const forwarded = forward(exchange, httpUri, invocationId, body)
  let refused = false
  const invoked = deps.channel
    .invoke(name, { inputData, triggerMetadata }, { ...deps, invocationId, reason: BY_HTTP })
    .then((answer) => {
      if (refused || (answer.ok && !answer.empty)) return
      // The real host would answer 500 only after 240 s (recorded): here at once, and said.
      deps.onNoAnswer(name, answer.ok ? 'the handler returned undefined' : `the handler failed: ${answer.message}`)
      forwarded.abandon()
    })
  const ending = await forwarded.ended
  if (ending === 'too large') throw new TooLarge()
  refused = ending === 'refused'
  if (refused) deps.onRefused(name, refusalOf(exchange))
  if (ending !== 'answered') await invoked
  if (refused) exchange.raw.outgoing.destroy()
  return ending === 'failed' ? { status: 500 } : ANSWERED
}

function refusalOf({ headers, raw }: Exchange): string {
  const { expect } = headers
  if (expect !== undefined && !/^100-continue$/i.test(expect)) return `it came with Expect: ${expect.slice(0, 100)}`
  return `its headers have ${raw.incoming.rawHeaders.reduce((sum, text) => sum + text.length + 2, 0)} bytes`
}

const requestData = (exchange: Exchange, query: Readonly<Record<string, string>>): Record<string, TypedData> => ({
  Query: { json: JSON.stringify(query) },
  Headers: { json: JSON.stringify(exchange.headers) },
})

/** Top-level members of a JSON object. */
function membersOf(body: Buffer | undefined): Record<string, string> {
  try {
    const value: unknown = JSON.parse(body?.toString('utf8') ?? 'null')
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return {}
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, typeof v === 'object' ? JSON.stringify(v) : String(v)]))
  } catch {
    return {}
  }
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
  readonly domain?: { value?: string }
  readonly path?: { value?: string }
  readonly expires?: { value?: { seconds?: number } }
  readonly maxAge?: { value?: number }
  readonly secure?: { value?: boolean }
  readonly httpOnly?: { value?: boolean }
  readonly sameSite?: string | number
}
const SAME_SITE: Record<string, string> = { 1: 'lax', lax: 'lax', 2: 'strict', strict: 'strict', 3: 'none', explicitnone: 'none' }

/** In the order and case of the real host. */
function cookieText(cookie: unknown): string {
  const { name = '', value = '', domain, path, expires, maxAge, secure, httpOnly, sameSite } = cookie as Cookie
  const seconds = expires?.value?.seconds
  const same = SAME_SITE[String(sameSite).toLowerCase()]
  const parts = [
    `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
    seconds !== undefined && `expires=${new Date(seconds * 1000).toUTCString()}`,
    maxAge?.value !== undefined && `max-age=${maxAge.value}`,
    domain?.value && `domain=${domain.value}`,
    path?.value && `path=${path.value}`,
    secure?.value && 'secure',
    same && `samesite=${same}`,
    httpOnly?.value && 'httponly',
  ]
  return parts.filter(Boolean).join('; ')
}
