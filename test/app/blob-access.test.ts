// Signatures, GDAL settings, download, upload, summary: over HTTP, with the roles that may call them.
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob'
import { createHash, randomUUID } from 'node:crypto'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { encodeGeoTiff } from '../../local/demo/geotiff.ts'
import { startApp, type TestApp } from '../support/app.ts'

let app: TestApp
let client: ContainerClient
let container: string
const unique = randomUUID().slice(0, 8)
const BODY = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => i % 251))

beforeAll(async () => {
  app = await startApp({ env: { AUTH_MODE: 'easyauth', WEBSITE_AUTH_ENABLED: 'True' } })
  client = await app.container()
  container = client.containerName
  await client.getBlockBlobClient('d/large.bin').uploadData(BODY, { blobHTTPHeaders: { blobContentType: 'image/tiff' } })
  await client.getBlockBlobClient('empty').upload('', 0)
  await client.getBlockBlobClient(`ž q'u?.html`).upload('<script>', 8, { blobHTTPHeaders: { blobContentType: 'text/html' } })
})
afterAll(() => app.stop())

const as = (role?: string, name = 'jana@example.org'): Record<string, string> => ({
  'x-ms-client-principal': Buffer.from(
    JSON.stringify({ claims: [{ typ: 'preferred_username', val: name }, ...(role ? [{ typ: 'roles', val: role }] : [])] }),
  ).toString('base64'),
})
const call = (method: string, path: string, role?: string, body?: unknown, headers: object = {}) =>
  app.send(method, `/api/containers/${path}`, body, { ...(role ? as(role) : {}), ...headers })
const sas = (body: object, role = 'submitter', query = '') => call('POST', `${container}/sas${query}`, role, body)
const fetchBlob = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${app.host.url}/api/containers/${container}/download/${path}`, { headers: { ...as('submitter'), ...headers } })

describe('signatures', () => {
  test('read only and for an hour unless asked; opens this blob alone; kept by nobody; who asked is an event', async () => {
    const { status, body, headers } = await sas({ blob: 'd/large.bin' })
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(body).toEqual({ url: expect.any(String), expires_at: expect.any(String), permissions: 'r', kind: 'service' })
    expect(Buffer.from(await (await fetch(body.url)).arrayBuffer()).equals(BODY)).toBe(true)
    expect((await fetch(body.url, { method: 'DELETE' })).status).toBe(403)
    expect((await fetch(body.url.replace('large.bin', 'other.bin'))).status).toBe(403)
    expect((await fetch(body.url.replace(/sig=.{4}/, 'sig=AAAA'))).status).toBe(403)
    const minutes = (Date.parse(body.expires_at) - Date.parse(headers.get('date') ?? '')) / 60_000
    expect(minutes).toBeGreaterThan(55)
    expect(minutes).toBeLessThanOrEqual(61)
    const [event] = await app.database.pool.query<{ actor: string; data: object }>(
      `SELECT actor, data FROM app.job_events WHERE event = 'sas.issued' ORDER BY event_id DESC LIMIT 1`,
    )
    expect(event).toEqual({
      actor: 'jana@example.org',
      data: { container, blob: 'd/large.bin', permissions: 'r', expires_at: body.expires_at, kind: 'service' },
    })
  })

  test('of a container: read and list, for administrators', async () => {
    expect(await sas({}, 'operator')).toMatchObject({ status: 403, body: { code: 'ROLE_MISSING' } })
    const { body } = await sas({}, 'admin')
    expect(body).toMatchObject({ permissions: 'rl' })
    expect(await (await fetch(`${body.url}&restype=container&comp=list`)).text()).toContain('<Name>d/large.bin</Name>')
  })

  test('to write: operators, silver and gold only', async () => {
    expect(await sas({ blob: 'x', permissions: 'rcw' })).toMatchObject({ status: 403, body: { code: 'ROLE_MISSING' } })
    expect(await sas({ blob: 'x', permissions: 'rcw' }, 'operator')).toMatchObject({
      status: 403,
      body: { code: 'CONTAINER_READ_ONLY' },
    })
  })

  test.each([
    [{ blob: 'x', minutes: 0 }, 'minutes'],
    [{ blob: 'x', minutes: 61 }, 'minutes'],
    [{ blob: 'x', minutes: 'x' }, 'minutes'],
    [{ blob: 'x', permissions: 'd' }, 'permissions'],
    [{ blob: '../x' }, 'blob'],
    [{ blob: 'a\\b' }, 'blob'],
    [{ blob: '' }, 'blob'],
    [{ blob: 'x', ip: '1.2.3.4' }, 'ip'],
  ])('%j is refused with its path', async (body, path) => {
    expect(await sas(body)).toMatchObject({ status: 400, body: { code: 'INVALID_PARAMETERS', issues: [{ path }] } })
  })

  test('whether the blob exists is asked only when wanted', async () => {
    expect((await sas({ blob: 'not-there' })).status).toBe(200)
    expect(await sas({ blob: 'not-there' }, 'submitter', '?check=true')).toMatchObject({
      status: 404,
      body: { code: 'BLOB_NOT_FOUND' },
    })
  })
})

describe('GDAL', () => {
  test('paths, settings and a line for the shell; the path by URL opens the blob', async () => {
    const { status, body, headers } = await call('POST', `${container}/gdal/d/large.bin`, 'submitter', { minutes: 5 })
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(body).toMatchObject({
      vsi_path: `/vsiaz/${container}/d/large.bin`,
      env: { AZURE_STORAGE_ACCOUNT: 'devstoreaccount1', GDAL_DISABLE_READDIR_ON_OPEN: 'EMPTY_DIR', GDAL_HTTP_MAX_RETRY: '3' },
    })
    expect(body.env.AZURE_STORAGE_SAS_TOKEN).toMatch(/^sv=.*sig=/)
    expect((await fetch(body.vsicurl_path.replace('/vsicurl/', ''), { headers: { range: 'bytes=0-9' } })).status).toBe(206)
  })

  test('gdalinfo opens both paths, where it is installed', async (context) => {
    const run = promisify(execFile)
    const found = await run('gdalinfo', ['--version']).then(
      () => true,
      () => false,
    )
    context.skip(!found, 'gdalinfo is not on PATH')
    const tiff = encodeGeoTiff({
      width: 64,
      height: 64,
      samples: new Uint8Array(64 * 64),
      epsg: 32_634,
      projected: true,
      origin: [0, 0],
      pixel: [1, 1],
    })
    // Not among the files that the other tests count.
    const own = await app.container()
    await own.getBlockBlobClient('t.tif').uploadData(tiff)
    const { body } = await call('POST', `${own.containerName}/gdal/t.tif`, 'submitter', {})
    for (const path of [body.vsi_path, body.vsicurl_path]) {
      const { stdout } = await run('gdalinfo', ['-json', path], { env: { ...process.env, ...body.env } })
      expect(JSON.parse(stdout).size).toEqual([64, 64])
    }
  })
})

describe('download', () => {
  const sha = (bytes: ArrayBuffer | Buffer): string =>
    createHash('sha256')
      .update(Buffer.from(bytes as ArrayBuffer))
      .digest('hex')

  test('the whole blob, as a file and never as a page', async () => {
    const answer = await fetchBlob('d/large.bin')
    expect(answer.status).toBe(200)
    expect(sha(await answer.arrayBuffer())).toBe(sha(BODY))
    expect(answer.headers.get('content-length')).toBe(String(BODY.length))
    expect(answer.headers.get('content-type')).toBe('image/tiff')
    const page = await fetchBlob(encodeURIComponent(`ž q'u?.html`))
    expect([page.status, await page.text()]).toEqual([200, '<script>'])
    expect(page.headers.get('content-disposition')).toBe(`attachment; filename*=UTF-8''%C5%BE%20q%27u%3F.html`)
    expect([page.headers.get('x-content-type-options'), page.headers.get('content-security-policy')]).toEqual([
      'nosniff',
      'sandbox',
    ])
    const empty = await fetchBlob('empty')
    expect([empty.status, await empty.text(), empty.headers.get('content-length')]).toEqual([200, '', '0'])
  })

  test.each([
    ['bytes=0-99', 0, 100],
    ['bytes=1000000-', 1_000_000, 2_000_000],
    ['bytes=-500', 2_999_500, 500],
    ['bytes=2999999-9999999', 2_999_999, 1],
  ])('%s', async (range, offset, length) => {
    const answer = await fetchBlob('d/large.bin', { range })
    expect(answer.status).toBe(206)
    expect(answer.headers.get('content-range')).toBe(`bytes ${offset}-${offset + length - 1}/3000000`)
    expect(sha(await answer.arrayBuffer())).toBe(sha(BODY.subarray(offset, offset + length)))
  })

  test.each(['bytes=5-1', 'bytes=0-1,5-6', 'lines=1-2', 'bytes=-', 'bytes=x'])(
    '%s is no range that must be kept: everything',
    async (range) => {
      const answer = await fetchBlob('d/large.bin', { range })
      expect([answer.status, (await answer.arrayBuffer()).byteLength]).toEqual([200, BODY.length])
    },
  )

  test('beyond the end is 416; conditions are kept', async () => {
    const beyond = await fetchBlob('d/large.bin', { range: 'bytes=3000000-' })
    expect([beyond.status, ((await beyond.json()) as { code: string }).code]).toEqual([416, 'RANGE_NOT_SATISFIABLE'])
    expect((await fetchBlob('empty', { range: 'bytes=0-' })).status).toBe(416)
    const etag = (await fetchBlob('empty')).headers.get('etag') ?? ''
    expect((await fetchBlob('empty', { 'if-none-match': `"x", W/${etag}` })).status).toBe(304)
    expect((await fetchBlob('empty', { 'if-match': '"x"' })).status).toBe(412)
    expect((await fetchBlob('empty', { 'if-match': etag })).status).toBe(200)
    expect((await fetchBlob('d/large.bin', { range: 'bytes=0-1', 'if-range': '"old"' })).status).toBe(200)
    expect((await fetchBlob('not-there')).status).toBe(404)
  })

  test('a reader who leaves stops the transfer; the next one is served', async () => {
    const stop = new AbortController()
    const answer = await fetch(`${app.host.url}/api/containers/${container}/download/d/large.bin`, {
      headers: as('submitter'),
      signal: stop.signal,
    })
    await answer.body?.getReader().read()
    stop.abort()
    expect(sha(await (await fetchBlob('d/large.bin')).arrayBuffer())).toBe(sha(BODY))
  })
})

describe('upload', () => {
  const put = (path: string, body: Uint8Array, headers: object = {}, role = 'operator') =>
    call('PUT', `silver/blobs/${unique}/${path}`, role, body, { 'content-type': 'image/tiff', ...headers })

  test('creates, refuses a taken name, replaces by ETag, overwrites when asked; bytes, type and metadata are kept', async () => {
    const body = Buffer.from([0, 255, 1, 254])
    const first = await put('a b.tif', body, { 'x-ms-meta-source': 'survey 7' })
    expect(first).toMatchObject({ status: 201, body: { container: 'silver', blob_path: `${unique}/a b.tif`, size: 4 } })
    expect(first.headers.get('location')).toContain(`/api/containers/silver/blobs/${unique}/a%20b.tif`)
    expect(await put('a b.tif', body)).toMatchObject({ status: 409, body: { code: 'BLOB_EXISTS' } })
    expect(await put('a b.tif', body, { 'if-match': '"0x1"' })).toMatchObject({ status: 412, body: { code: 'BLOB_CHANGED' } })
    expect((await put('a b.tif', body, { 'if-match': first.headers.get('etag') })).status).toBe(201)
    expect((await put('a b.tif?overwrite=true', body, { 'x-ms-meta-source': 'survey 8' })).status).toBe(201)
    const silver = BlobServiceClient.fromConnectionString(inject('storage')).getContainerClient('silver')
    const stored = silver.getBlobClient(`${unique}/a b.tif`)
    expect((await stored.downloadToBuffer()).equals(body)).toBe(true)
    expect(await stored.getProperties()).toMatchObject({ contentType: 'image/tiff', metadata: { source: 'survey 8' } })
  })

  test('too large, a bad name, bad metadata, bronze and readers are refused; nothing is written', async () => {
    expect(await put('large', Buffer.alloc(16 * 1024 * 1024 + 1))).toMatchObject({
      status: 413,
      body: { code: 'BODY_TOO_LARGE' },
    })
    expect(await put('a/./b.', Buffer.from('x'))).toMatchObject({
      status: 400,
      body: { code: 'INVALID_ID', issues: [{ path: 'path' }] },
    })
    // Refused by the host.
    expect((await put('a//b', Buffer.from('x'))).status).toBe(404)
    expect(await put('dot.', Buffer.from('x'))).toMatchObject({ status: 400 })
    expect(await put('m', Buffer.from('x'), { 'x-ms-meta-a-b': 'x' })).toMatchObject({
      status: 400,
      body: { code: 'INVALID_METADATA' },
    })
    expect(await call('PUT', 'bronze/blobs/x', 'operator', Buffer.from('x'))).toMatchObject({
      status: 403,
      body: { code: 'CONTAINER_READ_ONLY' },
    })
    expect(await put('r', Buffer.from('x'), {}, 'submitter')).toMatchObject({ status: 403, body: { code: 'ROLE_MISSING' } })
    const silver = BlobServiceClient.fromConnectionString(inject('storage')).getContainerClient('silver')
    const names = []
    for await (const b of silver.listBlobsFlat({ prefix: `${unique}/` })) names.push(b.name)
    expect(names.filter((n) => !n.endsWith('/a b.tif'))).toEqual([])
  })
})

test('summary: what a bounded look tells at once', async () => {
  const { body } = await call('GET', `${container}/summary`, 'reader')
  expect(body).toMatchObject({
    container_name: container,
    file_count: 3,
    total_size: BODY.length + 8,
    largest_file_name: 'd/large.bin',
    largest_file_size: BODY.length,
    truncated: false,
  })
  expect((await call('GET', `${container}/summary?prefix=d/&extension=bin`, 'reader')).body).toMatchObject({
    file_count: 1,
    prefix_filter: 'd/',
  })
  expect(await call('GET', `${container}/summary?limit=5`, 'reader')).toMatchObject({
    status: 400,
    body: { issues: [{ path: 'limit' }] },
  })
})

describe('roles', () => {
  const RANK = ['reader', 'submitter', 'operator', 'admin']
  test.each([
    ['reader', 'GET', () => `${container}/blobs`],
    ['reader', 'GET', () => `${container}/summary`],
    ['submitter', 'POST', () => `${container}/gdal/empty`],
    ['admin', 'POST', () => `${container}/container-sas`],
    ['submitter', 'GET', () => `${container}/download/empty`],
    ['submitter', 'POST', () => `${container}/sas?check=false`],
    ['operator', 'PUT', () => `silver/blobs/${unique}/roles?overwrite=true`],
  ])('%s is the least that may %s %s', async (least, method, path) => {
    const body =
      method === 'POST' ? (/sas\?/.test(path()) ? { blob: 'empty' } : {}) : method === 'PUT' ? Buffer.from('x') : undefined
    for (const role of RANK) {
      const { status } = await call(method, path(), role, body)
      expect([role, status]).toEqual([role, RANK.indexOf(role) < RANK.indexOf(least) ? 403 : expect.toBeOneOf([200, 201])])
    }
    const stranger = await call(method, path(), undefined, body)
    expect([stranger.status, stranger.headers.get('www-authenticate'), stranger.body.code]).toEqual([
      401,
      'Bearer',
      'UNAUTHENTICATED',
    ])
    const nobody = await app.send(method, `/api/containers/${path()}`, body, as())
    expect(nobody).toMatchObject({ status: 403, body: { code: 'ROLE_MISSING' } })
    for (const header of ['x', Buffer.from('{"claims":1}').toString('base64'), Buffer.from('null').toString('base64')])
      expect((await app.send(method, `/api/containers/${path()}`, body, { 'x-ms-client-principal': header })).status).toBe(401)
  })

  test('health answers without a caller; a job is submitted under the name of its caller', async () => {
    expect((await app.get('/api/health/live')).status).toBe(200)
    expect(await app.send('POST', '/api/jobs/submit/hello_world', {}, as('reader'))).toMatchObject({ status: 403 })
    const { body } = await app.send('POST', '/api/jobs/submit/hello_world', {}, as('submitter', 'igor'))
    const [row] = await app.database.pool.query(`SELECT submitted_by FROM app.jobs WHERE job_id = $1`, [body.job_id])
    expect(row).toEqual({ submitted_by: 'igor' })
  })
})

test('without the platform flag the header is not trusted: every caller is a stranger', async () => {
  const open = await startApp({ env: { AUTH_MODE: 'easyauth' } })
  expect((await open.send('GET', '/api/jobs', undefined, as('admin'))).status).toBe(401)
  expect((await open.get('/api/health/live')).status).toBe(200)
  await open.stop()
})
