// Rules of the engine that no recording shows: versions, limits, refused APIs, ids of children, what outlives continueAsNew.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { HistoryEvent } from '../../src/durable/events.ts'
import { type Host, startHost } from '../support/host.ts'
import { appOf } from '../support/func.ts'

const SOURCE = `
const df = require('durable-functions')
const O = (name, handler) => df.app.orchestration(name, handler)
df.app.activity('echo', { handler: (x) => x })
O('plain', function* (c) { yield c.df.callActivity('echo', { n: 1 }); return { id: c.df.instanceId } })
O('http', function* (c) { yield c.df.callHttp({ method: 'GET', url: 'http://localhost/' }) })
O('entity', function* (c) { yield c.df.callEntity(new df.EntityId('counter', 'x'), 'get') })
O('signal', function* (c) { c.df.signalEntity(new df.EntityId('counter', 'x'), 'add', 1); yield c.df.callActivity('echo', {}) })
O('ownId', function* (c) { yield c.df.callSubOrchestrator('plain', {}, c.df.instanceId) })
O('parentOf', function* (c) { return yield c.df.callSubOrchestrator('toParent', {}) })
O('toParent', function* (c) { yield c.df.callSubOrchestrator('plain', {}, c.df.parentInstanceId) })
O('tooMany', function* (c) { for (let n = 0; n < 30; n++) yield c.df.callActivity('echo', { n }) })
O('again', function* (c) {
  const { round } = c.df.getInput()
  if (round === 0) c.df.setCustomStatus({ set: 'in round 0' })
  yield c.df.callActivity('echo', {})
  if (round < 2) return c.df.continueAsNew({ round: round + 1 })
  return {}
})
O('branches', function* (c) {
  if (c.df.version === '1.0') return [yield c.df.callActivity('echo', 'old'), yield c.df.callActivity('echo', 'old')]
  return [yield c.df.callActivity('echo', 'new')]
})
df.app.activity('throws', { handler: () => { throw new Error('on purpose') } })
O('failing', function* (c) { yield c.df.callActivity('throws', {}) })
O('parentOfFailing', function* (c) { try { yield c.df.callSubOrchestrator('failing', {}) } catch { } return {} })
O('waits', function* (c) { return { got: yield c.df.waitForExternalEvent('go') } })
O('parentOfWaiting', function* (c) { try { return yield c.df.callSubOrchestrator('waits', {}, c.df.instanceId + ':kid') } catch (e) { return { failed: e.message.split('\\n')[0].trim() } } })
`
const HOST = { version: '2.0', extensions: { durableTask: { defaultVersion: '1.5', maxOrchestrationActions: 20 } } }
const app = appOf({ 'index.js': SOURCE, 'host.json': JSON.stringify(HOST) })
const versions = new Map<string, string[]>()
const histories = new Map<string, HistoryEvent[][]>()
const lines: string[] = []
let host: Host

beforeAll(async () => {
  host = await startHost({
    folder: app.folder,
    port: 0,
    log: (_level, message) => void lines.push(message),
    traps: 'off',
    env: process.env,
    onReplay: (id, payload) => {
      const { history } = JSON.parse(payload) as { history: HistoryEvent[] }
      histories.set(id, [...(histories.get(id) ?? []), history])
      versions.set(id, [...(versions.get(id) ?? []), String(history.find((e) => e.OrchestrationInstance)?.Version)])
    },
  })
})
afterAll(async () => {
  await host.stop()
  app.remove()
})

interface Status {
  readonly runtimeStatus: string
  readonly output: unknown
  readonly customStatus: unknown
}
const call = (method: string, path: string, body?: string): Promise<Response> =>
  fetch(`${host.url}/runtime/webhooks/durabletask/${path}${path.includes('?') ? '&' : '?'}code=${host.keys.system}`, {
    method,
    ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
  })
const status = async (id: string): Promise<Status> =>
  (await (await call('GET', `instances/${encodeURIComponent(id)}`)).json()) as Status
async function run(name: string, query = '', input: object = {}, timeout = 30): Promise<Status> {
  await call('POST', `orchestrators/${name}/${name}?timeout=${timeout}${query}`, JSON.stringify(input))
  return status(name)
}

test.each([
  ['http', 'callHttp is not supported by the local host'],
  ['entity', 'callEntity is not supported by the local host'],
  ['signal', 'signalEntity is not supported by the local host'],
  ['ownId', "The child 'plain' has the ID of the orchestration itself or of its parent: 'ownId'."],
  [
    'tooMany',
    'Maximum amount of orchestration actions (20) has been reached. This value can be configured in host.json file as MaxOrchestrationActions.',
  ],
])('%s fails by name', async (name, text) => {
  expect(await run(name)).toMatchObject({ runtimeStatus: 'Failed', output: `Orchestrator function '${name}' failed: ${text}` })
})

test('a child with the id of its parent fails, and so does the parent', async () => {
  const { runtimeStatus, output } = await run('parentOf')
  expect(runtimeStatus).toBe('Failed')
  expect(output).toContain("has the ID of the orchestration itself or of its parent: 'parentOf'.")
})

test('the version of a start goes into its history, the default of host.json without one; continueAsNew keeps it', async () => {
  await run('plain', '&version=1.2')
  expect(new Set(versions.get('plain'))).toEqual(new Set(['1.2']))
  // It never ends by itself: one second is enough to see its first replay.
  await run('waits', '', {}, 1)
  expect(new Set(versions.get('waits'))).toEqual(new Set(['1.5']))
  await run('again', '&version=1', { round: 0 })
  expect(new Set(versions.get('again'))).toEqual(new Set(['1']))
})

test('an instance of an older version finishes on its branch, beside one of the new version; a newer one waits, and is not run', async () => {
  expect(await run('branches', '&version=1.0')).toMatchObject({ runtimeStatus: 'Completed', output: ['old', 'old'] })
  expect(await run('branches')).toMatchObject({ runtimeStatus: 'Completed', output: ['new'] })
  // Before there were versions.
  expect(await run('branches', '&version=')).toMatchObject({ runtimeStatus: 'Completed' })
  versions.delete('branches')
  expect(await run('branches', '&version=1.10', {}, 1)).toMatchObject({ runtimeStatus: 'Pending', output: null })
  expect(versions.has('branches')).toBe(false)
  expect(lines.filter((line) => line.includes('has the version 1.10, and this host runs 1.5 (CurrentOrOlder)'))).toHaveLength(1)
  await call('POST', 'instances/branches/terminate?reason=x')
})

test('a custom status outlives continueAsNew', async () => {
  expect(await run('again', '', { round: 0 })).toMatchObject({ runtimeStatus: 'Completed', customStatus: { set: 'in round 0' } })
})

test('what opens a continued generation was played in its second episode; what user code adds never is', async () => {
  await run('again', '&version=1', { round: 0 })
  const played = histories.get('again')?.map((h) => h.map((e) => `${e.EventType}${e.IsPlayed ? ' played' : ''}`).join(', '))
  expect(new Set(played)).toEqual(
    new Set(['12, 0', '12, 0 played, 4, 13, 12, 5', '12, 0, 13', '12, 0 played, 13 played, 4, 13, 12, 5']),
  )
})

test('details of a failed child do not say again which orchestrator failed', async () => {
  await run('parentOfFailing', '')
  const failed = histories
    .get('parentOfFailing')
    ?.at(-1)
    ?.find((e) => e.EventType === 9)
  expect(failed?.Reason).toMatch(/^Orchestrator function 'failing' failed: Activity function 'throws' failed: {2}on purpose/)
  expect(failed?.Details).toMatch(/^Message: Activity function 'throws' failed: {2}on purpose/)
})

test('a terminated child fails its parent with the reason; a suspended one can be terminated', async () => {
  await call('POST', 'orchestrators/parentOfWaiting/p1', '{}')
  await expect.poll(async () => (await call('GET', 'instances/p1:kid')).status).toBe(202)
  await call('POST', 'instances/p1:kid/suspend?reason=hold')
  await expect.poll(async () => (await status('p1:kid')).runtimeStatus).toBe('Suspended')
  expect((await call('POST', 'instances/p1:kid/terminate?reason=enough')).status).toBe(202)
  await expect.poll(async () => status('p1')).toMatchObject({ runtimeStatus: 'Completed', output: { failed: 'enough' } })
  expect(await status('p1:kid')).toMatchObject({ runtimeStatus: 'Terminated', output: 'enough' })
})

test('a child whose id belongs to a running instance replaces that instance, as recorded', async () => {
  await call('POST', 'orchestrators/waits/p2:kid', '{}')
  await expect.poll(async () => (await status('p2:kid')).runtimeStatus).toBe('Running')
  await call('POST', 'orchestrators/parentOfWaiting/p2', '{}')
  await expect.poll(() => new Set(versions.get('p2:kid')).size + (versions.get('p2:kid')?.length ?? 0)).toBeGreaterThanOrEqual(3)
  await call('POST', 'instances/p2:kid/raiseEvent/go', '{"to":"the child"}')
  await expect.poll(async () => status('p2')).toMatchObject({ output: { got: { to: 'the child' } } })
})
