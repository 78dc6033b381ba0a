// The Durable extension's API over HTTP: what a request is to it, and its answer.
import { manage } from '../durable/api/management.ts'
import type { Engine } from '../durable/engine.ts'
import { type Exchange, json, type Reply } from './exchange.ts'

/** @param below the path under the API's root @param rpc came over the port that only the app's client knows */
export async function answerDurable(
  engine: Engine,
  exchange: Exchange,
  below: string,
  { hub, key, rpc }: { readonly hub: string; readonly key: string; readonly rpc: boolean },
): Promise<Reply> {
  const path = segmentsOf(below)
  if (!path) return { status: 400 }
  const query = new URLSearchParams(exchange.query)
  // Links in answers carry the key, also for a caller that needs none.
  if (!query.has('code')) query.set('code', key)
  const {
    status,
    headers = {},
    body,
  } = await manage(engine, hub, {
    method: exchange.method,
    path,
    query,
    href: exchange.url.href,
    origin: exchange.url.origin,
    contentType: exchange.headers['content-type'] ?? '',
    continuation: exchange.headers['x-ms-continuation-token'] ?? '',
    rpc,
    body: async () => (exchange.hasBody ? (await exchange.body()).toString('utf8') : ''),
  })
  return body === undefined ? { status, headers } : json(status, body, headers)
}

/** Decoded; `+` stands for a space in this API's paths (recorded). Undefined when an escape is broken. */
function segmentsOf(below: string): string[] | undefined {
  try {
    return below
      .split('/')
      .filter(Boolean)
      .map((segment) => decodeURIComponent(segment).replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
