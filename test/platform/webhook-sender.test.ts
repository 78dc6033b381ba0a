// Messages to webhooks: signed as Standard Webhooks says, to listed hosts and public addresses alone.
import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { backoff } from '../../src/engine/webhooks.ts'
import { isPrivateAddress } from '../../src/platform/private-addresses.ts'
import { Secret } from '../../src/platform/secret.ts'
import { openWebhookSender, type WebhookSettings } from '../../src/platform/webhook-sender.ts'

let server: Server
let port: number
const seen: { url: string; headers: IncomingHttpHeaders; body: string }[] = []
beforeAll(async () => {
  server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      seen.push({ url: request.url ?? '', headers: request.headers, body })
      const status = Number(request.url?.slice(1) || 200)
      response.writeHead(status, { location: '/200', ...(status === 429 ? { 'retry-after': '7' } : {}) })
      // An answer that never ends must not be waited for.
      response.write('x')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const now = new Date('2026-05-01T10:00:00Z')
const sender = (more: Partial<WebhookSettings> = {}) =>
  openWebhookSender({
    hosts: ['hooks.example', '*.example.org', '127.0.0.1'],
    allowPrivate: true,
    secrets: { getSecret: (name) => Promise.resolve(new Secret(name, name === 'coded' ? 'whsec_c2VjcmV0' : 'secret')) },
    now: () => now,
    resolve: () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]),
    ...more,
  })
const message = (path = '200', host = 'hooks.example') => ({
  url: `http://${host}:${port}/${path}`,
  secret_name: 'plain',
  id: 'm1',
  body: '{"a":"ž"}',
})

describe('what is sent', () => {
  test.each(['plain', 'coded'])('id, time and an HMAC over both and the body, with a %s secret', async (secret_name) => {
    seen.length = 0
    expect(await sender().send({ ...message(), secret_name })).toEqual({
      status: 200,
      error: null,
      isGone: false,
      retryAfterMs: undefined,
    })
    const [{ headers, body }] = seen as [(typeof seen)[number]]
    const signature = createHmac('sha256', 'secret').update(`m1.1777629600.{"a":"ž"}`).digest('base64')
    expect([headers['webhook-id'], headers['webhook-timestamp'], headers['webhook-signature']]).toEqual([
      'm1',
      '1777629600',
      `v1,${signature}`,
    ])
    expect([body, headers.host, headers['content-type']]).toEqual(['{"a":"ž"}', `hooks.example:${port}`, 'application/json'])
  })
  test.each([
    ['500', { status: 500, error: 'It answered 500.', isGone: false }],
    ['410', { status: 410, isGone: true }],
    ['429', { status: 429, retryAfterMs: 7000 }],
    ['302', { status: 302, error: 'It answered 302; nobody is followed elsewhere.' }],
  ])('an answer of %s', async (path, expected) => {
    seen.length = 0
    expect(await sender().send(message(path))).toMatchObject(expected)
    expect(seen).toHaveLength(1)
  })
  test('nobody there, no secret, no address: told without a throw', async () => {
    const closed = `http://127.0.0.1:9/`
    expect(await sender().send({ ...message(), url: closed })).toMatchObject({
      status: null,
      error: expect.stringMatching(/ECONNREFUSED/),
    })
    const secrets = { getSecret: () => Promise.reject(new Error('There is no secret x.')) }
    expect(await sender({ secrets }).send(message())).toMatchObject({ error: 'There is no secret x.' })
    expect(await sender({ resolve: () => Promise.resolve([]) }).send(message())).toMatchObject({
      error: 'The host hooks.example has no address.',
    })
  })
})

describe('where nothing goes', () => {
  test.each([
    ['ftp://hooks.example/', /https/],
    ['http://hooks.example/', /https/],
    ['https://elsewhere.example/', /allow-list/],
    ['https://example.org/', /allow-list/],
    ['https://evilexample.org/', /allow-list/],
    ['https://hooks.example.evil.org/', /allow-list/],
    ['https://user:pass@hooks.example/', /credentials/],
    ['nonsense', /no URL/],
  ])('%s', (url, why) => expect(sender({ allowPrivate: false }).problemOf(url)).toMatch(why))
  test.each(['https://hooks.example/x?y=1', 'https://HOOKS.example:8443/', 'https://a.b.example.org/'])('%s may', (url) =>
    expect(sender({ allowPrivate: false }).problemOf(url)).toBeUndefined(),
  )
  test('a name of the list that leads inside is refused, also when only one of its addresses does, and what was looked at is what is called', async () => {
    seen.length = 0
    const inside = { address: '127.0.0.1', family: 4 }
    const url = `https://hooks.example:${port}/`
    for (const found of [
      [inside],
      [{ address: '93.184.216.34', family: 4 }, inside],
      [{ address: '::ffff:169.254.169.254', family: 6 }],
    ])
      expect(
        await sender({ allowPrivate: false, resolve: () => Promise.resolve(found) }).send({ ...message(), url }),
      ).toMatchObject({
        status: null,
        error: 'The host hooks.example has a private address, which messages may not go to.',
      })
    expect(seen).toEqual([])
    // The second answer of the name is never asked for: the connection goes where the first one said.
    let asked = 0
    await sender({ resolve: () => Promise.resolve([{ address: ++asked === 1 ? '127.0.0.1' : '127.0.0.2', family: 4 }]) }).send(
      message(),
    )
    expect([asked, seen.length]).toEqual([1, 1])
  })
  test.each([
    [
      '127.0.0.1',
      '10.1.2.3',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.1.1',
      '169.254.169.254',
      '168.63.129.16',
      '100.64.0.1',
      '0.0.0.0',
    ],
    [
      '255.255.255.255',
      '224.0.0.1',
      '::1',
      '::',
      'fe80::1',
      'fd00::1',
      '::ffff:10.0.0.1',
      '64:ff9b::a00:1',
      'ff02::1',
      'no address',
    ],
  ])('%s and others are private', (...addresses) => expect(addresses.filter((a) => !isPrivateAddress(a))).toEqual([]))
  test('others are not', () =>
    expect(['93.184.216.34', '172.32.0.1', '8.8.8.8', '2606:2800:220:1::1', '100.128.0.1'].filter(isPrivateAddress)).toEqual([]))
})

test('waits double up to six hours, between half and whole', () => {
  expect([1, 2, 3, 12].map((n) => backoff(n, 1))).toEqual([30_000, 60_000, 120_000, 21_600_000])
  expect(backoff(1, 0)).toBe(15_000)
})
