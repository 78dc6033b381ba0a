// Where traces and figures go: optional packages, one warning when they are missing, and nothing that fails with them.
import { metrics, trace } from '@opentelemetry/api'
import { afterEach, describe, expect, test } from 'vitest'
import { wantedTargets } from '../../local/telemetry-bundle.ts'
import { openIdentity } from '../../src/platform/credentials.ts'
import { startTelemetry, type TelemetrySettings } from '../../src/platform/telemetry.ts'
import { installCommand, type Load, loadPackage, TELEMETRY_PACKAGES } from '../../src/platform/telemetry-packages.ts'
import { inTrace, isTracing } from '../../src/telemetry/spans.ts'

afterEach(() => {
  trace.disable()
  metrics.disable()
})

const identity = openIdentity(undefined)

/** Starts with a log that keeps its lines. */
async function started(more: Partial<TelemetrySettings> & Pick<TelemetrySettings, 'target'>) {
  const lines: [string, Record<string, unknown> | undefined][] = []
  const stop = await startTelemetry({
    env: {},
    identity,
    instance: 'abc',
    gauges: {
      pool: { totalCount: 0, idleCount: 0, waitingCount: 0 },
      breakers: () => new Map(),
      activeJobs: () => Promise.resolve({}),
      now: () => 0,
    },
    log: { warn: (event, fields) => void lines.push([event, fields]) },
    ...more,
  })
  return { stop, lines }
}

test('with none, no package is looked for', async () => {
  const load: Load = () => Promise.reject(new Error('asked'))
  expect(await started({ target: 'none', load })).toEqual({ stop: undefined, lines: [] })
})

test.each(['otlp', 'appinsights'] as const)('%s: packages that are missing are one warning with the command', async (target) => {
  const load: Load = (name) => loadPackage(`${name}-that-nobody-published`)
  const { stop, lines } = await started({ target, load })
  expect([stop, isTracing()]).toEqual([undefined, false])
  expect(lines).toEqual([
    [
      'telemetry.off',
      {
        target,
        reason: `not installed: ${TELEMETRY_PACKAGES[target].join(', ')}`,
        command: `npm install ${TELEMETRY_PACKAGES[target].join(' ')}`,
      },
    ],
  ])
})

test('a package that breaks when it is loaded is told as it is, without a command that would not help', async () => {
  const { lines } = await started({ target: 'otlp', load: () => Promise.reject(new Error('bad magic number')) })
  expect(lines).toEqual([['telemetry.off', { target: 'otlp', reason: 'bad magic number' }]])
})

describe('appinsights', () => {
  const made: { options: Record<string, unknown>; spans: { name: string; resource: { attributes: object } }[] }[] = []
  /** In place of the vendor's exporters: keeps what it is made with and given. */
  class Kept {
    readonly #own: (typeof made)[number]
    constructor(options: Record<string, unknown>) {
      this.#own = { options, spans: [] }
      made.push(this.#own)
    }
    export(given: unknown, done: (result: { code: number }) => void): void {
      if (Array.isArray(given)) this.#own.spans.push(...(given as (typeof made)[number]['spans']))
      done({ code: 0 })
    }
    readonly forceFlush = (): Promise<void> => Promise.resolve()
    readonly shutdown = (): Promise<void> => Promise.resolve()
  }
  const load: Load = (name) =>
    name === '@azure/monitor-opentelemetry-exporter'
      ? Promise.resolve({ AzureMonitorTraceExporter: Kept, AzureMonitorMetricExporter: Kept })
      : loadPackage(name)
  const connection = 'InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint=https://x.example/'
  afterEach(() => void (made.length = 0))

  test('without a connection string it says what to set', async () => {
    const { lines } = await started({ target: 'appinsights', load })
    expect(lines).toEqual([
      ['telemetry.off', { target: 'appinsights', reason: 'APPLICATIONINSIGHTS_CONNECTION_STRING is not set' }],
    ])
  })
  test.each([
    ['ClientId=abc;Authorization=AAD', identity],
    [undefined, undefined],
  ])(
    'with the authentication string %s the credential is right; what was recorded is sent at the end',
    async (auth, credential) => {
      const env = { APPLICATIONINSIGHTS_CONNECTION_STRING: connection, APPLICATIONINSIGHTS_AUTHENTICATION_STRING: auth }
      const { stop, lines } = await started({ target: 'appinsights', load, env })
      expect(made.map((m) => [m.options['connectionString'], m.options['credential']])).toEqual([
        [connection, credential],
        [connection, credential],
      ])
      // The host traces nothing, and says so: the app does all the same.
      await inTrace('advanceJob', { host: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00' }, () => Promise.resolve())
      await stop?.()
      expect([lines, made[0]?.spans.map((s) => s.name)]).toEqual([[], ['advanceJob']])
      expect(made[0]?.spans[0]?.resource.attributes).toMatchObject({
        'service.name': 'lamplighter',
        'service.instance.id': 'abc',
      })
    },
  )
})

describe('the package takes along', () => {
  test('nothing where package.json names no exporter, whatever lies in node_modules', () => {
    expect(wantedTargets({ dependencies: { '@opentelemetry/api': '1.9.1' } })).toEqual([])
  })
  test.each(['otlp', 'appinsights'] as const)(
    'the exporter of %s where it is named; the command brings what it needs',
    (target) => {
      const [exporter] = TELEMETRY_PACKAGES[target]
      expect(wantedTargets({ optionalDependencies: { [exporter]: '1' } })).toEqual([target])
      expect(installCommand(target).split(' ').slice(2)).toEqual([...TELEMETRY_PACKAGES[target]])
    },
  )
})
