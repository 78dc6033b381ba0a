// User code that crashes, eats all memory, loops for ever or is cut off: the host lives on, and what ran ends as on the real one.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type Host, startHost } from '../support/host.ts'
import { appOf, func } from '../support/func.ts'
import { alive } from '../../src/testing/processes.ts'

const SOURCE = `
const { appendFileSync } = require('node:fs')
const { app } = require('@azure/functions')
const df = require('durable-functions')
const A = (name, handler) => df.app.activity(name, { handler })
A('exit', ({ code }) => { process.exit(code) })
A('kill', () => { process.kill(process.pid, 'SIGKILL') })
A('memory', () => { const all = []; for (;;) all.push(new Array(1e6).fill({})) })
A('loop', () => { for (;;); })
A('rejects', async () => { void Promise.reject(new Error('nobody catches this')); await new Promise((r) => setTimeout(r, 5000)) })
A('echo', (x) => x)
A('mark', async ({ n }) => { await new Promise((r) => setTimeout(r, 20)); appendFileSync(process.env.MARKS, n + '\\n'); return {} })
A('endless', () => new Promise(() => undefined))
df.app.orchestration('one', function* (c) {
  const { activity, input } = c.df.getInput()
  try { return yield c.df.callActivity(activity, input ?? {}) } catch (e) { return { failed: e.message.split('\\n')[0].trim() } }
})
df.app.orchestration('many', function* (c) {
  yield c.df.Task.all(Array.from({ length: 50 }, (_, n) => c.df.callActivity('mark', { n })))
  return {}
})
df.app.orchestration('stays', function* (c) { return yield c.df.callActivity('endless', {}) })
app.http('pid', { handler: () => ({ jsonBody: { pid: process.pid } }) })
app.http('begin', { extraInputs: [df.input.durableClient()], handler: async (r, c) => ({ body: await df.getClient(c).startNew('many', { input: {} }) }) })
app.http('die', { handler: () => { process.exit(7) } })
`
const app = appOf({ 'index.js': SOURCE, 'host.json': '{ "version": "2.0", "functionTimeout": "00:00:08" }' })
afterAll(() => app.remove())
const marks = join(app.folder, 'marks')

const startUrl = (url: string, key: string, name: string): string =>
  `${url}/runtime/webhooks/durabletask/orchestrators/${name}?timeout=60&pollingInterval=1&code=${key}`
async function run(host: Host, activity: string, input: object = {}): Promise<unknown> {
  const body = JSON.stringify({ activity, input })
  const headers = { 'content-type': 'application/json' }
  return (await fetch(startUrl(host.url, host.keys.system, 'one'), { method: 'POST', body, headers })).json()
}
const numbersOf = (): string[] => readFileSync(marks, 'utf8').split('\n').filter(Boolean)
const lines: string[] = []
/** A host of its own: the wait before a new worker grows with each death. */
async function withHost(test: (host: Host) => Promise<void>): Promise<void> {
  const env = { ...process.env, NODE_OPTIONS: '--max-old-space-size=64' }
  const host = await startHost({ folder: app.folder, port: 0, log: (_level, line) => void lines.push(line), env, traps: 'warn' })
  try {
    await test(host)
  } finally {
    await host.stop()
  }
}

describe('one worker after the other', () => {
  test('an HTTP request whose worker dies is a 500, the next one gets a new worker', () =>
    withHost(async (host) => {
      const { workerPid } = host
      expect((await fetch(`${host.url}/api/die`)).status).toBe(500)
      expect(((await (await fetch(`${host.url}/api/pid`)).json()) as { pid: number }).pid).not.toBe(workerPid)
      expect(lines.join('\n')).toContain('Worker process ended with 7 while running: die')
    }))

  test.concurrent.each([
    ['exit', { code: 3 }, "Activity function 'exit' failed: node exited with code 3 (0x3)"],
    ['kill', {}, "Activity function 'kill' failed: node exited with code 128 (0x80)"],
    ['memory', {}, "Activity function 'memory' failed: node exited with code"],
    ['rejects', {}, "Activity function 'rejects' failed: node exited with code 1 (0x1)"],
    ['loop', {}, 'Timeout value of 00:00:08 was exceeded by function: Functions.loop'],
  ])('%s: its activity fails by name, the next one runs', (activity, input, text) =>
    withHost(async (host) => {
      expect(await run(host, activity, input)).toEqual({ failed: expect.stringContaining(text) })
      expect(await run(host, 'echo', { still: 'here' })).toEqual({ still: 'here' })
      expect((await fetch(`${host.url}/admin/host/ping`)).status).toBe(200)
    }),
  )

  test('a status is answered while an activity blocks its worker', () =>
    withHost(async (host) => {
      const blocked = run(host, 'loop')
      const url = `${host.url}/runtime/webhooks/durabletask/instances?code=${host.keys.system}&runtimeStatus=Running`
      await expect.poll(async () => ((await (await fetch(url)).json()) as unknown[]).length).toBeGreaterThan(0)
      expect(await blocked).toHaveProperty('failed')
    }))
})

describe('a stop', () => {
  const command = ['start', '--script-root', app.folder, '--port', '0']
  async function started(grace: string) {
    rmSync(marks, { force: true })
    writeFileSync(marks, '')
    const process = await func([...command, '--grace', grace], { MARKS: marks })
    const answer = await fetch(`${process.url}/api/pid`)
    return { process, worker: ((await answer.json()) as { pid: number }).pid }
  }

  test('during short activities: exit 0, nothing that had finished is repeated, no process is left', async () => {
    const { process, worker } = await started('10')
    await fetch(`${process.url}/api/begin`)
    await expect.poll(numbersOf).not.toEqual([])
    process.child.kill('SIGTERM')
    expect(await process.ended).toBe(0)
    const numbers = numbersOf()
    expect(numbers.length).toBeGreaterThan(0)
    expect(new Set(numbers).size).toBe(numbers.length)
    expect(alive(worker)).toBe(false)
  })

  test('kill -9 of the host: its worker ends by itself', async () => {
    const { process, worker } = await started('10')
    process.child.kill('SIGKILL')
    expect(await process.ended).toBe(null)
    await expect.poll(() => alive(worker), { timeout: 10_000 }).toBe(false)
  })
})

test('what outlasts the grace time is cut off and named', async () => {
  const lines: string[] = []
  const host = await startHost({
    folder: app.folder,
    port: 0,
    log: (_l, line) => void lines.push(line),
    graceMs: 200,
    traps: 'off',
  })
  const started = await fetch(startUrl(host.url, host.keys.system, 'stays').replace('timeout=60', 'timeout=0'), {
    method: 'POST',
  })
  const { id } = (await started.json()) as { id: string }
  const other = startUrl(host.url, host.keys.system, 'many')
  await fetch(other.replace('timeout=60', 'timeout=0'), { method: 'POST' })
  await expect.poll(async () => ((await (await fetch(`${host.url}/api/pid`)).json()) as { pid: number }).pid).toBe(host.workerPid)
  const cut = await host.stop()
  expect(cut).toEqual([expect.objectContaining({ functionId: 'endless', instanceId: id })])
})
