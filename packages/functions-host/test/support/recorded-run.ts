// Drives a recorded scenario against a running local host and collects both sides of every comparison.
import { request as httpRequest } from 'node:http'
import { isDeepStrictEqual } from 'node:util'
import type { Host } from '../../src/host.ts'
import { cutEqually, normalized, type RecordedExchange, type Scenario } from './recorded.ts'

export interface Compared {
  readonly what: string
  readonly recorded: RecordedExchange['response']
  readonly mine: RecordedExchange['response']
}

const HEADERS = [
  'content-type',
  'location',
  'retry-after',
  'www-authenticate',
  'x-ms-continuation-token',
  'set-cookie',
  'x-custom',
]

/** Asked every 20 ms, so for 12 s: longer than the longest recorded activity. */
const POLLS = 600

interface Row {
  readonly EventType: string
  readonly Timestamp: string
  readonly ScheduledTime?: string
}
const OPEN = new Set(['TaskScheduled', 'TimerCreated', 'SubOrchestrationInstanceCreated'])

export class ScenarioRun {
  readonly #host: Host
  readonly #scenario: Scenario
  readonly #accepted: (what: string) => boolean
  readonly #compared: Compared[] = []
  /** Ids that the real host made → ids that this one made. */
  readonly #ids = new Map<string, string>()
  readonly #began = Date.now()

  /** `accepted`: requests that may be answered otherwise, which then is not waited for. */
  constructor(host: Host, scenario: Scenario, accepted: (what: string) => boolean) {
    this.#host = host
    this.#scenario = scenario
    this.#accepted = accepted
  }

  /** Requests in their order; what only asks is asked again until the recorded answer comes. */
  async run(): Promise<readonly Compared[]> {
    const { exchanges, final } = this.#scenario
    for (const [i, exchange] of exchanges.entries()) {
      const next = exchanges[i + 1]
      // Of a row of polls only the last one counts: how many there were is a matter of speed.
      if (exchange.polled && next?.polled && next.request.path === exchange.request.path) continue
      if (!exchange.polled) await this.#catchUp(exchange)
      await this.#compare(exchange)
    }
    for (const [id, exchange] of Object.entries(final)) if (!id.includes('(before')) await this.#compare(exchange)
    return this.#compared
  }

  /** Waits until the instances have come as far as they had on the real host when it got this request. */
  async #catchUp({ t }: RecordedExchange): Promise<void> {
    for (const [id, { request, response }] of Object.entries(this.#scenario.final)) {
      const rows = (response.body as { historyEvents?: Row[] }).historyEvents ?? []
      if (id.includes('(before') || rows.length === 0) continue
      const before = (row: Row, time: string | undefined): boolean => Date.parse(time ?? row.Timestamp) < Date.parse(t)
      const begun = rows.filter((r) => before(r, r.ScheduledTime)).length
      const done = rows.filter((r) => !OPEN.has(r.EventType) && before(r, r.Timestamp)).length
      for (let n = 0; n < POLLS; n++) {
        const { body } = await this.#call(request)
        const mine = (body as { historyEvents?: Row[] }).historyEvents ?? []
        if (mine.length >= begun && mine.filter((r) => !OPEN.has(r.EventType)).length >= done) break
        await nextPoll()
      }
    }
  }

  async #compare(exchange: RecordedExchange): Promise<void> {
    let pair = this.#pair(exchange, await this.#send(exchange))
    const settled = this.#accepted(pair.what) ? sameStatus : sameAnswer
    for (let n = 0; isStatusRequest(exchange) && n < POLLS && !settled(pair); n++) {
      await nextPoll()
      pair = this.#pair(exchange, await this.#send(exchange))
    }
    this.#compared.push(pair)
  }

  async #send({ request, response }: RecordedExchange): Promise<RecordedExchange['response']> {
    const mine = await this.#call(request)
    const [theirs, ours] = [idOf(response.body), idOf(mine.body)]
    if (theirs && ours) this.#ids.set(theirs, ours)
    return mine
  }

  #pair({ request, response }: RecordedExchange, mine: RecordedExchange['response']): Compared {
    return { what: `${request.method} ${request.path}`, recorded: pick(response), mine: pick(mine) }
  }

  /** A time of the recording → the same distance from this run's beginning. */
  #shifted(time: string): string {
    const begun = Date.parse(this.#scenario.exchanges[0]?.t ?? '')
    return encodeURIComponent(new Date(Date.parse(decodeURIComponent(time)) - begun + this.#began).toISOString())
  }

  async #call(request: RecordedExchange['request']): Promise<RecordedExchange['response']> {
    let { path } = request
    for (const [theirs, ours] of this.#ids) path = path.replaceAll(theirs, ours)
    const { url, rpcUrl, keys } = this.#host
    path = path.replaceAll(/\d{4}-\d\d-\d\dT\d\d%3A\d\d%3A[\d.]+Z/g, (time) => this.#shifted(time))
    path = path.replace('code=CODE', `code=${keys.system}`).replace('MASTERKEY', keys.master).replace('HOSTKEY', keys.host)
    const target = path.startsWith('17071:')
      ? rpcUrl + path.replace('17071:/durabletask/', '')
      : url.replace('localhost', '127.0.0.1') + path
    const keyed = (text: string): string =>
      text.replace('CODE', keys.system).replace('MASTERKEY', keys.master).replace('HOSTKEY', keys.host)
    const headers = Object.fromEntries(Object.entries(request.headers ?? {}).map(([k, v]) => [k, keyed(String(v))]))
    const body = request.body === undefined || request.body === '' ? undefined : bodyOf(request.body)
    return send(target, request.method, headers, body)
  }
}

/** Exactly these headers go out: fetch would add its own, and the recorded app shows what it got. */
function send(
  target: string,
  method: string,
  headers: Record<string, string>,
  body: string | Uint8Array | undefined,
): Promise<RecordedExchange['response']> {
  const { 'content-length': _, ...rest } = headers
  const bytes = body === undefined ? undefined : Buffer.from(body)
  const framing = bytes && !headers['transfer-encoding'] ? { 'content-length': String(bytes.length) } : {}
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      target,
      { method, headers: { ...rest, ...framing, ...(headers['content-length'] === '0' ? { 'content-length': '0' } : {}) } },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () => {
          const head = Object.fromEntries(Object.entries(answer.headers).map(([k, v]) => [k, String(v)]))
          resolve({ status: answer.statusCode ?? 0, headers: head, body: jsonOr(Buffer.concat(chunks).toString('utf8')) })
        })
      },
    )
    request.on('error', reject)
    request.end(bytes)
  })
}

/** `<n bytes>` stands for so many bytes; `y…` texts of one repeated letter were cut. */
function bodyOf(text: string): string | Uint8Array {
  const bytes = /^<(\d+) bytes>$/.exec(text)?.[1]
  if (bytes) return new Uint8Array(Number(bytes))
  const cut = /^("?)(y+)…<(\d+) chars>$/.exec(text)
  return cut ? JSON.stringify('y'.repeat(Number(cut[3]) - 2)) : text
}

/** Status is asked as a client would ask: not in one breath. */
const nextPoll = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20))

const jsonOr = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const idOf = (body: unknown): string | undefined => {
  const { id, value } = (typeof body === 'object' && body !== null ? body : {}) as { id?: unknown; value?: unknown }
  return [id, value].find((v): v is string => typeof v === 'string' && /^[0-9a-f]{32}$/.test(v))
}

const isStatusRequest = ({ request }: RecordedExchange): boolean =>
  request.method === 'GET' && /durabletask\/(instances|entities)/.test(request.path)

/** Equal in what does not differ from run to run. */
export function sameAnswer({ recorded, mine }: Compared): boolean {
  return isDeepStrictEqual(plain(normalized(recorded)), plain(normalized(cutEqually(recorded, mine))))
}
/** Of an answer that may differ: the instance has come as far. */
const sameStatus = ({ recorded, mine }: Compared): boolean => runtimeStatus(recorded) === runtimeStatus(mine)
const runtimeStatus = ({ body }: RecordedExchange['response']): unknown =>
  (body as { runtimeStatus?: unknown } | null | undefined)?.runtimeStatus
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

function pick({ status, headers, body }: RecordedExchange['response']): RecordedExchange['response'] {
  const kept = HEADERS.filter((h) => headers[h] !== undefined).map((h) => [h, String(headers[h])])
  return {
    status,
    headers: Object.fromEntries(kept) as Record<string, string>,
    body: typeof body === 'string' ? jsonOr(body) : body,
  }
}
