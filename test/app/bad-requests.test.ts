import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'

let app: TestApp
beforeAll(async () => void (app = await startApp()))
afterAll(() => app.stop())

const HELLO = '/api/jobs/submit/hello_world'
const LIST = '/api/jobs/submit/list_container'
const ID = '0'.repeat(64)
const JSON_TYPE = { 'content-type': 'application/json' }
const deep = '{"name":'.repeat(40) + '1' + '}'.repeat(40)

// method, path, body (text is sent as it is), status, code, path of the first issue, headers
type Row = [
  title: string,
  method: string,
  path: string,
  body: unknown,
  status: number,
  code: string,
  issue?: string | undefined,
  headers?: Record<string, string>,
]
const rows: Row[] = [
  ['broken JSON', 'POST', HELLO, '{"n": 1', 400, 'INVALID_JSON', undefined, JSON_TYPE],
  ['not UTF-8', 'POST', HELLO, new Uint8Array([0x22, 0xff, 0x22]), 400, 'INVALID_JSON', undefined, JSON_TYPE],
  ['too deep', 'POST', HELLO, deep, 400, 'INVALID_JSON', undefined, JSON_TYPE],
  ['an array', 'POST', HELLO, [1], 400, 'INVALID_PARAMETERS', ''],
  ['a number', 'POST', HELLO, '1', 400, 'INVALID_PARAMETERS', '', JSON_TYPE],
  ['null', 'POST', HELLO, 'null', 400, 'INVALID_PARAMETERS', '', JSON_TYPE],
  ['a text', 'POST', HELLO, '"x"', 400, 'INVALID_PARAMETERS', '', JSON_TYPE],
  ['no media type', 'POST', HELLO, '{"n":1}', 415, 'UNSUPPORTED_MEDIA_TYPE', undefined, { 'content-type': 'text/plain' }],
  [
    'form data',
    'POST',
    HELLO,
    'n=1',
    415,
    'UNSUPPORTED_MEDIA_TYPE',
    undefined,
    { 'content-type': 'application/x-www-form-urlencoded' },
  ],
  ['1 MB and one byte', 'POST', HELLO, `{"name":"${'x'.repeat(1_000_000)}"}`, 413, 'BODY_TOO_LARGE', undefined, JSON_TYPE],
  ['n of the wrong type', 'POST', HELLO, { n: '3' }, 400, 'INVALID_PARAMETERS', 'n'],
  ['n = 0', 'POST', HELLO, { n: 0 }, 400, 'INVALID_PARAMETERS', 'n'],
  ['n = 100,001', 'POST', HELLO, { n: 100_001 }, 400, 'INVALID_PARAMETERS', 'n'],
  ['n = 1.5', 'POST', HELLO, { n: 1.5 }, 400, 'INVALID_PARAMETERS', 'n'],
  ['n of 1,000 digits', 'POST', HELLO, `{"n":${'9'.repeat(1000)}}`, 400, 'INVALID_PARAMETERS', 'n', JSON_TYPE],
  ['an empty name', 'POST', HELLO, { name: '' }, 400, 'INVALID_PARAMETERS', 'name'],
  ['a long name', 'POST', HELLO, { name: 'x'.repeat(101) }, 400, 'INVALID_PARAMETERS', 'name'],
  ['an unknown key', 'POST', HELLO, { m: 1 }, 400, 'INVALID_PARAMETERS', 'm'],
  ['__proto__', 'POST', HELLO, '{"__proto__":{"n":5},"constructor":1}', 400, 'INVALID_PARAMETERS', 'constructor', JSON_TYPE],
  ['NUL in a text', 'POST', HELLO, { name: 'a\u0000b' }, 400, 'TEXT_NOT_STORABLE', 'name'],
  ['a lone surrogate', 'POST', HELLO, '{"name":"\\ud800"}', 400, 'TEXT_NOT_STORABLE', 'name', JSON_TYPE],
  ['metadata of the wrong type', 'POST', HELLO, { dataset_id: 5 }, 400, 'INVALID_PARAMETERS', 'dataset_id'],
  ['an unknown query', 'POST', `${HELLO}?priority=1`, {}, 400, 'INVALID_QUERY', 'priority'],
  ['force of the wrong value', 'POST', `${HELLO}?force=yes`, {}, 400, 'INVALID_QUERY', 'force'],
  ['a hostile Idempotency-Key', 'POST', HELLO, {}, 400, 'INVALID_PARAMETERS', '', { 'idempotency-key': 'x'.repeat(201) }],
  ['an unknown job type', 'POST', '/api/jobs/submit/no_such_job', {}, 404, 'JOB_TYPE_UNKNOWN'],
  ['a job type that walks up', 'POST', '/api/jobs/submit/..%2F..%2Fadmin', {}, 404, 'JOB_TYPE_UNKNOWN'],
  ['a job type of Object.prototype', 'POST', '/api/jobs/submit/constructor', {}, 404, 'JOB_TYPE_UNKNOWN'],
  ['a container that is not allowed', 'POST', LIST, { container_name: 'secret' }, 403, 'CONTAINER_NOT_ALLOWED'],
  ['the internal container', 'POST', LIST, { container_name: 'lamplighter' }, 403, 'CONTAINER_NOT_ALLOWED'],
  ['a container that is missing', 'POST', LIST, { container_name: 'missing' }, 404, 'CONTAINER_NOT_FOUND'],
  ['a container name with a path', 'POST', LIST, { container_name: '../bronze' }, 400, 'INVALID_PARAMETERS', 'container_name'],
  ['a container that is a URL', 'POST', LIST, { container_name: 'https://evil' }, 400, 'INVALID_PARAMETERS', 'container_name'],
  [
    '900 metadata conditions',
    'POST',
    LIST,
    {
      container_name: 'bronze',
      file_filter: { metadata_match: Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`k${i}`, 'x'])) },
    },
    400,
    'INVALID_PARAMETERS',
    'file_filter.metadata_match',
  ],
  [
    'parameters of more than 16 KB',
    'POST',
    LIST,
    {
      container_name: 'bronze',
      file_filter: { metadata_match: Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`k${i}`, 'ž'.repeat(256)])) },
    },
    413,
    'PARAMETERS_TOO_LARGE',
  ],
  ['no container', 'POST', LIST, {}, 400, 'INVALID_PARAMETERS', 'container_name'],
  [
    'alias and name differ',
    'POST',
    LIST,
    { container_name: 'bronze', container: 'silver' },
    400,
    'INVALID_PARAMETERS',
    'container',
  ],
  [
    'a prefix that walks up',
    'POST',
    LIST,
    { container_name: 'bronze', prefix: 'a/../../x' },
    400,
    'INVALID_PARAMETERS',
    'prefix',
  ],
  [
    'an unknown metadata level',
    'POST',
    LIST,
    { container_name: 'bronze', metadata_level: 'all' },
    400,
    'INVALID_PARAMETERS',
    'metadata_level',
  ],
  ['max_files = 0', 'POST', LIST, { container_name: 'bronze', max_files: 0 }, 400, 'INVALID_PARAMETERS', 'max_files'],
  [
    'a glob that is not closed',
    'POST',
    LIST,
    { container_name: 'bronze', file_filter: { pattern: '{a' } },
    400,
    'INVALID_PARAMETERS',
    'file_filter.pattern',
  ],
  [
    'a filter that contradicts itself',
    'POST',
    LIST,
    { container_name: 'bronze', file_filter: { min_size: 2, max_size: 1 } },
    400,
    'INVALID_PARAMETERS',
    'file_filter.min_size',
  ],
  ['an id that is too short', 'GET', '/api/jobs/status/abc', undefined, 400, 'INVALID_ID', 'job_id'],
  ['an id in upper case', 'GET', `/api/jobs/${'A'.repeat(64)}`, undefined, 400, 'INVALID_ID', 'job_id'],
  ['an id that walks up', 'GET', '/api/jobs/..%2F..%2Fadmin%2Fhost%2Fstatus', undefined, 400, 'INVALID_ID', 'job_id'],
  ['an id with a query', 'GET', `/api/jobs/a%26taskHub%3DOther/instance`, undefined, 400, 'INVALID_ID', 'job_id'],
  ['an id with SQL', 'GET', `/api/jobs/${encodeURIComponent("' OR 1=1--")}/tasks`, undefined, 400, 'INVALID_ID', 'job_id'],
  ['an unknown job', 'GET', `/api/jobs/${ID}`, undefined, 404, 'JOB_NOT_FOUND'],
  ['an unknown instance', 'GET', `/api/jobs/${ID}/instance`, undefined, 404, 'JOB_NOT_FOUND'],
  ['tasks of an unknown job', 'GET', `/api/jobs/${ID}/tasks`, undefined, 404, 'JOB_NOT_FOUND'],
  ['events of an unknown job', 'GET', `/api/jobs/${ID}/events`, undefined, 404, 'JOB_NOT_FOUND'],
  ['a task of an unknown job', 'GET', `/api/jobs/${ID}/tasks/1/x`, undefined, 404, 'JOB_NOT_FOUND'],
  ['stage 0', 'GET', `/api/jobs/${ID}/tasks/0/x`, undefined, 400, 'INVALID_ID', 'stage'],
  ['a stage that is a word', 'GET', `/api/jobs/${ID}/tasks/one/x`, undefined, 400, 'INVALID_ID', 'stage'],
  ['limit = 0', 'GET', '/api/jobs?limit=0', undefined, 400, 'INVALID_QUERY', 'limit'],
  ['limit = -1', 'GET', '/api/jobs?limit=-1', undefined, 400, 'INVALID_QUERY', 'limit'],
  ['limit = 1,001', 'GET', '/api/jobs?limit=1001', undefined, 400, 'INVALID_QUERY', 'limit'],
  ['limit = x', 'GET', '/api/jobs?limit=x', undefined, 400, 'INVALID_QUERY', 'limit'],
  ['an unknown status', 'GET', '/api/jobs?status=done', undefined, 400, 'INVALID_QUERY', 'status'],
  ['a sort key', 'GET', '/api/jobs?sort=created_at;DROP', undefined, 400, 'INVALID_QUERY', 'sort'],
  ['a since without offset', 'GET', '/api/jobs?since=2026-01-01T00:00:00', undefined, 400, 'INVALID_QUERY', 'since'],
  ['a damaged cursor', 'GET', '/api/jobs?next=%00%01', undefined, 400, 'INVALID_CURSOR', 'next'],
  [
    'a foreign cursor',
    'GET',
    `/api/jobs?next=${Buffer.from('["abc",{"created_at":"2026-01-01","job_id":"' + ID + '"}]').toString('base64url')}`,
    undefined,
    400,
    'INVALID_CURSOR',
    'next',
  ],
  ['PUT on submit', 'PUT', HELLO, {}, 405, 'METHOD_NOT_ALLOWED'],
  ['GET on submit', 'GET', HELLO, undefined, 405, 'METHOD_NOT_ALLOWED'],
  ['DELETE on a job', 'DELETE', `/api/jobs/${ID}`, undefined, 405, 'METHOD_NOT_ALLOWED'],
  ['POST on the job list', 'POST', '/api/jobs', {}, 405, 'METHOD_NOT_ALLOWED'],
  ['an unknown route', 'GET', '/api/nothing/here', undefined, 404, 'ROUTE_NOT_FOUND'],
]

describe(`${rows.length} broken requests: exact status, code and path`, () => {
  for (const [title, method, path, body, status, code, issue, headers] of rows) {
    test(`${title} → ${status} ${code}`, async () => {
      const answer = await app.send(method, path, body, { 'x-request-id': 'req-42', ...headers })
      expect([answer.status, answer.body.code]).toEqual([status, code])
      expect(answer.headers.get('content-type')).toBe('application/problem+json')
      expect(answer.headers.get('x-request-id')).toBe('req-42')
      expect(answer.body).toMatchObject({ status, request_id: 'req-42', type: `urn:lamplighter:error:${code}` })
      if (issue !== undefined) expect(answer.body.issues[0].path).toBe(issue)
      if (status === 405) expect(answer.headers.get('allow')).toMatch(/^(GET|POST)/)
      expect(JSON.stringify(answer.body)).not.toMatch(/at .*\.(js|ts):|SELECT |postgres:\/\/|AccountKey/)
    })
  }

  test('afterwards: the process lives and no row is left behind', async () => {
    expect((await app.get('/api/health/live')).status).toBe(200)
    for (const table of ['jobs', 'stages', 'tasks', 'job_events']) {
      expect(await app.database.pool.query(`SELECT count(*)::int AS n FROM app.${table}`), table).toEqual([{ n: 0 }])
    }
  })
})

test('a Host header of another name is refused: a web page cannot rebind its name to this host', async () => {
  const { hostname, port } = new URL(app.host.url)
  const answer = await new Promise<string>((resolve) => {
    const socket = connect(Number(port), hostname, () =>
      socket.write('GET /api/jobs HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n'),
    )
    let text = ''
    socket.on('data', (d) => (text += d.toString()))
    socket.on('close', () => resolve(text))
  })
  expect(answer).toMatch(/^HTTP\/1\.1 403/)
})

test('a request id of the caller that is not plain is replaced', async () => {
  const answer = await app.send('GET', '/api/health/live', undefined, { 'x-request-id': '<script>' })
  expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
})

test('ready names what does not answer', async () => {
  expect((await app.get('/api/health/ready')).body).toMatchObject({
    status: 'ready',
    checks: [
      { name: 'postgres', status: 'ok' },
      { name: 'storage', status: 'ok' },
      { name: 'durable', status: 'ok' },
      { name: 'breakers', status: 'ok' },
      { name: 'settings', status: 'ok' },
    ],
  })
})

test('job types tell their parameters, and each submit link exists', async () => {
  const { body } = await app.get('/api/job-types')
  expect(body.job_types.map((j: { name: string }) => j.name)).toEqual([
    'catalog_container',
    'compare_inventories',
    'export_stac',
    'hello_world',
    'ingest_stac',
    'inventory_container',
    'list_container',
    'process_container',
    'process_raster',
    'summarize_container',
    'validate_stac',
  ])
  for (const job of body.job_types) {
    expect(job.parameters.type ?? job.parameters.anyOf ?? job.parameters.properties, job.name).toBeDefined()
    expect((await app.send('POST', job.submit, { nonsense: 1 })).status).toBe(400)
  }
})
