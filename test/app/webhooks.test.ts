// Webhooks over HTTP, with a receiver of our own: told of the end of a job, with a signature that it can check.
import { createHmac } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { until } from 'functions-host/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'

let app: TestApp
let receiver: Server
let address: string
let status = 200
const told: { id: string; isSigned: boolean; body: any }[] = []
beforeAll(async () => {
  receiver = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk) => (text += chunk))
    request.on('end', () => {
      const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = request.headers
      const expected = createHmac('sha256', 'of the hook')
        .update(`${String(id)}.${String(at)}.${text}`)
        .digest('base64')
      told.push({ id: String(id), isSigned: signature === `v1,${expected}`, body: JSON.parse(text) })
      response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end()
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`
  app = await startApp({ env: { WEBHOOK_HOSTS: '127.0.0.1', WEBHOOK_PRIVATE_ADDRESSES: 'true', HOOK_KEY: 'of the hook' } })
})
afterAll(async () => {
  await app.stop()
  receiver.close()
})
const put = (id: string, body: object) =>
  app.send('PUT', `/api/webhooks/${id}`, { url: address, secret_name: 'hook-key', ...body })
const tick = () =>
  fetch(`${app.host.url}/admin/functions/reconcileJobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
const deliveries = async (id: string, query = '') =>
  (await app.get(`/api/webhooks/${id}/deliveries${query}`)).body.deliveries as {
    job_id: string
    status: string
    tries: number
    attempt: number
    error: string
  }[]

test('a job ends: its receiver is told once, signed; the secret is in no answer', async () => {
  const made = await put('team', { job_type: 'hello_world' })
  expect([made.status, made.headers.get('location'), made.body.secret_name]).toEqual([
    201,
    `${app.host.url}/api/webhooks/team`,
    'hook-key',
  ])
  const { job_id } = await app.submit('hello_world', { n: 1, name: 'hooked' })
  await app.waitForJob(job_id)
  await tick()
  await until('the receiver was told', () => told.length > 0 || undefined)
  expect(told).toEqual([
    { id: `team.${job_id.slice(0, 16)}.1`, isSigned: true, body: expect.objectContaining({ type: 'job.completed' }) },
  ])
  expect(told[0]?.body.data).toMatchObject({ job_id, status: 'completed', attempt: 1, submitted_by: 'key' })
  await until('it is recorded', async () => ((await deliveries('team'))[0]?.status === 'delivered' ? true : undefined))
  await tick()
  expect(told).toHaveLength(1)
  expect(JSON.stringify((await app.get('/api/webhooks')).body)).not.toContain('of the hook')
})

test('a receiver that leads elsewhere is not followed; its message is sent again when an operator says so', async () => {
  status = 302
  const { job_id } = await app.submit('hello_world', { n: 1, name: 'elsewhere' })
  await app.waitForJob(job_id)
  await tick()
  const failed = await until('the try is recorded', async () =>
    (await deliveries('team', '?status=pending')).find((d) => d.error),
  )
  expect(failed).toMatchObject({ job_id, tries: 1, error: 'It answered 302; nobody is followed elsewhere.' })
  await app.database.pool.query(`UPDATE app.webhook_deliveries SET status = 'dead' WHERE job_id = $1`, [job_id])
  expect((await deliveries('team', '?status=dead')).map((d) => d.job_id)).toEqual([job_id])
  status = 200
  expect((await app.send('POST', `/api/webhooks/team/deliveries/${job_id}/1/retry`, {})).body).toMatchObject({
    status: 'pending',
  })
  await tick()
  await until('it was taken', async () => ((await deliveries('team', '?status=delivered')).length === 2 ? true : undefined))
  expect((await app.send('POST', `/api/webhooks/team/deliveries/${'0'.repeat(64)}/1/retry`, {})).body.code).toBe(
    'DELIVERY_NOT_FOUND',
  )
})

test.each([
  [{ url: 'https://elsewhere.example/' }, 400, 'url'],
  [{ url: 'http://a:b@127.0.0.1/' }, 400, 'url'],
  [{ url: 'file:///etc/passwd' }, 400, 'url'],
  [{ secret_name: 'no-such' }, 404, undefined],
  [{ secret_name: '../x' }, 400, 'secret_name'],
  [{ statuses: [] }, 400, 'statuses'],
  [{ statuses: ['running'] }, 400, 'statuses.0'],
  [{ job_type: 'no_such' }, 404, undefined],
  [{ secret: 'x' }, 400, 'secret'],
])('%j is refused at once', async (change, code, path) => {
  const answer = await put('bad', change)
  expect([answer.status, answer.body.issues?.[0]?.path]).toEqual([code, path])
  expect((await app.get('/api/webhooks/bad')).status).toBe(404)
})

test('pages of webhooks and messages; removal takes the messages along', async () => {
  await put('other', {})
  const first = await app.get('/api/webhooks?limit=1')
  const second = await app.get(`/api/webhooks?limit=1&next=${first.body.next}`)
  expect([...first.body.webhooks, ...second.body.webhooks].map((w: { webhook_id: string }) => w.webhook_id)).toEqual([
    'other',
    'team',
  ])
  const page = await app.get('/api/webhooks/team/deliveries?limit=1')
  const rest = await app.get(`/api/webhooks/team/deliveries?limit=1&next=${page.body.next}`)
  expect(new Set([...page.body.deliveries, ...rest.body.deliveries].map((d: { job_id: string }) => d.job_id)).size).toBe(2)
  expect((await app.send('DELETE', '/api/webhooks/team')).body).toEqual({ deleted: 'team' })
  expect((await app.get('/api/webhooks/team/deliveries')).body.code).toBe('WEBHOOK_NOT_FOUND')
})
