// The whole report: every check, what it says when a role is denied, when something hangs, when the schema was changed by hand.
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { type StorageProxy, startStorageProxy } from '../support/storage-proxy.ts'

const LAST = '0007_webhooks'
interface Told {
  readonly name: string
  readonly status: string
  readonly code?: string
  readonly detail?: string
  readonly remediation?: string
  readonly data?: Record<string, unknown>
}
let app: TestApp
let proxy: StorageProxy
beforeAll(async () => {
  proxy = await startStorageProxy(inject('storage'))
  app = await startApp({
    owner: true,
    storage: proxy.connectionString,
    env: { AZURE_CLIENT_ID: 'c-1', WEBSITE_RESOURCE_GROUP: 'rg-1' },
  })
})
afterAll(async () => {
  await app.stop()
  await proxy.close()
})
const full = async (): Promise<{ status: number; overall: string; checks: Record<string, Told> }> => {
  const { status, body } = await app.get('/api/health/full')
  return { status, overall: body.status, checks: Object.fromEntries(body.checks.map((c: Told) => [c.name, c])) }
}

test('all is well: every check has its figures, and what was written is removed again', async () => {
  proxy.seen.length = 0
  const { status, overall, checks } = await full()
  expect([status, overall, Object.values(checks).filter((c) => !['ok', 'skipped'].includes(c.status))]).toEqual([200, 'ok', []])
  expect(Object.keys(checks)).toEqual([
    'settings',
    'postgres',
    'postgres.server',
    'postgres.drift',
    'storage.read.bronze',
    'storage.write.silver',
    'storage.write.gold',
    'storage.write.lamplighter',
    'storage.delegation_key',
    'storage.clock',
    'vault',
    'durable',
    'breakers',
    'process',
    'jobs.24h',
  ])
  expect(checks['postgres']?.data).toEqual({ schema: expect.stringMatching(/^\d{4}_/) })
  expect(checks['postgres.server']?.data).toMatchObject({ role: 'app_rw', pooler: false, pool_max: 10 })
  expect(checks['process']?.data).toMatchObject({ node: process.version, event_loop: { p99_ms: expect.any(Number) } })
  const canaries = proxy.seen.filter((line) => line.includes('/_health/'))
  const of = (method: string): number => canaries.filter((line) => line.startsWith(method)).length
  expect([of('PUT'), of('DELETE')]).toEqual([4, 4])
})

describe('a role that is denied is named with its scope and the command that gives it', () => {
  test.each([
    [
      'storage.read.bronze',
      (line: string) => line.startsWith('GET') && /\/bronze\?/.test(line),
      'Storage Blob Data Reader',
      'containers/bronze',
    ],
    [
      'storage.write.silver',
      (line: string) => line.includes('/silver/_health'),
      'Storage Blob Data Contributor',
      'containers/silver',
    ],
    ['storage.write.gold', (line: string) => line.includes('/gold/_health'), 'Storage Blob Data Contributor', 'containers/gold'],
    [
      'storage.write.lamplighter',
      (line: string) => line.includes('/lamplighter/_health/') && !line.includes('clock'),
      'Storage Blob Data Contributor',
      'containers/lamplighter',
    ],
  ] as const)('%s', async (name, denied, role, scope) => {
    proxy.fault = (line) => (denied(line) ? { status: 403, code: 'AuthorizationPermissionMismatch' } : undefined)
    const { status, checks } = await full()
    proxy.fault = () => undefined
    expect(status).toBe(503)
    expect(Object.values(checks).flatMap((c) => (c.status === 'failed' ? c.name : []))).toEqual([name])
    expect(checks[name]).toMatchObject({ code: 'STORAGE_FORBIDDEN' })
    expect(checks[name]?.remediation).toMatch(
      new RegExp(`--assignee c-1 --role "${role}" --scope ".*/resourceGroups/rg-1/.*${scope}"`),
    )
  })
})

test('storage that hangs is late, and hides nothing else; ready says so within its 3 s', async () => {
  proxy.wait = (line) => (line.includes('/gold/_health') || line.includes('/bronze?') ? 3_600_000 : 0)
  const [{ status, checks }, ready] = await Promise.all([full(), app.get('/api/health/ready')])
  expect([status, checks['storage.write.gold']?.status, checks['storage.read.bronze']?.status]).toEqual([
    503,
    'timeout',
    'timeout',
  ])
  expect([checks['storage.write.silver']?.status, checks['postgres.drift']?.status, checks['durable']?.status]).toEqual([
    'ok',
    'ok',
    'ok',
  ])
  expect([ready.status, ready.body.checks.find((c: Told) => c.name === 'storage').status]).toEqual([503, 'timeout'])
  proxy.wait = () => 0
  proxy.cutAll()
})

test('administrators read whole rows, counts, words and the self-test of the functions', async () => {
  const { job_id } = await app.submit('hello_world', { n: 3 })
  await app.waitForJob(job_id)
  const get = async (path: string): Promise<any> => {
    const { status, body } = await app.get(`/api/db/${path}`)
    expect([path, status]).toEqual([path, 200])
    return body
  }
  expect(await get('stats')).toMatchObject({
    server: { role: 'app_rw' },
    jobs: { completed: 1 },
    pool: { total: expect.any(Number) },
  })
  expect(await get('jobs?type=hello_world&status=completed&hours=1')).toMatchObject({
    count: 1,
    jobs: [{ job_id, on_task_failure: 'fail' }],
  })
  expect(await get('jobs?status=failed')).toEqual({ jobs: [], count: 0 })
  expect(await get(`jobs/${job_id}`)).toMatchObject({ job: { job_id }, stages: [{ stage_no: 2 }, { stage_no: 1 }] })
  expect(await get(`tasks?job_id=${job_id}&stage=1&limit=2`)).toMatchObject({ count: 2 })
  expect(await get(`tasks/${job_id}?status=failed`)).toEqual({ tasks: [], count: 0 })
  expect(await get('enums/diagnostic')).toMatchObject({ ok: true })
  expect(await get('functions/test')).toMatchObject({ ok: true })
  expect(Object.keys(await get('debug/all?limit=2'))).toEqual(['jobs', 'stages', 'tasks', 'events', 'hosts', 'breakers'])
  expect((await app.get(`/api/db/jobs/${'0'.repeat(64)}`)).status).toBe(404)
  expect((await app.get('/api/db/jobs?limit=0')).body.issues[0].path).toBe('limit')
})

test('a schema that was changed by hand, or is older than the release, is told with what to run', async () => {
  await app.database.pool.query(`ALTER TABLE app.jobs ADD COLUMN surprise int`)
  const drifted = (await full()).checks['postgres.drift']
  expect([drifted?.status, drifted?.detail]).toEqual(['degraded', '1 differences: not in this release: column jobs.surprise.'])
  await app.database.pool.query(`ALTER TABLE app.jobs DROP COLUMN surprise; DELETE FROM app.migrations WHERE name = '${LAST}'`)
  const { status, checks } = await full()
  expect([status, checks['postgres']]).toEqual([
    503,
    expect.objectContaining({
      code: 'SCHEMA_OUTDATED',
      detail: `The database lacks ${LAST}.`,
      remediation: expect.stringMatching(/migrate/),
    }),
  ])
  expect((await app.get('/api/health/ready')).body.checks[0]).toMatchObject({ name: 'postgres', code: 'SCHEMA_OUTDATED' })
})

test('the schema over HTTP: what fails leaves it as it was; made anew only when it is meant, and no job runs', async () => {
  const post = async (path: string) => {
    const { status, body } = await app.send('POST', `/api/db/schema/${path}`, {})
    return [status, body.code ?? body]
  }
  const jobs = async () => (await app.database.pool.query<{ n: number }>('SELECT count(*)::int AS n FROM app.jobs'))[0]?.n
  // Its tables are there, and only its row is gone: it cannot be applied again.
  expect(await post('deploy?dry_run=true')).toEqual([
    200,
    { dry_run: true, pending: [expect.objectContaining({ name: LAST, contracting: [] })] },
  ])
  const { status, body } = await app.send('POST', '/api/db/schema/deploy', {})
  expect([status, body.code, body.detail]).toEqual([
    500,
    'MIGRATION_FAILED',
    expect.stringMatching(/as it was: relation "\w+" already exists/),
  ])
  expect(await post('redeploy')).toEqual([400, 'CONFIRMATION_NEEDED'])
  await app.database.pool.query(`UPDATE app.jobs SET status = 'processing', finished_at = NULL`)
  expect(await post('redeploy?confirm=yes')).toEqual([409, 'JOBS_RUNNING'])
  expect(await post('nuke?confirm=yes')).toEqual([409, 'JOBS_RUNNING'])
  expect(await jobs()).toBe(1)
  expect(await post('redeploy?confirm=yes&force=true')).toEqual([
    200,
    { migrations: expect.arrayContaining([LAST]), functions_replaced: true },
  ])
  expect(await jobs()).toBe(0)
  expect(await post('deploy')).toEqual([200, { migrations: [], functions_replaced: false }])
  expect((await full()).checks['postgres.drift']).toMatchObject({ status: 'ok' })
  expect(await app.waitForJob((await app.submit('hello_world', { n: 2 })).job_id)).toMatchObject({ status: 'completed' })
  expect(await post('nuke?confirm=yes')).toEqual([200, { dropped: true }])
  expect((await app.get('/api/jobs')).body).toMatchObject({ code: 'DATABASE_SCHEMA', detail: expect.stringMatching(/migrate/) })
  expect(await post('redeploy?confirm=yes')).toEqual([200, expect.anything()])
  expect(await app.database.pool.query('SELECT event, actor FROM app.job_events')).toEqual([
    { event: 'schema.rebuilt', actor: 'key' },
  ])
})
