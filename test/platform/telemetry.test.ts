// Rules of traces, spans and figures, on the SDK's own in-memory exporters.
import { context, metrics, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { afterEach, describe, expect, test } from 'vitest'
import { sqlSpanName } from '../../src/db/sql-span.ts'
import { observeGauges } from '../../src/platform/gauges.ts'
import { AppError } from '../../src/rules/errors.ts'
import { openBlobStore } from '../../src/storage/blob-store.ts'
import { countTasks, METRICS, recordDuration, recordHistory } from '../../src/telemetry/metrics.ts'
import {
  activeTraceparent,
  clientRequestId,
  failSpan,
  inSpan,
  inTrace,
  isTracing,
  withTraceComment,
} from '../../src/telemetry/spans.ts'
import { formatTraceparent, parseTraceparent } from '../../src/telemetry/trace-context.ts'
import { leaksIn } from '../support/leaks-in.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const GIVEN = `00-${TRACE}-00f067aa0ba902b7-01`
const HOST_OTHER = '00-11111111111111111111111111111111-2222222222222222-00'

afterEach(() => {
  trace.disable()
  metrics.disable()
})

/** An SDK that keeps what it is given. */
function tracing(): InMemorySpanExporter {
  const exporter = new InMemorySpanExporter()
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }))
  return exporter
}

describe('traceparent', () => {
  test('is kept as it came; of a later version what this one knows', () => {
    expect(
      formatTraceparent(
        parseTraceparent(GIVEN) ?? trace.wrapSpanContext({ traceId: '', spanId: '', traceFlags: 0 }).spanContext(),
      ),
    ).toBe(GIVEN)
    expect(parseTraceparent(`01-${TRACE}-00f067aa0ba902b7-03-more`)).toMatchObject({ traceId: TRACE, traceFlags: 1 })
  })
  test.each([
    ['nothing', undefined],
    ['empty', ''],
    ['upper case', GIVEN.toUpperCase()],
    ['a trace of zeros', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`],
    ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['version ff', `ff-${TRACE}-00f067aa0ba902b7-01`],
    ['more behind version 00', `${GIVEN}-more`],
    ['a quote that would end a comment', `00-${TRACE}-00f067aa0ba902b7-01*/; DROP TABLE x; --`],
    ['a line break', `${GIVEN}\r\nx: y`],
  ])('%s begins a new trace', async (_what, text) => {
    expect(parseTraceparent(text)).toBeUndefined()
    const got = await inTrace('x', { carried: text }, () => Promise.resolve(activeTraceparent()))
    expect(got).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/)
    expect(got).not.toContain(TRACE)
  })
})

describe('without an SDK', () => {
  test('ids flow through awaits, spans below are none, and nothing is left behind', async () => {
    expect(isTracing()).toBe(false)
    const seen = await inTrace('door', { carried: GIVEN, host: HOST_OTHER }, async () => {
      await new Promise((resolve) => setImmediate(resolve))
      return inSpan('below', {}, (span) =>
        Promise.resolve([span, activeTraceparent(), withTraceComment('SELECT 1'), clientRequestId()]),
      )
    })
    expect(seen).toEqual([undefined, GIVEN, `SELECT 1 /*traceparent='${GIVEN}'*/`, `${TRACE}-00f067aa0ba902b7`])
    expect([activeTraceparent(), withTraceComment('SELECT 1'), clientRequestId()]).toEqual([undefined, 'SELECT 1', undefined])
  })
  test('two doors side by side keep their traces apart', async () => {
    const door = (carried: string | undefined): Promise<string | undefined> =>
      inTrace('door', { carried }, async () => {
        await new Promise((resolve) => setImmediate(resolve))
        return activeTraceparent()
      })
    const [one, two, three] = await Promise.all([door(GIVEN), door(undefined), door(undefined)])
    expect(one).toBe(GIVEN)
    expect(new Set([one, two, three]).size).toBe(3)
  })
  test('the host is the parent where it belongs to the carried trace, or nothing is carried', async () => {
    const inner = `00-${TRACE}-aaaaaaaaaaaaaaaa-01`
    const seen = (carried: string | undefined, host: string): Promise<string | undefined> =>
      inTrace('door', { carried, host }, () => Promise.resolve(activeTraceparent()))
    expect([await seen(GIVEN, inner), await seen(undefined, inner), await seen(GIVEN, 'nonsense')]).toEqual([inner, inner, GIVEN])
  })
})

describe('with an SDK', () => {
  test('spans are children in one trace; a trace of the host is linked', async () => {
    const exporter = tracing()
    await inTrace('runTasks', { carried: GIVEN, host: HOST_OTHER }, () =>
      inSpan('task a.b', {}, () => inSpan('sql x', {}, () => Promise.resolve())),
    )
    const [sql, task, door] = exporter.getFinishedSpans()
    expect([sql, task, door].map((s) => [s?.name, s?.spanContext().traceId])).toEqual([
      ['sql x', TRACE],
      ['task a.b', TRACE],
      ['runTasks', TRACE],
    ])
    expect([sql?.parentSpanContext?.spanId, task?.parentSpanContext?.spanId]).toEqual([
      task?.spanContext().spanId,
      door?.spanContext().spanId,
    ])
    expect(door?.parentSpanContext?.spanId).toBe('00f067aa0ba902b7')
    expect(door?.links.map((l) => l.context.traceId)).toEqual(['1'.repeat(32)])
  })
  test('what runs outside of every trace makes no span', async () => {
    const exporter = tracing()
    await context.with(ROOT_CONTEXT, () => inSpan('sql x', {}, () => Promise.resolve()))
    expect(exporter.getFinishedSpans()).toEqual([])
  })
  test('a failure has its code; planted secrets are in no attribute, status or event', async () => {
    const exporter = tracing()
    const secret =
      'https://a.blob.core.windows.net/c/b?sv=1&sig=abcdefgh12345678 postgres://app:geheim@h/db AccountKey=QUJDREVGR0g= '
    const fails = inTrace('door', { attributes: { 'lamplighter.blob': secret } }, async () => {
      await inSpan('task a.b', { 'lamplighter.blob': secret }, (span) => Promise.resolve(failSpan(span, 'X', secret)))
      throw new AppError('STORAGE_ERROR', secret)
    })
    await expect(fails).rejects.toThrow(AppError)
    const spans = exporter.getFinishedSpans()
    expect(spans.map((s) => s.attributes['error.type'])).toEqual(['X', 'STORAGE_ERROR'])
    const text = JSON.stringify(
      spans.map(({ name, attributes, status, events, links }) => ({ name, attributes, status, events, links })),
    )
    expect(leaksIn(secret, { stacks: true }).length).toBeGreaterThan(2)
    expect(leaksIn(text, { stacks: true })).toEqual([])
    expect(text).not.toContain('geheim')
  })
})

test.each([
  ['SELECT * FROM app.claim_tasks(p_job_id => $1::text)', 'sql claim_tasks'],
  ['SELECT job_id FROM app.jobs', 'sql select'],
  ['\n  INSERT INTO app.jobs', 'sql insert'],
  ['  ', 'sql statement'],
])('%s is the span "%s"', (text, name) => expect(sqlSpanName(text)).toBe(name))

test('each operation of the store has a span, or is made of those that have', () => {
  const store = openBlobStore({ connectionString: undefined, accountUrl: undefined, allowed: new Set() })
  const own = Object.entries(store).filter(([, f]) => typeof f === 'function' && !/isTracing/.test(String(f)))
  expect(own.map(([name]) => name).sort()).toEqual(['downloadMany', 'plainUrl'])
})

test('gauges are asked when somebody collects; jobs at most once a minute, and have no figure while the database is away', async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
  let asked = 0
  let now = 0
  observeGauges({
    pool: { totalCount: 5, idleCount: 2, waitingCount: 1 },
    breakers: () => new Map([['blob_storage', 2]]),
    activeJobs: () => (++asked === 2 ? Promise.reject(new Error('away')) : Promise.resolve({ queued: 1, processing: 3 })),
    now: () => now,
  })
  const collect = async (): Promise<Record<string, unknown[]>> => {
    exporter.reset()
    await reader.forceFlush()
    const all = exporter.getMetrics().flatMap((r) => r.scopeMetrics.flatMap((s) => s.metrics))
    return Object.fromEntries(all.map((m) => [m.descriptor.name, m.dataPoints.map((p) => [p.attributes, p.value])]))
  }
  countTasks('retried', 2, { job_type: 'a', stage: 'b' }, 'X')
  recordDuration(12, { job_type: 'a', stage: 'b' })
  recordHistory({ history: [1, 2, 3] })
  recordHistory('no history')
  const first = await collect()
  expect(first).toMatchObject({
    'lamplighter.pool.total': [[{}, 5]],
    'lamplighter.pool.idle': [[{}, 2]],
    'lamplighter.pool.waiting': [[{}, 1]],
    'lamplighter.breaker.state': [[{ dependency: 'blob_storage' }, 2]],
    'lamplighter.jobs.active': [
      [{ status: 'queued' }, 1],
      [{ status: 'processing' }, 3],
    ],
    'lamplighter.tasks.retried': [[{ job_type: 'a', stage: 'b', code: 'X' }, 2]],
    'lamplighter.durable.history_events': [[{}, { sum: 3, count: 1 }]],
  })
  expect(Object.keys(first).filter((name) => !(name in METRICS))).toEqual([])
  now = 59_999
  await collect()
  expect(asked).toBe(1)
  now = 60_000
  expect((await collect())['lamplighter.jobs.active'] ?? []).toEqual([])
  now = 120_000
  expect((await collect())['lamplighter.jobs.active']).toHaveLength(2)
})
