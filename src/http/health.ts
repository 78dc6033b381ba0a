// Liveness (the process answers), readiness (what requests need answers), and the whole report for operators.
import { fullReport, type HealthNeeds, type HealthReport, readiness } from '../health/reports.ts'
import { RELEASE } from '../platform/release.ts'
import { NOSNIFF } from './problem.ts'
import { type Answer, type Call, type HttpRow, JSON_HEADERS, requestIdOf, route } from './route.ts'

/** Asks nobody, and answers also where no setting is right. */
const live: HttpRow = {
  name: 'getHealthLive',
  summary: 'the process answers; version and commit',
  method: 'GET',
  path: 'health/live',
  role: 'anonymous',
  isCatalogue: false,
  check: () => undefined,
  answer: (request) =>
    Promise.resolve({
      status: 200,
      headers: { ...JSON_HEADERS, ...NOSNIFF, 'x-request-id': requestIdOf(request) },
      body: JSON.stringify({ status: 'live', ...RELEASE }),
    }),
}

type HealthCall = Call<object, object, undefined>
const needsOf = ({ r, instances }: HealthCall): HealthNeeds => ({ ...r, instances })

/** Anybody may ask, as often as they like: a good answer is kept for a moment, and those who ask meanwhile wait for the same one. */
const READY_MS = 2000
const kept = new WeakMap<Call<object, object, undefined>['r'], { at: number; report: Promise<HealthReport> }>()

async function readyReport(call: HealthCall): Promise<HealthReport> {
  const now = call.r.now().getTime()
  const known = kept.get(call.r)
  if (known && now - known.at < READY_MS) return known.report
  const report = readiness(needsOf(call), process.env)
  kept.set(call.r, { at: now, report })
  const { status } = await report
  if (status === 'failed') kept.delete(call.r)
  return report
}

/** Names and states: why something is as it is, and what to do, is for operators. */
async function ready(call: HealthCall): Promise<Answer> {
  const { status, checks } = await readyReport(call)
  const isReady = status !== 'failed'
  return {
    status: isReady ? 200 : 503,
    headers: isReady ? {} : { 'retry-after': '5' },
    body: {
      status: isReady ? 'ready' : 'not_ready',
      checks: checks.map(({ name, status, ms, code }) => ({ name, status, ms, ...(code === undefined ? {} : { code }) })),
      breakers: checks.find((c) => c.name === 'breakers')?.data?.['open'] ?? [],
    },
  }
}

async function full(call: HealthCall): Promise<Answer> {
  const { status, checks } = await fullReport(needsOf(call), process.env)
  return { status: status === 'failed' ? 503 : 200, body: { status, checks } }
}

export const healthRoutes: readonly HttpRow[] = [
  live,
  route({
    name: 'getHealthReady',
    summary: 'what requests need answers: Postgres and its schema, storage, orchestrations, breakers, settings',
    method: 'GET',
    path: 'health/ready',
    role: 'anonymous',
    handle: ready,
  }),
  route({
    name: 'getHealthFull',
    summary: 'every check with what was seen and what to do: also rights, drift, clocks, connections, memory, jobs of a day',
    method: 'GET',
    path: 'health/full',
    role: 'operator',
    handle: full,
  }),
]
