// Every warning fires for its smallest offender; the product's own app runs in test/app under --traps error.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listInstances } from '../../src/durable/api/instances.ts'
import { Engine } from '../../src/durable/engine.ts'
import { TRAPS } from '../../src/durable/trap-rules.ts'
import { type Host, startHost } from '../support/host.ts'
import { appOf } from '../support/func.ts'

const SOURCE = `
const { app } = require('@azure/functions')
const df = require('durable-functions')
const A = (name, handler) => df.app.activity(name, { handler })
const O = (name, handler) => df.app.orchestration(name, handler)
const soon = (c, ms) => new Date(c.df.currentUtcDateTime.getTime() + ms)
A('echo', (x) => x)
A('fail', () => { throw new Error('no') })
A('busy', () => { const end = Date.now() + 1500; while (Date.now() < end); return {} })
A('exit', () => { process.exit(3) })
let times = 0
O('reused', function* (c) { const t = [1, 2, 3].map((n) => c.df.callActivity('echo', { n })); yield c.df.Task.any([t[0], t[1]]); yield c.df.Task.any([t[0], t[2]]); return {} })
O('retryInCompound', function* (c) { yield c.df.Task.all([c.df.callActivityWithRetry('fail', new df.RetryOptions(1, 1), {})]) })
O('retryTimeout', function* (c) { const r = new df.RetryOptions(1, 2); r.retryTimeoutInMilliseconds = 60000; return yield c.df.callActivityWithRetry('echo', r, {}) })
O('bareString', function* (c) { yield c.df.callActivity('echo', 'text'); return {} })
O('secretText', function* (c) { yield c.df.callActivity('echo', { url: 'https://x/y?sig=hunter2' }); return {} })
O('nondeterminism', function* (c) { yield c.df.callActivity(times++ === 0 ? 'echo' : 'fail', {}); return {} })
O('emptyError', function* () { throw 'a string' })
O('unknownFunction', function* (c) { yield c.df.callActivity('nowhere', {}) })
O('openTasks', function* (c) { const t = c.df.createTimer(soon(c, 1)); yield c.df.Task.any([c.df.callActivity('echo', {}), t]); return {} })
O('payloadSize', function* (c) { yield c.df.callActivity('echo', { text: 'x'.repeat(2000) }); return {} })
O('historySize', function* (c) { yield c.df.Task.all(Array.from({ length: 1300 }, (_, n) => c.df.callActivity('echo', { n }))); return {} })
O('quiet', function* (c) { yield c.df.callActivity('echo', { n: 1 }); return { n: 1 } })
O('eventLost', function* (c) { yield c.df.waitForExternalEvent('go'); return {} })
O('replayLog', function* (c) { c.log('again and again'); yield c.df.callActivity('echo', {}); yield c.df.callActivity('echo', {}); return {} })
O('blockedLoop', function* (c) { yield c.df.callActivity('busy', {}); return {} })
O('deathLoop', function* (c) { for (let i = 0; i < 3; i++) { try { yield c.df.callActivity('exit', {}) } catch { /* the next one */ } } return {} })
if (process.env.STREAMING) app.setup({ enableHttpStream: true })
app.http('throws', { handler: () => { throw new Error('in a stream') } })
app.http('nothing', { handler: () => undefined })
`
const app = appOf({ 'index.js': SOURCE })
afterAll(() => app.remove())
const ROOT = '/runtime/webhooks/durabletask'

/** A host and what it logged. */
async function open(traps: 'warn' | 'error' | 'off', env: Record<string, string> = {}): Promise<{ host: Host; lines: string[] }> {
  const lines: string[] = []
  const host = await startHost({
    folder: app.folder,
    port: 0,
    log: (_level, message) => void lines.push(message),
    traps,
    env: { ...process.env, ...env },
  })
  return { host, lines }
}

async function run(
  host: Host,
  name: string,
  input: unknown = {},
  wait = 20,
): Promise<{ runtimeStatus?: string; output?: unknown; id?: string }> {
  const url = `${host.url}${ROOT}/orchestrators/${name}/${name}?timeout=${wait}&pollingInterval=1&code=${host.keys.system}`
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(input),
  })
  return (await answer.json()) as object
}
const manage = (host: Host, method: string, path: string, body?: string): Promise<Response> =>
  fetch(`${host.url}${ROOT}/${path}${path.includes('?') ? '&' : '?'}code=${host.keys.system}`, {
    method,
    ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
  })
const warned = (lines: readonly string[], code: string, fn: string): string[] =>
  lines.filter((l) => l.startsWith(`${code}: `) && l.split(':')[1]?.includes(fn))

/** Code → orchestrator; what hangs on the real host waits a second only. */
const OFFENDERS: readonly [code: keyof typeof TRAPS, name: string, input?: unknown, where?: string][] = [
  ['trap.reused-task', 'reused'],
  ['trap.retry-in-compound', 'retryInCompound'],
  ['trap.retry-timeout', 'retryTimeout'],
  ['trap.bare-string', 'bareString'],
  ['trap.secret-text', 'secretText'],
  ['trap.nondeterminism', 'nondeterminism'],
  ['trap.empty-error', 'emptyError'],
  ['trap.unknown-function', 'unknownFunction'],
  ['trap.open-tasks', 'openTasks'],
  ['trap.payload-size', 'payloadSize'],
  ['trap.history-size', 'historySize'],
  ['trap.timestamp-key', 'quiet', { Timestamp: '2026-01-01T00:00:00Z' }],
  ['trap.replay-log', 'replayLog'],
  ['trap.blocked-loop', 'blockedLoop', {}, 'busy (blockedLoop)'],
  ['worker.death-loop', 'deathLoop'],
]

describe('--traps warn: each is said once, with its sentence', () => {
  let host: Host
  let lines: string[]
  beforeAll(async () => {
    ;({ host, lines } = await open('warn'))
  })
  afterAll(() => host.stop())

  test.each(OFFENDERS)('%s', async (code, name, input, where = name) => {
    await run(host, name, input, code === 'trap.empty-error' ? 1 : 30)
    await expect.poll(() => warned(lines, code, where).length, { timeout: 10_000 }).toBe(1)
    expect(warned(lines, code, where)[0]).toContain(TRAPS[code][1])
    expect(lines.join()).not.toContain('hunter2')
  })

  test('trap.event-lost', async () => {
    await run(host, 'eventLost', {}, 0)
    await manage(host, 'POST', 'instances/eventLost/raiseEvent/other', '{}')
    await manage(host, 'POST', 'instances/eventLost/raiseEvent/go', '{}')
    await expect.poll(() => warned(lines, 'trap.event-lost', 'eventLost').length).toBe(1)
  })

  test('trap.id-reuse, trap.id, trap.purge-live', async () => {
    await run(host, 'replayLog')
    expect(warned(lines, 'trap.id-reuse', 'replayLog')).toHaveLength(1)
    await manage(host, 'POST', 'orchestrators/eventLost/a%20b', '{}')
    expect(warned(lines, 'trap.id', 'eventLost')).toHaveLength(1)
    await manage(host, 'DELETE', 'instances?createdTimeFrom=2000-01-01&instanceIdPrefix=a%20b')
    expect(warned(lines, 'trap.purge-live', 'eventLost')).toHaveLength(1)
  })

  test('a well-behaved orchestrator is silent', async () => {
    const before = lines.filter((l) => /^(trap|worker)\./.test(l) && l.includes('silent')).length
    const url = `${host.url}${ROOT}/orchestrators/quiet/silent?timeout=20&code=${host.keys.system}`
    await fetch(url, { method: 'POST', body: '{"n":1}', headers: { 'content-type': 'application/json' } })
    expect(lines.filter((l) => /^(trap|worker)\./.test(l) && l.includes('silent')).length).toBe(before)
  })
})

describe('--traps error: what is marked so fails by name', () => {
  let host: Host
  beforeAll(async () => {
    ;({ host } = await open('error'))
  })
  afterAll(() => host.stop())

  test.each(OFFENDERS.filter(([code]) => TRAPS[code][0]))('%s', async (code, name, input) => {
    const { runtimeStatus, output } = await run(host, name, input)
    expect(runtimeStatus).toBe('Failed')
    expect(output).toContain(code)
  })
})

test('--traps off: an unknown function hangs as on the real host', async () => {
  const { host, lines } = await open('off')
  expect(await run(host, 'unknownFunction', {}, 1)).toMatchObject({ id: 'unknownFunction' })
  expect(await (await manage(host, 'GET', 'instances/unknownFunction')).json()).toMatchObject({ runtimeStatus: 'Running' })
  expect(lines.filter((l) => l.startsWith('trap.'))).toEqual([])
  await host.stop()
})

test('trap.http-throw: a streamed request without an answer ends with 500 at once', async () => {
  const { host, lines } = await open('warn', { STREAMING: '1' })
  expect((await fetch(`${host.url}/api/throws`)).status).toBe(500)
  expect((await fetch(`${host.url}/api/nothing`)).status).toBe(500)
  expect(warned(lines, 'trap.http-throw', 'throws')).toHaveLength(1)
  expect(warned(lines, 'trap.http-throw', 'nothing')).toHaveLength(1)
  await host.stop()
})

test('trap.list-all: a listing beyond 1,000 rows', () => {
  const codes: string[] = []
  const engine = new Engine({
    runOrchestrator: () => new Promise(() => undefined),
    runActivity: () => new Promise(() => undefined),
    orchestrators: () => ['o'],
    hasActivity: () => true,
    now: () => 0,
    setTimer: () => () => undefined,
    maxActivities: 1,
    maxOrchestrators: 1,
    maxActions: 1,
    maxBatch: 1,
    versioning: { own: null, match: 'None', failure: 'Reject' },
    onTrap: (code) => codes.push(code) < 0,
  })
  for (let n = 0; n < 1100; n++) engine.start('o', `i${String(n).padStart(4, '0')}`, null)
  const request = {
    method: 'GET',
    path: ['instances'],
    href: '',
    origin: '',
    contentType: '',
    rpc: true,
    body: () => Promise.resolve(''),
  }
  const page = (continuation: string) => listInstances(engine, { ...request, query: new URLSearchParams(), continuation })
  let token = ''
  const ids: string[] = []
  do {
    const { headers = {}, body } = page(token)
    ids.push(...(body as { instanceId: string }[]).map((i) => i.instanceId))
    token = headers['x-ms-continuation-token'] ?? ''
  } while (token)
  expect(new Set(ids).size).toBe(1100)
  expect(new Set(codes)).toEqual(new Set(['trap.list-all']))
})
