// Liveness (the process answers) and readiness (Postgres and storage answer).
import { type BreakerRow, listOpenBreakers } from '../db/reading.ts'
import { AppError } from '../rules/errors.ts'
import type { Resources } from '../platform/resources.ts'
import { RELEASE } from '../platform/release.ts'
import { NOSNIFF } from './problem.ts'
import { type HttpRow, JSON_HEADERS, requestIdOf, route } from './route.ts'

/** A probe that takes longer counts as failed: readiness answers within 3 s. */
const PROBE_MS = 2500

type Check = {
  readonly name: string
  readonly ok: boolean
  readonly ms: number
  readonly code?: string
  readonly message?: string
}

/** Words that only an operator can act on, and that name nothing but a setting. */
const TOLD = new Set(['DATABASE_SETTINGS'])

async function probe(r: Resources, name: string, ask: () => Promise<unknown>): Promise<Check> {
  const started = r.now().getTime()
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new AppError('INTERNAL', 'no answer in time', { status: 503 })), PROBE_MS)
  try {
    await Promise.race([ask(), late.promise])
    return { name, ok: true, ms: r.now().getTime() - started }
  } catch (error) {
    r.log.warn('health.failed', { dependency: name, error })
    const ms = r.now().getTime() - started
    if (!(error instanceof AppError)) return { name, ok: false, ms, code: 'INTERNAL' }
    return { name, ok: false, ms, code: error.code, ...(TOLD.has(error.code) ? { message: error.message } : {}) }
  } finally {
    clearTimeout(timer)
  }
}

/** Asks nobody, and answers also where no setting is right. */
const live: HttpRow = {
  name: 'getHealthLive',
  summary: 'the process answers',
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

export const healthRoutes: readonly HttpRow[] = [
  live,
  route({
    name: 'getHealthReady',
    summary: 'Postgres and storage answer',
    method: 'GET',
    path: 'health/ready',
    role: 'anonymous',
    async handle({ r }) {
      let breakers: readonly BreakerRow[] = []
      const checks = await Promise.all([
        probe(r, 'postgres', async () => (breakers = await listOpenBreakers(r.db))),
        probe(r, 'storage', () => r.blobs.checkContainer(r.config.ALLOWED_CONTAINERS?.[0] ?? r.config.BRONZE_CONTAINER)),
      ])
      const ready = checks.every((c) => c.ok)
      return {
        status: ready ? 200 : 503,
        headers: ready ? {} : { 'retry-after': '5' },
        body: { status: ready ? 'ready' : 'not_ready', checks, breakers },
      }
    },
  }),
]
