// Figures that are looked at when somebody collects: pool, breakers, event loop, jobs.
import { metrics, type ObservableGauge, type ObservableResult } from '@opentelemetry/api'
import { type MetricName, METRICS } from '../telemetry/metrics.ts'
import { SCOPE } from '../telemetry/spans.ts'
import { takeEventLoopLag, watchEventLoop } from './event-loop.ts'

export interface GaugeSources {
  readonly pool: { readonly totalCount: number; readonly idleCount: number; readonly waitingCount: number }
  readonly breakers: () => ReadonlyMap<string, number>
  /** Jobs that have not ended, by status. */
  readonly activeJobs: () => Promise<Readonly<Record<string, number>>>
  /** Milliseconds. */
  readonly now: () => number
}

/** Between two questions to the database, however often figures are collected. */
const JOBS_MS = 60_000

/** Begins to observe, for the meter provider that is registered now. */
export function observeGauges({ pool, breakers, activeJobs, now }: GaugeSources): void {
  const meter = metrics.getMeter(SCOPE)
  const gauge = (name: MetricName): ObservableGauge => meter.createObservableGauge(name, METRICS[name])
  gauge('lamplighter.pool.total').addCallback((result) => result.observe(pool.totalCount))
  gauge('lamplighter.pool.idle').addCallback((result) => result.observe(pool.idleCount))
  gauge('lamplighter.pool.waiting').addCallback((result) => result.observe(pool.waitingCount))
  gauge('lamplighter.breaker.state').addCallback((result) => {
    for (const [dependency, state] of breakers()) result.observe(state, { dependency })
  })
  watchEventLoop()
  gauge('lamplighter.eventloop.lag').addCallback((result) => result.observe(takeEventLoopLag().p99_ms))
  gauge('lamplighter.jobs.active').addCallback(jobsCallback(activeJobs, now))
}

/** The last answer stands for a minute; while the database does not answer there is no figure, which is not zero. */
function jobsCallback(activeJobs: GaugeSources['activeJobs'], now: () => number): (result: ObservableResult) => Promise<void> {
  let asked: { readonly at: number; readonly jobs: Promise<Readonly<Record<string, number>>> } | undefined
  return async (result) => {
    if (!asked || now() - asked.at >= JOBS_MS) asked = { at: now(), jobs: activeJobs() }
    const jobs = await asked.jobs.catch(() => ({}))
    for (const [status, n] of Object.entries(jobs)) result.observe(n, { status })
  }
}
