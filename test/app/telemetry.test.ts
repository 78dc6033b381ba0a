// One trace from a request to its bytes without any SDK; figures and spans of a job; the same through real exporters to a collector.
import { cpSync, existsSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { metrics, trace } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { until } from 'functions-host/testing'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import * as z from 'zod'
import { bundleTelemetry } from '../../local/telemetry-bundle.ts'
import { temporaryFolder } from '../../local/temporary-folder.ts'
import { countActiveJobs } from '../../src/db/diagnostics.ts'
import { claimTasks } from '../../src/db/task-functions.ts'
import { defineJob, defineStage, type Log } from '../../src/define/define-job.ts'
import { advanceJob } from '../../src/engine/advance.ts'
import type { Instances } from '../../src/engine/instances.ts'
import { reconcile } from '../../src/engine/reconcile.ts'
import { observeGauges } from '../../src/platform/gauges.ts'
import { TELEMETRY_PACKAGES } from '../../src/platform/telemetry-packages.ts'
import { AppError } from '../../src/rules/errors.ts'
import { METRICS, recordHistory } from '../../src/telemetry/metrics.ts'
import { inTrace } from '../../src/telemetry/spans.ts'
import { fill, startApp, type TestApp } from '../support/app.ts'
import { createDatabase, type TestDatabase } from '../support/db.ts'
import { leaksIn } from '../support/leaks-in.ts'
import { machine, runToEnd, submitTo, turn } from '../support/machine.ts'
import { type StorageProxy, startStorageProxy } from '../support/storage-proxy.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const GIVEN = `00-${TRACE}-00f067aa0ba902b7-01`

describe('without an SDK', () => {
  let app: TestApp
  let proxy: StorageProxy
  beforeAll(async () => {
    proxy = await startStorageProxy(inject('storage'))
    app = await startApp({ storage: proxy.connectionString })
    // What a log of statements would hold: the text that the server was sent, comments included.
    await app.database.pool.pg.query(`
      CREATE TABLE statements (query text);
      CREATE FUNCTION keep_statement() RETURNS trigger SECURITY DEFINER LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO public.statements VALUES (current_query()); RETURN NULL; END $$;
      CREATE TRIGGER keep AFTER INSERT OR UPDATE ON app.jobs FOR EACH STATEMENT EXECUTE FUNCTION keep_statement();
      CREATE TRIGGER keep AFTER INSERT OR UPDATE ON app.tasks FOR EACH STATEMENT EXECUTE FUNCTION keep_statement()`)
  })
  afterAll(async () => {
    await app.stop()
    await proxy.close()
  })

  test('one trace id: in the answer, the row of the job, statements of Postgres and requests to storage, also of child processes', async () => {
    const client = await app.container()
    await fill(client, ['a/1.tif', 'a/2.tif'], 'no raster')
    const { status, body, headers } = await app.send(
      'POST',
      '/api/jobs/submit/catalog_container',
      { container: client.containerName },
      { traceparent: GIVEN, 'x-request-id': 'mine-1' },
    )
    expect([status, headers.get('x-request-id'), headers.get('traceparent')]).toEqual([202, 'mine-1', GIVEN])
    await app.waitForJob(body.job_id)
    const [row] = await app.database.pool.query<{ correlation_id: string }>(
      'SELECT correlation_id FROM app.jobs WHERE job_id = $1',
      [body.job_id],
    )
    expect(row?.correlation_id).toBe(`${TRACE}/mine-1`)
    const { rows } = await app.database.pool.pg.query<{ query: string }>('SELECT DISTINCT query FROM statements')
    const named = (name: string): string[] =>
      rows.map((r) => r.query).filter((q) => q.includes(`app.${name}(`) && q.endsWith(` /*traceparent='${GIVEN}'*/`))
    for (const name of ['submit_job', 'plan_stage', 'claim_tasks', 'complete_tasks_and_close', 'check_job_completion'])
      expect([name, named(name).length]).toEqual([name, 1])
    // Of timers and of this test there may be others; each request of the job is there, those that children made included.
    const ofJob = proxy.requestIds.filter((id) => id.startsWith(TRACE))
    expect(ofJob.every((id) => id === `${TRACE}-00f067aa0ba902b7`)).toBe(true)
    const bytes = proxy.requestIds.filter((_id, i) => /^GET .*\/a\/[12]\.tif/.test(proxy.seen[i] ?? ''))
    expect(bytes.length).toBeGreaterThanOrEqual(2)
    expect(new Set(bytes)).toEqual(new Set([`${TRACE}-00f067aa0ba902b7`]))
  })

  test('every answer has a trace; one that breaks the rules is replaced by a new one', async () => {
    const ids = new Set<string>()
    for (const [path, status] of [
      ['/api/health/live', 200],
      ['/api/jobs/nothing', 400],
      ['/api/nowhere', 404],
    ] as const) {
      const answer = await app.send('GET', path, undefined, { traceparent: `00-${'0'.repeat(32)}-00f067aa0ba902b7-01` })
      expect([path, answer.status]).toEqual([path, status])
      ids.add(/^00-([0-9a-f]{32})-[0-9a-f]{16}-0[01]$/.exec(answer.headers.get('traceparent') ?? '')?.[1] ?? `none: ${path}`)
    }
    expect(ids.size).toBe(3)
    expect([...ids].filter((id) => id.startsWith('none'))).toEqual([])
  })
})

describe('with an SDK', () => {
  let database: TestDatabase
  const spans = new InMemorySpanExporter()
  const figures = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter: figures, exportIntervalMillis: 3_600_000 })
  beforeAll(async () => {
    database = await createDatabase()
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }))
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
  })
  afterEach(() => spans.reset())
  afterAll(async () => {
    trace.disable()
    metrics.disable()
    await database.drop()
  })

  /** Fails once in a way that is repeated, and has a task that fails for good. */
  const parameters = z.strictObject({ n: z.int() })
  const shaky = defineJob({
    name: 'shaky',
    description: '',
    parameters,
    stages: [
      defineStage({
        name: 'try_it',
        parameters,
        result: z.object({ ok: z.boolean() }),
        onTaskFailure: 'continue',
        maxClaims: 2,
        *plan() {
          for (const key of ['well', 'again', 'never']) yield { key }
        },
        async run({ key }, ctx) {
          await ctx.blobs.exists({ container: 'bronze', blob: `${key}?sig=abcdefgh12345678` }).catch(() => false)
          if (key === 'again' && ctx.claim === 1) throw new AppError('STORAGE_UNAVAILABLE', 'not now: ?sig=abcdefgh12345678')
          if (key === 'never') throw new Error('postgres://app:geheim@h/db')
          return { ok: true }
        },
      }),
    ],
  })

  /** A log that keeps its lines. */
  function kept(): { log: Log; lines: [string, Record<string, unknown>][] } {
    const lines: [string, Record<string, unknown>][] = []
    const keep = (event: string, fields: Record<string, unknown> = {}): void => void lines.push([event, fields])
    return { log: { info: keep, warn: keep, error: keep }, lines }
  }

  test('each figure is seen, with labels that are few; spans make one tree; nothing of it holds a secret', async () => {
    const { log, lines } = kept()
    const r = { ...machine(database.pool, { jobs: [shaky], allowed: ['bronze'] }), log }
    observeGauges({
      pool: database.pool.pg,
      breakers: () => new Map([['storage', 0]]),
      activeJobs: () => countActiveJobs(database.pool),
      now: Date.now,
    })
    const id = await inTrace('http /api/x', { carried: GIVEN }, async () => {
      const job = await submitTo(r, 'shaky', { n: 1 })
      await inTrace('runTasks', { carried: GIVEN }, () => runToEnd(r, job))
      return job
    })
    recordHistory({ history: [1, 2] })
    await submitTo(r, 'hello_world', { n: 1 })
    await reader.forceFlush()
    const all =
      figures
        .getMetrics()
        .at(-1)
        ?.scopeMetrics.flatMap((s) => s.metrics) ?? []
    const values = Object.fromEntries(all.map((m) => [m.descriptor.name, m.dataPoints.map((p) => [p.attributes, p.value])]))
    expect(Object.keys(values).sort()).toEqual(Object.keys(METRICS).sort())
    const labels = { job_type: 'shaky', stage: 'try_it' }
    expect(values).toMatchObject({
      'lamplighter.tasks.completed': [[labels, 2]],
      'lamplighter.tasks.retried': [[{ ...labels, code: 'STORAGE_UNAVAILABLE' }, 1]],
      'lamplighter.tasks.failed': [[{ ...labels, code: 'TASK_FAILED' }, 1]],
      'lamplighter.tasks.duration': [[labels, { count: 4 }]],
      'lamplighter.jobs.active': [
        [{ status: 'queued' }, 1],
        [{ status: 'processing' }, 0],
        [{ status: 'paused' }, 0],
      ],
    })
    expect(JSON.stringify(all.map((m) => m.dataPoints.map((p) => p.attributes)))).not.toContain(id)
    expect(lines.filter(([event]) => event === 'task.failed')).toEqual([
      ['task.failed', { job_id: id, job_type: 'shaky', stage: 1, code: 'TASK_FAILED', tasks: 1 }],
    ])

    const finished = spans.getFinishedSpans()
    expect(new Set(finished.map((s) => s.spanContext().traceId))).toEqual(new Set([TRACE]))
    const known = new Map(finished.map((s) => [s.spanContext().spanId, s.name]))
    const under = (name: string): Set<string | undefined> =>
      new Set(finished.filter((s) => s.name === name).map((s) => known.get(s.parentSpanContext?.spanId ?? '')))
    expect(under('task shaky.try_it')).toEqual(new Set(['runTasks']))
    expect(under('blob exists')).toEqual(new Set(['task shaky.try_it']))
    expect(under('sql submit_job')).toEqual(new Set(['http /api/x']))
    expect(under('sql complete_tasks')).toEqual(new Set(['runTasks']))
    const text = JSON.stringify(finished.map(({ name, attributes, status, events }) => ({ name, attributes, status, events })))
    expect(text).toContain('sig=***')
    expect([leaksIn(text, { stacks: true }), /geheim/.test(text)]).toEqual([[], false])
  })

  test('a task that every worker died of is told once, when its stage closes', async () => {
    const { log, lines } = kept()
    const r = { ...machine(database.pool, { jobs: [shaky], allowed: ['bronze'] }), log }
    const id = await submitTo(r, 'shaky', { n: 2 })
    // Planned, but nobody works yet: two workers take a task each and die, one of them with the task's last try.
    expect((await advanceJob({ jobId: id, attempt: 1 }, r)).kind).toBe('run')
    for (const worker of ['a', 'b']) {
      const uuid = `${worker.repeat(8)}-0000-4000-8000-000000000000`
      await claimTasks(r.db, { job_id: id, attempt: 1, stage_no: 1, limit: 1, worker: uuid, lease: 60_000 })
      await r.db.query(
        `UPDATE app.tasks t SET lease_until = now() - interval '1 hour' FROM app.stages s WHERE s.stage_id = t.stage_id AND s.job_id = $1 AND t.status = 'processing'`,
        [id],
      )
      if (worker === 'a')
        await r.db.query(
          `UPDATE app.tasks t SET claims = 2 FROM app.stages s WHERE s.stage_id = t.stage_id AND s.job_id = $1 AND t.claims = 1`,
          [id],
        )
    }
    await runToEnd(r, id)
    await turn(r, id)
    expect(lines.filter(([event]) => event === 'task.poisoned')).toEqual([
      ['task.poisoned', { job_id: id, stage: 1, job_type: 'shaky', tasks: 1 }],
    ])
  })

  test('a job whose instance runs and that does not move is told after five minutes, and not at every pass', async () => {
    const { log, lines } = kept()
    let minutes = 0
    const r = { ...machine(database.pool), log, now: () => new Date(Date.now() + minutes * 60_000) }
    const id = await submitTo(r, 'hello_world', { n: 3 })
    await turn(r, id)
    await database.pool.query(
      `UPDATE app.jobs SET status = 'processing', finished_at = NULL, start_confirmed_attempt = attempt WHERE job_id = $1`,
      [id],
    )
    const instances = {
      find: () => Promise.resolve({ runtimeStatus: 'Running', lastUpdatedTime: '2026-01-01T00:00:00Z' }),
      suspended: () => Promise.resolve([]),
    } as unknown as Instances
    const pass = async (after: number): Promise<number> => {
      minutes = after
      await reconcile(r, instances, 0)
      return lines.filter(([event, fields]) => event === 'job.stuck' && fields['job_id'] === id).length
    }
    expect([await pass(4), await pass(6), await pass(7), await pass(15), await pass(17)]).toEqual([0, 1, 1, 1, 2])
    expect(lines.find(([event, fields]) => event === 'job.stuck' && fields['job_id'] === id)?.[1]).toMatchObject({
      job_id: id,
      stage: 2,
      reason: 'no_movement',
      runtime_status: 'Running',
    })
  })
})

/** The exporters come with nothing that is installed by default; where another package brings them, they are used. */
const missing = TELEMETRY_PACKAGES.otlp.filter((name) => !existsSync(`node_modules/${name}`))
describe(`through real exporters${missing.length > 0 ? ` (skipped: ${missing.join(', ')} not installed)` : ''}`, () => {
  test.skipIf(missing.length > 0)(
    'spans and figures of the running app reach a collector, at the latest when the process ends',
    async () => {
      const received: Record<string, string> = {}
      const collector = createServer((request, response) => {
        const chunks: Buffer[] = []
        request.on('data', (chunk: Buffer) => chunks.push(chunk))
        request.on('end', () => {
          const path = request.url ?? ''
          // Names stand in a protobuf message as they are.
          received[path] = (received[path] ?? '') + Buffer.concat(chunks).toString('latin1')
          response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
        })
      })
      await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
      const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
      // As it is deployed: no node_modules, and the exporter as the file that the build makes of it.
      const folder = temporaryFolder('lamplighter-telemetry-')
      cpSync('dist/app', folder, { recursive: true, filter: (from) => !/app\/(node_modules|sql)$/.test(from) })
      expect((await bundleTelemetry(folder, { dependencies: { [TELEMETRY_PACKAGES.otlp[0]]: '*' } })).files).toHaveLength(1)
      const app = await startApp({
        folder,
        env: { TELEMETRY: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_BSP_SCHEDULE_DELAY: '100' },
      })
      try {
        // The first request asks for the packages, and nobody waits for them.
        await until('spans arrive', async () => {
          await app.get('/api/jobs')
          return received['/v1/traces']
        })
        const { job_id } = await app.submit('hello_world', { n: 3, name: 'Collector' })
        await app.waitForJob(job_id)
      } finally {
        await app.stop()
        await new Promise((resolve) => collector.close(resolve))
        rmSync(folder, { recursive: true })
      }
      const names = ['http /api/jobs', 'advanceJob', 'runTasks', 'task hello_world.', 'sql claim_tasks', 'lamplighter']
      expect(names.filter((name) => !received['/v1/traces']?.includes(name))).toEqual([])
      const figures = Object.keys(METRICS).filter((name) => !/failed|retried/.test(name))
      expect(figures.filter((name) => !received['/v1/metrics']?.includes(name))).toEqual([])
      expect(leaksIn(Object.values(received).join('\n'), { stacks: true })).toEqual([])
    },
  )
})
