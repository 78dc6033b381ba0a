// The figures that the app gives: names in one place, instruments made once for a registered SDK, nothing at all without one.
import {
  type Attributes,
  type Counter,
  createNoopMeter,
  type Histogram,
  type Meter,
  type MeterProvider,
  metrics,
} from '@opentelemetry/api'
import { SCOPE } from './spans.ts'

/** Unit and meaning of each figure. Ids of jobs are labels of none: each would be a series of its own for ever. */
export const METRICS = {
  'lamplighter.tasks.completed': { unit: '{task}', description: 'tasks that completed, by job_type and stage' },
  'lamplighter.tasks.failed': { unit: '{task}', description: 'tasks that failed for good, by job_type, stage and code' },
  'lamplighter.tasks.retried': { unit: '{task}', description: 'tries that failed and are repeated, by job_type, stage and code' },
  'lamplighter.tasks.duration': { unit: 'ms', description: 'duration of one try of a task, by job_type and stage' },
  'lamplighter.pool.total': { unit: '{connection}', description: 'connections to Postgres of this process' },
  'lamplighter.pool.idle': { unit: '{connection}', description: 'those of them that nobody uses' },
  'lamplighter.pool.waiting': { unit: '{request}', description: 'callers that wait for a connection' },
  'lamplighter.breaker.state': {
    unit: '1',
    description: 'by dependency, as this process sees it: 0 closed, 1 half open, 2 open',
  },
  'lamplighter.eventloop.lag': { unit: 'ms', description: '99th percentile of how late the event loop was since the last look' },
  'lamplighter.jobs.active': {
    unit: '{job}',
    description: 'jobs that have not ended, by status; the same for every process, so take the largest and never the sum',
  },
  'lamplighter.durable.history_events': {
    unit: '{event}',
    description: 'events of the history that one turn of an orchestrator replays',
  },
} as const satisfies Record<string, { unit: string; description: string }>
export type MetricName = keyof typeof METRICS

interface Instruments {
  readonly completed: Counter
  readonly failed: Counter
  readonly retried: Counter
  readonly duration: Histogram
  readonly history: Histogram
}

/** From a fast task to one that runs into the longest timeout of a stage. */
const DURATION_MS = [1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 1_800_000]
/** An execution is continued as new below 2,500. */
const EVENTS = [10, 25, 50, 100, 250, 500, 1000, 1500, 2000, 2500, 5000]

let made: { readonly provider: MeterProvider; readonly instruments: Instruments | undefined } | undefined

/** Undefined without an SDK. One that is registered later is noticed at the next call. */
function instruments(): Instruments | undefined {
  const provider = metrics.getMeterProvider()
  if (made?.provider !== provider) made = { provider, instruments: instrumentsOf(provider.getMeter(SCOPE)) }
  return made.instruments
}

function instrumentsOf(meter: Meter): Instruments | undefined {
  if (meter === createNoopMeter()) return undefined
  const counter = (name: MetricName): Counter => meter.createCounter(name, METRICS[name])
  const histogram = (name: MetricName, explicitBucketBoundaries: number[]): Histogram =>
    meter.createHistogram(name, { ...METRICS[name], advice: { explicitBucketBoundaries } })
  return {
    completed: counter('lamplighter.tasks.completed'),
    failed: counter('lamplighter.tasks.failed'),
    retried: counter('lamplighter.tasks.retried'),
    duration: histogram('lamplighter.tasks.duration', DURATION_MS),
    history: histogram('lamplighter.durable.history_events', EVENTS),
  }
}

/** Where a task belongs: labels of its figures. */
export interface TaskLabels {
  readonly job_type: string
  readonly stage: string
}

/** Whether anybody looks: asked before figures are put together. */
export const isMeasuring = (): boolean => instruments() !== undefined

/** Tries that ended alike. @param code of failures */
export function countTasks(how: 'completed' | 'failed' | 'retried', n: number, labels: TaskLabels, code?: string): void {
  const attributes: Attributes = { job_type: labels.job_type, stage: labels.stage, ...(code === undefined ? {} : { code }) }
  if (n > 0) instruments()?.[how].add(n, attributes)
}

/** One try, in milliseconds. */
export function recordDuration(ms: number, { job_type, stage }: TaskLabels): void {
  instruments()?.duration.record(ms, { job_type, stage })
}

/** What the host hands to an orchestrator: `{history: […]}`. Anything else is no figure. */
export function recordHistory(trigger: unknown): void {
  const history = (trigger as { history?: unknown } | undefined)?.history
  if (Array.isArray(history)) instruments()?.history.record(history.length)
}
