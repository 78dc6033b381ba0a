// What the recordings do not show of HTTP: other machines' names, the client's port, limits, bad bytes, clients that leave.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Host, startHost } from '../support/host.ts'
import { appOf } from '../support/func.ts'
import { raw } from '../../src/testing/raw-http.ts'

const SOURCE = `
const { app } = require('@azure/functions')
const df = require('durable-functions')
if (process.env.STREAMING) app.setup({ enableHttpStream: true })
let release
app.http('hold', { handler: () => new Promise((resolve) => { release = () => resolve({ body: 'held' }) }) })
app.http('release', { handler: () => (release?.(), {}) })
app.http('framed', { handler: () => ({ headers: { 'X-Frame-Options': 'SAMEORIGIN' } }) })
app.http('echo', { methods: ['POST'], handler: async (request) => ({ body: await request.text() }) })
app.http('int', { route: 'n/{id:int:range(1,5)}', handler: (r) => ({ jsonBody: r.params }) })
app.http('word', { route: 'n/{word:alpha:length(2,4)}', handler: (r) => ({ jsonBody: r.params }) })
app.http('rest', { route: 'files/{*path}', handler: (r) => ({ jsonBody: r.params }) })
app.http('allFiles', { route: 'files', handler: () => ({ jsonBody: { all: 'files' } }) })
app.http('guid', { route: 'g/{id:guid}', handler: (r) => ({ jsonBody: r.params }) })
app.http('bool', { route: 'b/{flag:bool}', handler: (r) => ({ jsonBody: r.params }) })
app.http('code', { route: 'c/{code:regex(^[a-z]{{2}}$)}', handler: (r) => ({ jsonBody: r.params }) })
app.http('min', { route: 'm/{n:min(3)}', handler: (r) => ({ jsonBody: r.params }) })
app.http('client', { route: 'client', extraInputs: [df.input.durableClient()], handler: (r, c) => ({ jsonBody: df.getClient(c).clientData }) })
df.app.orchestration('wait', function* (context) { return yield context.df.waitForExternalEvent('go') })
app.timer('tick', { schedule: '0 0 3 1 1 *', handler: () => undefined })
`
const LIMITS = { version: '2.0', extensions: { http: { maxConcurrentRequests: 1, maxOutstandingRequests: 2 } } }
const HEADERS = {
  version: '2.0',
  extensions: { http: { customHeaders: { 'X-Frame-Options': 'DENY', 'Referrer-Policy': 'no-referrer' } } },
}
const app = appOf({ 'index.js': SOURCE, 'host.json': JSON.stringify(HEADERS) })
const limited = appOf({ 'index.js': SOURCE, 'host.json': JSON.stringify(LIMITS) })
afterAll(() => (app.remove(), limited.remove()))

const open = (folder: string, env: Record<string, string> = {}): Promise<Host> =>
  startHost({ folder, port: 0, log: () => undefined, traps: 'error', env: { ...process.env, ...env }, graceMs: 0 })

describe.each([
  { title: 'buffered', env: {} },
  { title: 'streaming', env: { STREAMING: '1' } },
])('$title', ({ env }) => {
  let host: Host
  beforeAll(async () => {
    host = await open(app.folder, env)
  })
  afterAll(() => host.stop())
  const port = (): number => Number(new URL(host.url).port)

  test.each([
    ['/api/n/3', 200, { id: '3' }],
    ['/api/n/0', 404, undefined],
    ['/api/n/6', 404, undefined],
    ['/api/n/ab', 200, { word: 'ab' }],
    ['/api/n/abcde', 404, undefined],
    ['/api/n/a1', 404, undefined],
    ['/api/files/a/b%20c', 200, { path: 'a/b c' }],
    ['/api/files', 200, { all: 'files' }],
    ['/api/files/', 200, { all: 'files' }],
    ['/api/files/a/', 200, { path: 'a/' }],
    ['/api/n/3/', 200, { id: '3' }],
    ['/api//n/3', 404, undefined],
    ['/api/files/a//b', 404, undefined],
    ['/api/g/0f8fad5b-d9cb-469f-a165-70867728950e', 200, { id: '0f8fad5b-d9cb-469f-a165-70867728950e' }],
    ['/api/g/0f8fad5b', 404, undefined],
    ['/api/b/TRUE', 200, { flag: 'TRUE' }],
    ['/api/b/1', 404, undefined],
    ['/api/c/ab', 200, { code: 'ab' }],
    ['/api/c/abc', 404, undefined],
    ['/api/m/3', 200, { n: '3' }],
    ['/api/m/2', 404, undefined],
    ['/api/n', 404, undefined],
  ])('%s → %i', async (path, status, params) => {
    const answer = await fetch(host.url + path)
    expect(answer.status).toBe(status)
    if (params) expect(await answer.json()).toEqual(params)
  })

  test.each([
    ['/api/b/true', 'DENY'],
    ['/api/nothing', 'DENY'],
    ['/admin/host/status', 'DENY'],
    ['/api/framed', 'SAMEORIGIN'],
  ])('customHeaders: %s has them, and its own wins: %s', async (path, frame) => {
    const { headers } = await fetch(host.url + path)
    expect([headers.get('x-frame-options'), headers.get('referrer-policy')]).toEqual([frame, 'no-referrer'])
  })

  test.each(['evil.example', 'evil.example:80', '10.0.0.1', '169.254.169.254', 'localhost.evil.example'])(
    'a request for the name %s is refused: a web page may have rebound it',
    async (name) => {
      const answer = await raw(port(), `GET /api/b/true HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`)
      expect(answer).toMatch(/^HTTP\/1\.1 403 /)
    },
  )

  test.each(['localhost', '127.0.0.1', '[::1]'])('%s is this machine', async (name) => {
    const answer = await raw(port(), `GET /api/b/true HTTP/1.1\r\nHost: ${name}:${port()}\r\nConnection: close\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
  })

  test('both loopback addresses answer, and nothing listens on another one', async () => {
    if (existsIpv6()) expect((await fetch(`http://[::1]:${port()}/api/b/true`)).status).toBe(200)
    expect(listeningElsewhere([process.pid, host.workerPid ?? 0])).toEqual([])
  })

  test.each(['ev"il<x>', 'a b', '[::1', '%', 'local^host', 'x'.repeat(3000), 'localhost:99999'])(
    'a Host that is no name, %j, is refused and ends nothing',
    async (name) => {
      const answer = await raw(port(), `GET /api/b/true HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`)
      expect(answer).toMatch(/^HTTP\/1\.1 40[03] /)
      expect((await fetch(`${host.url}/api/b/true`)).status).toBe(200)
    },
  )

  test.each(['not http at all\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', 'GET /\0 HTTP/1.1\r\nHost: localhost\r\n\r\n'])(
    'bytes %j end with 400 and the host lives on',
    async (bytes) => {
      expect(await raw(port(), bytes)).toMatch(/^HTTP\/1\.1 4\d\d /)
      expect((await fetch(`${host.url}/api/b/true`)).status).toBe(200)
    },
  )

  test('a client that leaves in the middle harms nothing', async () => {
    const leaving = new AbortController()
    const request = fetch(`${host.url}/api/hold`, { signal: leaving.signal })
    while ((await fetch(`${host.url}/api/b/true`)).status !== 200);
    leaving.abort()
    await expect(request).rejects.toThrow()
    expect((await fetch(`${host.url}/api/release`)).status).toBe(200)
    expect(await (await fetch(`${host.url}/api/echo`, { method: 'POST', body: 'still here' })).text()).toBe('still here')
  })

  test('the port of the client answers only below its random path', async () => {
    const { rpcBaseUrl } = (await (await fetch(`${host.url}/api/client`)).json()) as { rpcBaseUrl: string }
    const { origin, pathname } = new URL(rpcBaseUrl)
    expect((await fetch(`${rpcBaseUrl}instances`)).status).toBe(200)
    for (const path of ['/', '/durabletask/instances', pathname.replace(/^\/../, '/zz') + 'instances'])
      expect((await fetch(origin + path)).status).toBe(404)
    expect(
      await raw(
        Number(new URL(origin).port),
        `GET ${pathname}instances HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`,
      ),
    ).toMatch(/403/)
  })

  test.each([
    ['GET', '', 401],
    ['GET', '?code=wrong', 401],
    ['GET', '?code=HOST', 403],
    ['GET', '?code=SYSTEM', 200],
    ['GET', '?code=MASTER', 200],
    ['PUT', '?code=SYSTEM', 404],
    ['GET', '?code=SYSTEM&top=x', 200],
    ['DELETE', '?code=SYSTEM', 400],
    ['DELETE', '?code=SYSTEM&createdTimeFrom=bogus', 400],
    ['DELETE', '?code=SYSTEM&createdTimeFrom=2999-01-01T00:00:00Z', 404],
  ])('%s instances%s → %i', async (method, query, status) => {
    const { system, master, host: hostKey } = host.keys
    const keyed = query.replace('SYSTEM', system).replace('MASTER', master).replace('HOST', hostKey)
    expect((await fetch(`${host.url}/runtime/webhooks/durabletask/instances${keyed}`, { method })).status).toBe(status)
  })

  test.each(['%zz', '%', '%E0%A4%A'])('an instance whose escape is broken (%s) is a 400', async (id) => {
    const answer = await raw(
      port(),
      `GET /runtime/webhooks/durabletask/instances/${id}?code=${host.keys.system} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  })

  test('a continuation token from elsewhere is a 400', async () => {
    const url = `${host.url}/runtime/webhooks/durabletask/instances?code=${host.keys.system}`
    expect((await fetch(url, { headers: { 'x-ms-continuation-token': '%%%' } })).status).toBe(400)
  })

  test.each([
    ['tick', '{"input":""}', 202],
    ['nope', '{}', 404],
    ['tick', undefined, 400],
    ['tick', '{', 400],
  ])('POST /admin/functions/%s with %s → %i', async (name, body, status) => {
    const answer = await fetch(`${host.url}/admin/functions/${name}`, { method: 'POST', ...(body === undefined ? {} : { body }) })
    expect(answer.status).toBe(status)
  })
})

/** A host and a request that its worker has begun. */
async function holding(folder: string, graceMs: number): Promise<{ host: Host; held: Promise<Response> }> {
  const begun = Promise.withResolvers<void>()
  const log = (_level: string, line: string): void => {
    if (line.startsWith(`Executing 'Functions.hold'`)) begun.resolve()
  }
  const host = await startHost({ folder, port: 0, log, traps: 'error', graceMs })
  const held = fetch(`${host.url}/api/hold`)
  await begun.promise
  return { host, held }
}

test('maxConcurrentRequests queues, maxOutstandingRequests answers 429', async () => {
  const { host, held } = await holding(limited.folder, 0)
  // One runs and one waits: of two more, one is one too many and answered at once.
  const others = [1, 2].map(() => fetch(`${host.url}/api/b/true`))
  expect((await Promise.race(others)).status).toBe(429)
  expect((await fetch(`${host.url}/admin/host/status`)).status).toBe(200)
  await host.stop()
  await Promise.allSettled([held, ...others])
})

test('while it stops, functions answer 503 and the management API still answers', async () => {
  const { host, held } = await holding(app.folder, 30_000)
  const stopped = host.stop()
  const answer = await fetch(`${host.url}/api/release`)
  expect([answer.status, await answer.text()]).toEqual([503, 'Function host is not running.'])
  expect(await (await fetch(`${host.url}/admin/host/status`)).json()).toMatchObject({ state: 'Stopping' })
  expect((await fetch(`${host.url}/runtime/webhooks/durabletask/instances?code=${host.keys.system}`)).status).toBe(200)
  process.kill(host.workerPid ?? 0, 'SIGKILL')
  await stopped
  expect((await held).status).toBe(500)
})

const existsIpv6 = (): boolean => Object.values(networkInterfaces()).some((list) => list?.some((a) => a.address === '::1'))

/** Addresses other than loopback that one of these processes listens on, from the socket table. */
function listeningElsewhere(pids: readonly number[]): string[] {
  const found: string[] = []
  for (const pid of pids)
    for (const table of ['tcp', 'tcp6'])
      for (const line of readFileSync(`/proc/${pid}/net/${table}`, 'utf8').split('\n').slice(1)) {
        const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/)
        const address = local.split(':')[0] ?? ''
        if (state === '0A' && !/^(0100007F|0{24}01000000)$/.test(address) && ownsSocket(pid, inode ?? ''))
          found.push(`${pid} ${local}`)
      }
  return found
}

function ownsSocket(pid: number, inode: string): boolean {
  return readdirSync(`/proc/${pid}/fd`).some((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`
    } catch {
      // Closed since the folder was read.
      return false
    }
  })
}
