// Sends messages to webhooks: signed, to hosts of the allow-list, to public addresses alone, once, without following anybody elsewhere.
import { createHmac } from 'node:crypto'
import type { LookupAddress } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { request as requestPlain } from 'node:http'
import { request as requestTls } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import type { WebhookAnswer, WebhookMessage, WebhookSender } from '../models/webhook-message.ts'
import { AppError } from '../rules/errors.ts'
import { isPrivateAddress } from './private-addresses.ts'
import type { Secrets } from './secrets.ts'

export interface WebhookSettings {
  /** Host names; `*.example.org` are all below it. Without one, no message goes anywhere. */
  readonly hosts: readonly string[]
  /** Laptops and tests: also http, and addresses of private networks. */
  readonly allowPrivate: boolean
  readonly secrets: Pick<Secrets, 'getSecret'>
  readonly now: () => Date
  /** Default: the resolver of the system. */
  readonly resolve?: (host: string) => Promise<readonly LookupAddress[]>
}

const TIMEOUT_MS = 10_000
const MOST_RETRY_AFTER_MS = 3_600_000

export function openWebhookSender(settings: WebhookSettings): WebhookSender {
  return {
    problemOf: (url) => problemOf(url, settings),
    async send(message) {
      try {
        const problem = problemOf(message.url, settings)
        if (problem !== undefined) return failed(problem)
        const url = new URL(message.url)
        const address = await publicAddress(url.hostname.replace(/^\[|\]$/g, ''), settings)
        return await post(url, address, message.body, await headersOf(message, settings))
      } catch (error) {
        return failed(error instanceof Error ? error.message : 'unknown')
      }
    },
  }
}

const failed = (error: string): WebhookAnswer => ({ status: null, error, isGone: false, retryAfterMs: undefined })

function problemOf(text: string, { hosts, allowPrivate }: WebhookSettings): string | undefined {
  if (!URL.canParse(text)) return 'The address is no URL.'
  const { protocol, hostname, username, password } = new URL(text)
  if (username || password) return 'The address carries credentials. Messages are signed instead.'
  if (protocol !== 'https:' && !(allowPrivate && protocol === 'http:')) return 'The address must be https.'
  const isListed = hosts.some((host) =>
    host.startsWith('*.') ? hostname.endsWith(host.slice(1).toLowerCase()) : host.toLowerCase() === hostname,
  )
  return isListed ? undefined : `The host ${hostname} is not on the allow-list (WEBHOOK_HOSTS).`
}

/** The address that is connected to is the one that was looked at: a name that answers otherwise the second time leads nowhere else. */
async function publicAddress(host: string, { allowPrivate, resolve }: WebhookSettings): Promise<LookupAddress> {
  const family = isIP(host)
  const found = family ? [{ address: host, family }] : await (resolve ?? ((name: string) => lookup(name, { all: true })))(host)
  const [first] = found
  if (!first) throw new Error(`The host ${host} has no address.`)
  const refused = allowPrivate ? undefined : found.find(({ address }) => isPrivateAddress(address))
  if (refused) throw new Error(`The host ${host} has a private address, which messages may not go to.`)
  return first
}

/** Standard Webhooks: HMAC-SHA256 over id, time and body; a secret `whsec_…` is base64, any other the bytes of its text. */
async function headersOf(
  { id, body, secret_name }: WebhookMessage,
  { secrets, now }: WebhookSettings,
): Promise<Record<string, string>> {
  const secret = await secrets.getSecret(secret_name)
  const key = secret.value.startsWith('whsec_') ? Buffer.from(secret.value.slice(6), 'base64') : Buffer.from(secret.value)
  const seconds = String(Math.floor(now().getTime() / 1000))
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')
  return {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'user-agent': 'lamplighter',
    'webhook-id': id,
    'webhook-timestamp': seconds,
    'webhook-signature': `v1,${signature}`,
  }
}

function post(
  url: URL,
  { address, family }: LookupAddress,
  body: string,
  headers: Record<string, string>,
): Promise<WebhookAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<WebhookAnswer>()
  const pinned: LookupFunction = (_host, { all }, done) => (all ? done(null, [{ address, family }]) : done(null, address, family))
  const send = url.protocol === 'https:' ? requestTls : requestPlain
  const options = { method: 'POST', headers, lookup: pinned, agent: false, signal: AbortSignal.timeout(TIMEOUT_MS) }
  const call = send(url, options, (answer) => {
    const status = answer.statusCode ?? 0
    // What a receiver says is nobody's business; it may be endless.
    answer.destroy()
    const isTaken = status >= 200 && status < 300
    const isElsewhere = status >= 300 && status < 400
    const error = isTaken ? null : isElsewhere ? `It answered ${status}; nobody is followed elsewhere.` : `It answered ${status}.`
    resolve({ status, error, isGone: status === 410, retryAfterMs: retryAfter(answer.headers['retry-after']) })
  })
  call.on('error', (error) => {
    reject(
      error.name === 'AbortError' || error.name === 'TimeoutError'
        ? new AppError('TASK_TIMEOUT', `No answer within ${TIMEOUT_MS / 1000} s.`)
        : error,
    )
  })
  call.end(body)
  return promise
}

function retryAfter(header: string | undefined): number | undefined {
  const seconds = Number(header)
  return header !== undefined && Number.isFinite(seconds) && seconds >= 0
    ? Math.min(seconds * 1000, MOST_RETRY_AFTER_MS)
    : undefined
}
