// Every route asked by every role, with real tokens; and what is told to whom.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { HTTP_TABLE } from '../../src/http/table.ts'
import { plainTemplate } from '../../src/http/template.ts'
import { includesRole, Role } from '../../src/models/words.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { until } from 'functions-host/testing'
import { AUDIENCE, type Issuer, startIssuer } from '../support/issuer.ts'

let issuer: Issuer
let app: TestApp
const as: Partial<Record<Role | 'nobody', Record<string, string>>> = {}
beforeAll(async () => {
  issuer = await startIssuer()
  app = await startApp({
    env: { AUTH_MODE: 'jwt', JWT_ISSUER: issuer.url, JWT_AUDIENCE: AUDIENCE, WEBHOOK_HOSTS: 'hooks.example' },
  })
  for (const role of Role.options) as[role] = bearer(await issuer.token({ sub: `${role}-1`, roles: [role] }))
  as.nobody = bearer(await issuer.token({ sub: 'nobody' }))
})
afterAll(async () => {
  await app.stop()
  issuer.stop()
})
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })

const VALUES: Readonly<Record<string, string>> = {
  job_id: 'a'.repeat(64),
  stage: '1',
  container: 'silver',
  job_type: 'hello_world',
}
const urlOf = (path: string): string =>
  `/api/${plainTemplate(path).replaceAll(/\{\*?(\w+)\}/g, (_, name: string) => VALUES[name] ?? '1')}`

describe('role by route: 401 without a token, 403 below the role, and past that what the route itself says', () => {
  for (const { method, path, role } of HTTP_TABLE)
    test(`${method} /api/${plainTemplate(path)}: ${role}`, async () => {
      // Roles come before the query: what may call is refused for a parameter that no route knows, and changes nothing.
      const url = `${urlOf(path)}?no_such_parameter=1`
      const ask = async (headers: Record<string, string> = {}): Promise<readonly [number, string | undefined]> => {
        const { status, body } = await app.send(method, url, method === 'GET' ? undefined : {}, headers)
        return [status, body.code]
      }
      if (role === 'anonymous') return expect((await ask())[0]).not.toBeOneOf([401, 403])
      expect(await ask()).toEqual([401, 'UNAUTHENTICATED'])
      expect(await ask(as.nobody)).toEqual([403, 'ROLE_MISSING'])
      for (const held of Role.options) {
        const answer = await ask(as[held])
        if (includesRole(held, role)) expect(answer).toEqual([400, expect.not.stringMatching('ROLE_MISSING|UNAUTHENTICATED')])
        else expect(answer).toEqual([403, 'ROLE_MISSING'])
      }
      return undefined
    })
})

describe('what is not a token of this app is nobody', () => {
  const REFUSED: [string, () => Promise<Record<string, string>> | Record<string, string>][] = [
    ['the header of App Service authentication', () => ({ 'x-ms-client-principal': principal('admin') })],
    [
      'that header beside the name of an administrator',
      () => ({
        'x-ms-client-principal': principal('admin'),
        'x-ms-client-principal-name': 'admin',
      }),
    ],
    ['a key', () => ({ 'x-functions-key': 'x', 'x-functions-clientid': 'default' })],
    ['another scheme', () => ({ authorization: `Basic ${Buffer.from('admin:admin').toString('base64')}` })],
    ['an expired token', async () => bearer(await issuer.token({ roles: ['admin'], exp: 1 }))],
    ['a token for another audience', async () => bearer(await issuer.token({ roles: ['admin'], aud: 'other' }))],
    ['a token without a signature', () => bearer(`${part({ alg: 'none' })}.${part({ iss: issuer.url, roles: ['admin'] })}.`)],
    ['rubbish', () => bearer('x')],
  ]
  test.each(REFUSED)('%s', async (_, headers) => {
    const answer = await app.send('GET', '/api/jobs', undefined, await headers())
    expect([answer.status, answer.body.code, answer.headers.get('www-authenticate')]).toEqual([401, 'UNAUTHENTICATED', 'Bearer'])
  })
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const principal = (role: string): string =>
    Buffer.from(
      JSON.stringify({
        claims: [
          { typ: 'name', val: 'eve' },
          { typ: 'roles', val: role },
        ],
      }),
    ).toString('base64')
})

test('the names of jobs and events come from the token; addresses with the key of the host go to operators alone, and are noted', async () => {
  const submitted = await app.send('POST', '/api/jobs/submit/hello_world', { n: 1 }, as.submitter)
  const id = submitted.body.job_id as string
  for (const path of ['', '/instance', '/events', '/tasks'])
    expect(JSON.stringify((await app.send('GET', `/api/jobs/${id}${path}`, undefined, as.reader)).body)).not.toMatch(
      /code=|\/runtime\//,
    )
  const { status, headers, body } = await app.send('GET', `/api/jobs/${id}/management`, undefined, as.operator)
  expect([status, headers.get('cache-control')]).toEqual([200, 'no-store'])
  expect(body).toMatchObject({ id, terminatePostUri: expect.stringContaining(id), purgeHistoryDeleteUri: expect.any(String) })
  const rows = await app.database.pool.query<{ event: string; actor: string }>(
    `SELECT event, actor FROM app.job_events WHERE job_id = $1 AND event IN ('job.submitted', 'management.read') ORDER BY event`,
    [id],
  )
  expect(rows).toEqual([
    { event: 'job.submitted', actor: 'submitter-1' },
    { event: 'management.read', actor: 'operator-1' },
  ])
})

test('an issuer that cannot be reached is 503 and not a refusal, and live answers all the same', async () => {
  const down = await startApp({ env: { AUTH_MODE: 'jwt', JWT_ISSUER: 'http://127.0.0.1:9', JWT_AUDIENCE: AUDIENCE } })
  const answer = await down.send('GET', '/api/jobs', undefined, as.admin)
  expect([answer.status, answer.body.code, answer.headers.has('retry-after')]).toEqual([503, 'AUTH_UNAVAILABLE', true])
  expect((await down.get('/api/health/live')).status).toBe(200)
  await down.stop()
})

test('settings that are missing are told all at once in every answer, and live answers all the same', async () => {
  const wrong = await startApp({ env: { AUTH_MODE: 'jwt', PG_POOL_MAX: 'many', SECRETS_SOURCE: 'keyvault' } })
  for (const path of ['/api/jobs', '/api/health/ready', '/api/job-types', '/api/stac']) {
    const { status, body } = await wrong.get(path)
    expect([path, status, body.code]).toEqual([path, 503, 'CONFIG_INVALID'])
    for (const name of ['PG_POOL_MAX', 'JWT_ISSUER', 'JWT_AUDIENCE', 'KEY_VAULT_URL']) expect(body.detail).toContain(`${name} (`)
  }
  expect((await wrong.get('/api/health/live')).body).toMatchObject({ status: 'live' })
  await wrong.stop()
})

/** Routes that change something or hand out access, and the event that each leaves; null: it only reads what was sent. */
const EVENTS: Readonly<Record<string, string | null>> = {
  submitJob: 'job.submitted',
  cancelJob: 'job.cancelled',
  pauseJob: 'job.paused',
  resumeJob: 'job.resumed',
  retryJob: 'job.retried',
  rerunJob: 'job.rerun',
  purgeJob: 'job.purged',
  changeJobs: 'bulk.cancel',
  purgeEndedJobs: 'bulk.purge',
  uploadBlob: 'blob.uploaded',
  createSas: 'sas.issued',
  createContainerSas: 'sas.issued',
  createGdalAccess: 'sas.issued',
  deleteStacItem: 'item.deleted',
  deleteStacCollection: 'collection.deleted',
  clearSecretsCache: 'secrets.cache_cleared',
  // Its retry or discard of each job is the event.
  changePoison: 'job.retried',
  putSchedule: 'schedule.put',
  deleteSchedule: 'schedule.deleted',
  putWebhook: 'webhook.put',
  deleteWebhook: 'webhook.deleted',
  // Wants a message: test/sql/webhooks.test.ts.
  retryDelivery: 'webhook.retried',
  deployDbSchema: 'schema.deployed',
  redeployDbSchema: 'schema.rebuilt',
  dropDbSchema: null,
  postStacSearch: null,
  validateStac: null,
}

test('every order leaves an event with the name of whoever gave it, and its reason', async () => {
  expect(
    HTTP_TABLE.filter((row) => row.method !== 'GET')
      .map((row) => row.name)
      .toSorted(),
  ).toEqual(Object.keys(EVENTS).toSorted())
  const send = async (method: string, path: string, body?: object | Buffer, role: Role = 'admin'): Promise<any> => {
    const answer = await app.send(method, `/api/${path}`, body, as[role])
    expect([path, answer.status, answer.body]).toEqual([path, expect.toBeOneOf([200, 201, 202]), answer.body])
    return answer.body
  }
  const client = await app.container()
  const of = `containers/${client.containerName}`
  await client.getBlockBlobClient('a.csv').upload('x', 1)
  const { job_id } = await send('POST', 'jobs/submit/hello_world', { n: 20_000, name: 'orders' })
  for (const action of ['pause', 'resume', 'cancel', 'retry'])
    await send('POST', `jobs/${job_id}/${action}`, { reason: `to ${action}` })
  await send('POST', 'bulk/jobs', { action: 'cancel', filter: { type: 'hello_world' }, reason: 'to bulk', dry_run: false })
  await send('POST', 'bulk/purge', { filter: { type: 'list_container' }, reason: 'to bulk', dry_run: false })
  await send('POST', `jobs/${job_id}/rerun`, { reason: 'to rerun' })
  await send('POST', `jobs/${job_id}/cancel`, { reason: 'to end' })
  await send('PUT', `containers/silver/blobs/orders-${job_id.slice(0, 8)}.txt`, Buffer.from('x'))
  await send('POST', `${of}/sas`, { blob: 'a.csv' })
  await send('POST', `${of}/container-sas`, {})
  await send('POST', `${of}/gdal/a.csv`, {})
  await send('POST', 'secrets/clear-cache', {})
  await send('PUT', 'schedules/nightly', { job_type: 'hello_world', cron: '0 3 * * *' })
  await send('DELETE', 'schedules/nightly')
  await send('PUT', 'webhooks/team', { url: 'https://hooks.example/', secret_name: 'path' })
  await send('DELETE', 'webhooks/team')
  const catalogued = await send('POST', 'jobs/submit/catalog_container', {
    container: client.containerName,
    include: 'all',
    collection_id: 'orders',
  })
  await waitFor(catalogued.job_id)
  // Its events go with it, but for this one.
  await send('POST', `jobs/${catalogued.job_id}/purge`, { reason: 'to purge' })
  // GeoJSON, which the client of the tests leaves as text.
  const { features } = JSON.parse(await send('GET', 'stac/collections/orders/items')) as { features: { id: string }[] }
  await send('DELETE', `stac/collections/orders/items/${features[0]?.id}?dry_run=false`)
  await send('DELETE', 'stac/collections/orders?dry_run=false')
  const rows = await app.database.pool.query<{ event: string; actor: string; reason: string | null }>(
    `SELECT DISTINCT event, actor, data ->> 'reason' AS reason FROM app.job_events WHERE actor = 'admin-1'`,
  )
  const elsewhere = new Set(['schema.deployed', 'schema.rebuilt', 'webhook.retried', null])
  expect(new Set(rows.map((r) => r.event))).toEqual(new Set(Object.values(EVENTS).filter((e) => !elsewhere.has(e))))
  for (const action of ['pause', 'resume', 'retry', 'rerun', 'purge', 'bulk'])
    expect(rows.map((r) => r.reason)).toContain(`to ${action}`)
})

const waitFor = (id: string) =>
  until('the job has ended', async () => {
    const { body } = await app.send('GET', `/api/jobs/${id}`, undefined, as.reader)
    return body.status === 'completed' ? true : undefined
  })
