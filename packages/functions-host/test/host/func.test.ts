// Apps written for the real host, started with its command line.
import { execFileSync } from 'node:child_process'
import { createServer } from 'node:net'
import { dirname, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { appOf, FUNC, func } from '../support/func.ts'
import { until } from '../../src/testing/until.ts'
import { fixture } from '../support/fixture.ts'

const APPS = fixture('apps')

async function ended(url: string): Promise<{ runtimeStatus: string; output: unknown }> {
  return until('the instance has ended', async () => {
    const status = (await (await fetch(url)).json()) as { runtimeStatus: string; output: unknown }
    return ['Completed', 'Failed', 'Terminated'].includes(status.runtimeStatus) ? status : undefined
  })
}
const post = (url: string, body: unknown): Promise<Response> =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

describe('foreign apps run unmodified', () => {
  test('CommonJS: settings, a fan-out over children, ready output in its order, Ctrl-C ends with 0', async () => {
    const run = await func(['start', '--script-root', `${APPS}/cjs`, '--port', '0', '--traps', 'error'])
    expect(run.output()).toMatch(
      /^The app runs on Node v\d+\.\d+\.\d+ \(.+\)\.\n\[\S+Z\] Worker process started and initialized\.\n\nFunctions:\n\n\tdouble: activityTrigger\n\n[\s\S]*\tstart: \[POST\] http:\/\/localhost:\d+\/api\/start\/\{name\}\n\n[\s\S]*For detailed output, run func with --verbose flag\.\n\[\S+Z\] Host lock lease acquired by instance ID '[0-9a-f]{32}'\.\n/,
    )
    expect(await (await fetch(`${run.url}/admin/host/status`)).json()).toMatchObject({ state: 'Running' })
    expect(await (await fetch(`${run.url}/api/setting`)).json()).toEqual({ value: 'hello' })
    expect(run.output()).toMatch(
      /Executing 'Functions\.setting' \(Reason='This function was programmatically called via the host APIs\.', Id=[0-9a-f-]{36}\)\n.* Executed 'Functions\.setting' \(Succeeded, Id=[0-9a-f-]{36}, Duration=\d+ms\)/,
    )
    const started = await post(`${run.url}/api/start/parent`, { count: 30 })
    const { statusQueryGetUri } = (await started.json()) as { statusQueryGetUri: string }
    expect([started.status, started.headers.get('retry-after')]).toEqual([202, '10'])
    expect(await ended(statusQueryGetUri)).toMatchObject({ runtimeStatus: 'Completed', output: { sum: 870 } })
    run.child.kill('SIGINT')
    expect(await run.ended).toBe(0)
  })

  test('ES modules by a glob: streaming, a route prefix, hooks, an event that beats a timer', async () => {
    const run = await func(['host', 'start', '--script-root', `${APPS}/esm`, '-p', '0', '--traps', 'error'])
    const answer = await fetch(`${run.url}/v1/upper`, {
      method: 'POST',
      body: 'streamed',
      headers: { 'content-type': 'text/plain' },
    })
    expect([answer.status, await answer.text(), answer.headers.get('x-invocations')]).toEqual([200, 'STREAMED', '1'])
    expect(answer.headers.get('x-ms-invocation-id')).toMatch(/^[0-9a-f-]{36}$/)
    const links = (await (await post(`${run.url}/v1/waits/one`, {})).json()) as Record<string, string>
    expect((await post(String(links['sendEventPostUri']).replace('{eventName}', 'go'), { now: true })).status).toBe(202)
    expect(await ended(String(links['statusQueryGetUri']))).toMatchObject({ output: { got: { now: true } } })
    run.child.kill('SIGTERM')
    expect(await run.ended).toBe(0)
  })

  test('compiled TypeScript: a retried call, an answer that waits for the end', async () => {
    execFileSync('node_modules/.bin/tsc', ['-p', `${APPS}/ts`])
    const run = await func(['start', '--no-build', '--script-root', `${APPS}/ts`, '--port=0', '--traps', 'error'])
    expect(run.output()).toContain('Accepted and without effect here: --no-build')
    const answer = await post(`${run.url}/api/orders`, { items: 6 })
    expect([answer.status, await answer.json()]).toEqual([200, { total: 42 }])
    run.child.kill('SIGINT')
    expect(await run.ended).toBe(0)
  })

  test('lhost is the same', () => {
    for (const name of ['func', 'lhost'])
      expect(execFileSync(resolve(dirname(FUNC), name), ['--version'], { encoding: 'utf8' })).toBe('4.0.0\n')
  })

  test('--functions starts only these, --enable-auth wants keys, a disabled function is none', async () => {
    const env = { 'AzureWebJobs.child.Disabled': 'true' }
    const some = ['--functions', 'start', 'parent', 'child', 'setting']
    const run = await func(['start', '--script-root', `${APPS}/cjs`, '--port', '0', '--enable-auth', ...some], env)
    expect(run.output()).not.toMatch(/double|nightly|child/)
    expect((await fetch(`${run.url}/admin/host/status`)).status).toBe(401)
    expect((await fetch(`${run.url}/api/setting`)).status).toBe(200)
    run.child.kill('SIGTERM')
    expect(await run.ended).toBe(0)
  })
})

const HTTP = `require('@azure/functions').app.http('x', { handler: () => ({}) });`
const REFUSED: readonly { title: string; files: Record<string, string>; says: string; linked?: boolean }[] = [
  {
    title: 'an entity',
    files: { 'index.js': `require('durable-functions').app.entity('counter', () => undefined)` },
    says: "Entity function 'counter' is not supported by the local host (entities, callEntity, signalEntity, df.lock). LHOST_UNSUPPORTED=warn leaves such functions out.",
  },
  {
    title: 'a queue trigger',
    files: {
      'index.js': `require('@azure/functions').app.storageQueue('q', { queueName: 'a', connection: 'b', handler: () => undefined })`,
    },
    says: "Function 'q' has a binding of type 'queueTrigger', which the local host does not support.",
  },
  {
    title: 'an unknown hook',
    files: { 'index.js': `${HTTP} require('@azure/functions-core').registerHook('nope', () => undefined)` },
    says: 'Worker was unable to load entry point "index.js": RangeError: Unrecognized hook "nope"',
  },
  {
    title: 'a schedule that is none',
    files: { 'index.js': `require('@azure/functions').app.timer('t', { schedule: '0 0 0 L * *', handler: () => undefined })` },
    says: "The schedule expression '0 0 0 L * *' was not recognized as a valid cron expression or timespan string.",
  },
  {
    title: 'no file for main',
    files: { 'package.json': '{ "main": "dist/*.js" }' },
    says: 'unable to load entry point "dist/*.js": no file matches',
  },
  {
    title: 'an entry point that throws',
    files: { 'index.js': `throw new Error('broken on purpose')` },
    says: 'Worker was unable to load entry point "index.js": Error: broken on purpose',
  },
  { title: 'no function', files: { 'index.js': '' }, says: 'it registered no function' },
  {
    title: 'two functions of one name',
    files: { 'index.js': HTTP + HTTP },
    says: 'A function with id "x" has already been registered.',
  },
  { title: 'broken host.json', files: { 'index.js': HTTP, 'host.json': '{' }, says: 'host.json cannot be read as JSON' },
  {
    title: 'host.json 1.0',
    files: { 'index.js': HTTP, 'host.json': '{ "version": "1.0" }' },
    says: 'host.json has version "1.0"; only "2.0" is supported.',
  },
  {
    title: 'a setting that is not there',
    files: { 'index.js': `require('@azure/functions').app.timer('t', { schedule: '%NOWHERE%', handler: () => undefined })` },
    says: "'%NOWHERE%' does not resolve to a value.",
  },
  {
    title: 'encrypted settings',
    files: { 'index.js': HTTP, 'local.settings.json': '{ "IsEncrypted": true }' },
    says: 'local.settings.json is encrypted.',
  },
  {
    title: 'durable-functions 4',
    linked: false,
    files: { 'index.js': '', 'node_modules/durable-functions/package.json': '{ "version": "4.0.1" }' },
    says: 'durable-functions 4.0.1 is not supported by the local host',
  },
]

describe('what cannot be started ends with 1 and says why', () => {
  test.concurrent.each(REFUSED)('$title', async ({ files, says, linked }) => {
    const app = appOf(files, linked)
    try {
      await expect(func(['start', '--script-root', app.folder, '--port', '0'])).rejects.toThrow(says)
      await expect(func(['start', '--script-root', app.folder, '--port', '0'])).rejects.toThrow('exit 1:')
    } finally {
      app.remove()
    }
  })

  test('a taken port, --useHttps, a number that is none, an unknown command', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await new Promise((done) => taken.once('listening', done))
    const { port } = taken.address() as { port: number }
    await expect(func(['start', '--script-root', `${APPS}/cjs`, '--port', String(port)])).rejects.toThrow(
      `Port ${port} is unavailable. Close the process using that port, or specify another port using --port [-p].`,
    )
    taken.close()
    await expect(func(['start', '--useHttps'])).rejects.toThrow('--useHttps is not supported')
    await expect(func(['start', '--port', 'x'])).rejects.toThrow("--port takes a number from 0 on, not 'x'.")
    await expect(func(['azure', 'login'])).rejects.toThrow("Unknown command 'azure login'.")
  })

  test('LHOST_UNSUPPORTED=warn leaves such functions out and says so', async () => {
    const app = appOf({ 'index.js': `require('durable-functions').app.entity('counter', () => undefined); ${HTTP}` })
    const run = await func(['start', '--script-root', app.folder, '--port', '0'], { LHOST_UNSUPPORTED: 'warn' })
    expect(run.output()).toContain("warning: Entity function 'counter' is not supported")
    expect((await fetch(`${run.url}/api/x`)).status).toBe(200)
    run.child.kill('SIGTERM')
    expect(await run.ended).toBe(0)
    app.remove()
  })
})
