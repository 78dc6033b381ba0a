// What the host relies on in the two SDK packages: an upgrade has to run the contract tests again and look here.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { clientPayload } from '../../src/durable/api/payloads.ts'
import { executionStarted, taskCompleted, timerFired } from '../../src/durable/events.ts'
import { newInstance } from '../../src/durable/instance.ts'
import { orchestrationPayload } from '../../src/durable/payload.ts'
import { fixture } from '../support/fixture.ts'

const versionOf = (name: string): string =>
  (JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')) as { version: string }).version

test.each([
  ['@azure/functions', '4.16'],
  ['durable-functions', '3.5'],
])('%s is %s: when this fails, re-run the contract tests (test/host) before changing the number', (name, minor) => {
  expect(versionOf(name).split('.').slice(0, 2).join('.')).toBe(minor)
})

test('the stream proxy still names no address, and the core module is still required by this name', () => {
  const proxy = readFileSync('node_modules/@azure/functions/src/http/httpProxy.ts', 'utf8')
  expect(proxy).toContain('server.listen(() => {')
  expect(readFileSync('node_modules/@azure/functions/dist/azure-functions.js', 'utf8')).toContain(
    'require("@azure/functions-core")',
  )
})

test('one payload of each kind has the recorded members', () => {
  const recorded = readFileSync(fixture('durable/replay/subExplicit.kid.ndjson'), 'utf8').split('\n')[0] ?? ''
  const { payload } = JSON.parse(recorded) as { payload: { history: object[] } }
  const start = { instanceId: 'i', executionId: 'e', name: 'n', version: null, input: null, generation: null }
  const instance = newInstance(start, 0)
  expect(Object.keys(JSON.parse(orchestrationPayload(instance)) as object)).toEqual(Object.keys(payload))
  expect(Object.keys(executionStarted('t', start))).toEqual(Object.keys(payload.history[1] ?? {}))
  expect(Object.keys(taskCompleted('t', 0, null))).toEqual([
    'EventType',
    'TaskScheduledId',
    'Result',
    'EventId',
    'IsPlayed',
    'Timestamp',
  ])
  expect(Object.keys(timerFired('t', 0, 't'))).toEqual(['EventType', 'TimerId', 'FireAt', 'EventId', 'IsPlayed', 'Timestamp'])
  const binding = readFileSync(fixture('durable/http/hostHttp.json'), 'utf8')
  const { exchanges } = JSON.parse(binding) as {
    exchanges: { request: { path: string }; response: { body: { data: object } } }[]
  }
  const { data } = exchanges.find((e) => e.request.path === '/api/binding')?.response.body ?? { data: {} }
  expect(Object.keys(JSON.parse(clientPayload({ origin: 'o', hub: 'h', code: 'c' }, 'r')) as object)).toEqual(Object.keys(data))
})
