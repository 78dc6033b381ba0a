// What the host answers before the app sees anything, keys, bodies, and what travels between the host and the worker's own HTTP server.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Host, startHost } from '../support/host.ts'
import { listen } from '../../src/http/server.ts'
import { endToEnd } from '../../src/http/stream.ts'
import { appOf } from '../support/func.ts'
import { raw } from '../../src/testing/raw-http.ts'

const SOURCE = `
const { app } = require('@azure/functions')
if (process.env.STREAMING) app.setup({ enableHttpStream: true })
app.http('echo', { methods: ['GET', 'POST'], handler: async (r) => ({ jsonBody: { url: r.url, headers: Object.fromEntries(r.headers), size: (await r.text()).length } }) })
app.http('one', { route: 'one', authLevel: 'function', handler: () => ({ body: 'one' }) })
app.http('rest', { route: 'files/{*path}', handler: (r) => ({ jsonBody: r.params }) })
let waiting = []
app.http('drip', { handler: () => ({ body: new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode('begun')); waiting.push(() => c.close()) } }) }) })
app.http('close', { methods: ['DELETE'], handler: () => { for (const end of waiting.splice(0)) end(); return {} } })
app.http('pid', { handler: () => ({ body: String(process.pid) }) })
app.http('headers', { handler: () => ({ body: 'x', headers: { 'x-mine': '1', connection: 'x-hop', 'x-hop': '1' } }) })
`
const app = appOf({ 'index.js': SOURCE, 'host.json': '{ "version": "2.0", "functionTimeout": "00:00:02" }' })
const narrow = appOf({
  'index.js': SOURCE,
  'host.json': JSON.stringify({ version: '2.0', extensions: { http: { maxConcurrentRequests: 1 } } }),
})
afterAll(() => (app.remove(), narrow.remove()))
const WIDE = { languageWorkers__node__arguments: '--max-http-header-size=65536' }
const lines: string[] = []
const open = (env: Record<string, string> = {}, more: object = {}): Promise<Host> =>
  startHost({
    folder: app.folder,
    port: 0,
    log: (_level, line) => void lines.push(line),
    traps: 'warn',
    env: { ...process.env, FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '2000000', ...env },
    graceMs: 0,
    ...more,
  })
const portOf = (host: Host): number => Number(new URL(host.url).port)
const END = 'Host: localhost\r\nConnection: close\r\n\r\n'
const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\n${more}${END}`

describe.each([
  { title: 'buffered', env: WIDE, old: 200 },
  { title: 'streaming', env: { ...WIDE, STREAMING: '1' }, old: 500 },
])('$title: refused by the host itself, with an empty body', ({ env, old }) => {
  let host: Host
  beforeAll(async () => {
    host = await open(env)
  })
  afterAll(() => host.stop())

  const header = (bytes: number): string => `X-Long: ${'h'.repeat(bytes)}\r\n`
  const many = (n: number): string => Array.from({ length: n }, (_, i) => `X-${i}: 1\r\n`).join('')
  test.each([
    ['a request line over 8 KB', get(`/api/echo?x=${'a'.repeat(8200)}`), 414],
    ['a request line of a megabyte', get(`/api/echo?x=${'a'.repeat(1_000_000)}`), 414],
    ['headers over 32 KB', get('/api/echo', header(33_000)), 431],
    ['headers of a megabyte', get('/api/echo', `${header(100)}${header(1_000_000)}`), 431],
    ['101 headers', get('/api/echo', many(99)), 431],
    ['a header byte above 127', Buffer.from(get('/api/echo', 'X-Odd: \xE4\r\n'), 'latin1'), 400],
    ['a path byte above 127', Buffer.from(get('/api/\xE4'), 'latin1'), 400],
    ['%00 in the path', get('/api/files/a%00b'), 400],
    ['// in the path', get('/api/files/a//b'), 404],
    ['a user in the host name', 'GET /api/echo HTTP/1.1\r\nHost: user@localhost\r\nConnection: close\r\n\r\n', 400],
    ['a path in the host name', 'GET /api/echo HTTP/1.1\r\nHost: localhost/x\r\nConnection: close\r\n\r\n', 400],
    ['two host names', get('/api/echo', 'Host: evil.example\r\n'), 400],
    ['a URL of another host', get('http://evil.example/api/echo'), 400],
    ['neither path nor URL', get('*'), 400],
  ])('%s', async (_title, bytes, status) => {
    const answer = await raw(portOf(host), bytes)
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(answer.split('\r\n\r\n')[1]).toBe('')
  })

  test.each([
    ['a request line of 8 KB', 200, get(`/api/echo?x=${'a'.repeat(8000)}`)],
    ['headers of 31 KB', 200, get('/api/echo', header(31_000))],
    ['100 headers', 200, get('/api/echo', many(98))],
    ['an escaped dot segment', 200, get('/api/files/%2e%2E/echo')],
    ['its own URL', 200, get('http://localhost/api/echo')],
    ['HTTP/1.0', old, 'GET /api/echo HTTP/1.0\r\n\r\n'],
  ])('%s is %s', async (_title, status, bytes) => {
    expect(await raw(portOf(host), bytes)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  })

  test('the app sees the path without dot segments', async () => {
    expect(await raw(portOf(host), get('/api/x/../echo?a=..'))).toMatch(/"url":"http:\/\/localhost(:\d+)?\/api\/echo\?a=\.\."/)
  })

  test('a body over the limit is a 413, announced or not, also of the management API', async () => {
    const body = new Uint8Array(2_000_001)
    const management = `${host.url}/runtime/webhooks/durabletask/orchestrators/x?code=${host.keys.system}`
    for (const url of [`${host.url}/api/echo`, management, `${host.url}/admin/functions/echo`])
      expect((await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } })).status).toBe(413)
    if (!('STREAMING' in env)) return
    const chunked = new ReadableStream({ start: (c) => (c.enqueue(body), c.close()) })
    const sent = { method: 'POST', body: chunked, duplex: 'half' } as RequestInit
    expect((await fetch(`${host.url}/api/echo`, sent)).status).toBe(413)
    expect(await (await fetch(`${host.url}/api/echo`, { method: 'POST', body: 'x' })).json()).toMatchObject({ size: 1 })
  })
})

describe('keys', () => {
  let host: Host
  beforeAll(async () => {
    host = await open({}, { enforceKeys: true })
  })
  afterAll(() => host.stop())
  const shouted = (key: string): string => encodeURIComponent(key.toUpperCase())

  test('compare without case', async () => {
    const { keys, url } = host
    expect((await fetch(`${url}/api/one?code=${shouted(keys.host)}`)).status).toBe(200)
    expect((await fetch(`${url}/api/one`, { headers: { 'x-functions-key': keys.master.toLowerCase() } })).status).toBe(200)
    expect((await fetch(`${url}/admin/host/status?code=${shouted(keys.master)}`)).status).toBe(200)
    expect((await fetch(`${url}/runtime/webhooks/durabletask/instances?code=${shouted(keys.system)}`)).status).toBe(200)
    expect((await fetch(`${url}/runtime/webhooks/durabletask/instances?code=${shouted(keys.host)}`)).status).toBe(403)
  })

  test('/admin: a known key that is not the master key is 403, an unknown one 401', async () => {
    const status = async (code: string): Promise<number> =>
      (await fetch(`${host.url}/admin/host/status?code=${encodeURIComponent(code)}`)).status
    expect([await status(host.keys.host), await status(host.keys.system), await status('wrong')]).toEqual([403, 403, 401])
  })
})

test('other machines are let in only with keys', async () => {
  await expect(open({}, { host: '0.0.0.0' })).rejects.toThrow(
    '--host 0.0.0.0 would let other machines call every function of this app. Start with --enable-auth too.',
  )
  const host = await open({}, { host: '0.0.0.0', enforceKeys: true })
  expect((await fetch(`${host.url}/api/pid`)).status).toBe(200)
  await host.stop()
})

test('a body that hardly comes is cut, one that the app does not read is not', async () => {
  const slow = await listen(async (x) => ({ status: 200, body: String((await x.body()).length) }), {
    port: 0,
    host: '127.0.0.1',
    bodyLimit: 1e9,
    log: () => undefined,
    slowBodyMs: 200,
  })
  expect(await raw(slow.port, `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx`)).toMatch(/^HTTP\/1\.1 408 /)
  await slow.close()
  // More than twice the time passes before anybody reads.
  const reading = Promise.withResolvers<void>()
  const late = await listen(
    async (x) => {
      await reading.promise
      return { status: 200, body: String((await x.body()).length) }
    },
    { port: 0, host: '127.0.0.1', bodyLimit: 1e9, log: () => undefined, slowBodyMs: 1500 },
  )
  const sent = fetch(`http://127.0.0.1:${late.port}/`, { method: 'POST', body: new Uint8Array(5_000_000) })
  setTimeout(() => reading.resolve(), 4000)
  expect(await (await sent).text()).toBe('5000000')
  await late.close()
})

describe('between host and worker', () => {
  test('headers of an answer that are meant for one connection stay there', async () => {
    const host = await open({ ...WIDE, STREAMING: '1' })
    const answer = await fetch(`${host.url}/api/headers`)
    expect([answer.headers.get('x-mine'), answer.headers.get('x-hop')]).toEqual(['1', null])
    await host.stop()
  })

  test('endToEnd drops what Connection names', () => {
    expect(endToEnd({ connection: 'Close, X-A', 'x-a': '1', 'x-b': '2', 'transfer-encoding': 'chunked', te: 'x' })).toEqual({
      'x-b': '2',
    })
  })

  test.each([
    ['headers of 20 KB', `X-Long: ${'h'.repeat(20_000)}\r\n`, 'its headers have 200'],
    ['Expect: something', 'Expect: something\r\n', 'it came with Expect: something'],
  ])('%s: no answer, and after functionTimeout another worker; said by name', async (_title, header, why) => {
    lines.length = 0
    const host = await open({ STREAMING: '1', languageWorkers__node__arguments: '' })
    const worker = await (await fetch(`${host.url}/api/pid`)).text()
    expect(await raw(portOf(host), get('/api/echo', header))).toBe('')
    // The old one is on its way out for a moment.
    const pid = async (): Promise<string> => (await fetch(`${host.url}/api/pid`)).text()
    await expect.poll(pid).toMatch(/^\d+$/)
    expect(await pid()).not.toBe(worker)
    const said = lines.filter((l) => l.startsWith('trap.http-hang: echo (http): '))
    expect(said).toEqual([expect.stringContaining(why)])
    expect(said[0]).toContain('languageWorkers__node__arguments=--max-http-header-size=65536')
    expect(lines.filter((l) => l.startsWith('trap.http-throw: echo'))).toEqual([])
    await host.stop()
  })

  test('maxConcurrentRequests holds until the answer has left', async () => {
    const host = await open({ ...WIDE, STREAMING: '1' }, { folder: narrow.folder })
    const first = await fetch(`${host.url}/api/drip`)
    const reader = first.body?.getReader()
    await reader?.read()
    let second = 'waits'
    const later = fetch(`${host.url}/api/pid`).then(() => (second = 'ran'))
    // The management API takes no place: once it has answered twice, the other request has arrived too.
    for (let i = 0; i < 2; i++) await fetch(`${host.url}/admin/host/status`)
    expect(second).toBe('waits')
    await reader?.cancel()
    await later
    expect(second).toBe('ran')
    await host.stop()
  })
})
