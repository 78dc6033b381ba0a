// What a page, a slow sender or a body that names what the URL names could do.
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RequestBody } from '../../src/http/body.ts'
import { startApp, type TestApp } from '../support/app.ts'

let app: TestApp
beforeAll(async () => void (app = await startApp()))
afterAll(() => app.stop())
const HELLO = '/api/jobs/submit/hello_world'

describe('pages of other origins', () => {
  test.each([
    ['a foreign origin', { origin: 'https://evil.example' }],
    ['another port of this machine', { origin: 'http://localhost:1' }],
    ['an opaque origin', { origin: 'null' }],
    ['a cross-site request', { 'sec-fetch-site': 'cross-site' }],
    ['a same-site request of another origin', { 'sec-fetch-site': 'same-site' }],
  ])('%s changes nothing', async (_title, headers) => {
    for (const [method, path] of [
      ['POST', HELLO],
      ['POST', `/api/jobs/${'0'.repeat(64)}/cancel`],
      ['POST', '/api/containers/silver/gdal/x.tif'],
      ['PUT', '/api/containers/silver/blobs/x.txt'],
    ] as const) {
      const answer = await app.send(method, path, method === 'PUT' ? 'x' : {}, headers)
      expect([path, answer.status, answer.body.code]).toEqual([path, 403, 'FOREIGN_ORIGIN'])
    }
    expect((await app.send('GET', '/api/jobs', undefined, headers)).status).toBe(200)
  })

  test('this origin and programs may', async () => {
    expect((await app.send('POST', HELLO, {}, { origin: app.host.url, 'sec-fetch-site': 'same-origin' })).status).toBe(202)
    expect((await app.send('POST', HELLO, {}, { 'sec-fetch-site': 'none' })).status).toBeLessThan(300)
  })

  test('a form without a body is no JSON: 415', async () => {
    const answer = await app.send('POST', HELLO, '', { 'content-type': 'text/plain' })
    expect([answer.status, answer.body.code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE'])
  })
})

test('a body that names container or path does not override the URL', async () => {
  const answer = await app.send('PUT', '/api/containers/silver/blobs', { path: 'x', container: 'bronze' })
  expect([answer.status, answer.body.code]).toEqual([400, 'INVALID_ID'])
  const signed = await app.send('POST', '/api/containers/silver/sas', { blob: 'x', container: 'bronze' })
  expect([signed.status, signed.body.issues[0].path]).toEqual([400, 'container'])
})

test('what clients of the host add to the query is no query of ours', async () => {
  expect((await app.get('/api/jobs?code=abc&clientId=default')).status).toBe(200)
  expect((await app.get('/api/jobs?codes=abc')).status).toBe(400)
})

test('every answer says that its type is meant, and JSON is kept by nobody', async () => {
  for (const path of ['/api', '/api/jobs', '/api/nothing', '/api/jobs?limit=x', '/api/health/live']) {
    const { headers } = await app.get(path)
    expect([path, headers.get('x-content-type-options'), headers.get('cache-control')]).toEqual([path, 'nosniff', 'no-store'])
  }
})

test('GET /api lists every route with method, path, role and one line', async () => {
  const { status, body } = await app.get('/api')
  expect(status).toBe(200)
  expect(body.routes).toContainEqual({
    method: 'GET',
    path: '/api/jobs/{job_id}',
    role: 'reader',
    summary: expect.any(String),
  })
  expect(body.routes.filter((r: { summary: string }) => !r.summary)).toEqual([])
})

describe('times and cursors that no column holds are refused by their name', () => {
  test.each([
    '0000-01-01T00:00:00Z',
    '2026-01-01T00:00:00+14:01',
    '2026-01-01T00:00:00-23:59',
    `2026-01-01T00:00:00.${'1'.repeat(500)}Z`,
    '10000-01-01T00:00:00Z',
  ])('since=%s', async (since) => {
    for (const path of ['/api/jobs', '/api/tasks']) {
      const { status, body } = await app.get(`${path}?since=${encodeURIComponent(since)}`)
      expect([status, body.code, body.issues[0].path]).toEqual([400, 'INVALID_QUERY', 'since'])
    }
    const bulk = await app.send('POST', '/api/bulk/jobs', { action: 'cancel', filter: { since }, reason: 'x' })
    expect([bulk.status, bulk.body.issues[0].path]).toEqual([400, 'filter.since'])
  })

  test('NUL and lone surrogates in a query or a reason', async () => {
    expect((await app.get('/api/jobs?text=%00')).status).toBe(400)
    const { status, body } = await app.send('POST', `/api/jobs/${'0'.repeat(64)}/cancel`, String.raw`{"reason":"a\ud800b"}`, {
      'content-type': 'application/json',
    })
    expect([status, body.issues[0].path]).toEqual([400, 'reason'])
  })
})

describe('bodies', () => {
  test('one that never ends is cut after its time, and told', async () => {
    const endless = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => undefined) })
    const body = new RequestBody({ headers: new Headers(), body: endless }, 5)
    await expect(body.bytes(10)).rejects.toMatchObject({ code: 'BODY_TOO_SLOW', status: 408 })
  })

  test('what nobody wants is read and dropped before the answer, so that the proxy of the host does not fail', async () => {
    let given = 0
    const source = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (given++ < 100) controller.enqueue(new Uint8Array(1000))
        else controller.close()
      },
    })
    const body = new RequestBody({ headers: new Headers(), body: source })
    await expect(body.bytes(1500)).rejects.toMatchObject({ code: 'BODY_TOO_LARGE' })
    await body.drop()
    expect(given).toBe(101)
  })

  test('an upload over the limit gets its 413 although it was sent to the end', async () => {
    const { hostname, port } = new URL(app.host.url)
    const size = 17 * 1024 * 1024
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write(
          `PUT /api/containers/silver/blobs/big.bin HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Length: ${size}\r\nConnection: close\r\n\r\n`,
        )
        socket.write(Buffer.alloc(size))
      })
      let text = ''
      socket.on('data', (d) => (text += d.toString()))
      socket.on('close', () => resolve(text))
      socket.on('error', reject)
    })
    expect(answer).toMatch(/^HTTP\/1\.1 413/)
    expect(answer).toContain('BODY_TOO_LARGE')
  })
})
