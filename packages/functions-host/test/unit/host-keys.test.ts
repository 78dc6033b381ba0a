import { expect, test } from 'vitest'
import { unknownKeys } from '../../src/host-keys.ts'

test('keys of the real host pass, also those that this one has no use for', () => {
  const http = { hsts: { isEnabled: true, maxAge: '10' }, CustomHeaders: {}, dynamicThrottlesEnabled: true }
  const durableTask = {
    hubName: 'x',
    versionMatchStrategy: 'CurrentOrOlder',
    versionFailureStrategy: 'Reject',
    tracing: { version: 'V2' },
    storageProvider: { anything: 1 },
    extendedSessionsEnabled: false,
  }
  expect(unknownKeys({ version: '2.0', extensions: { http, durableTask, queues: { batchSize: 1 } } })).toEqual([])
})

test('a misspelt key is told with its place', () => {
  expect(
    unknownKeys({ verson: '2.0', extensions: { http: { routeprefix: 'api', prefix: 'x' }, durableTask: { hub: 'x' } } }),
  ).toEqual([
    'host.json has verson, which is no key of the Functions host: nothing follows it.',
    'host.json has extensions.http.prefix, which is no key of the Functions host: nothing follows it.',
    'host.json has extensions.durableTask.hub, which is no key of the Functions host: nothing follows it.',
  ])
})
