// Names that try to leave their container, on every route and parameter that takes one: refused with a path, no request to storage.
import { BlobServiceClient } from '@azure/storage-blob'
import { randomUUID } from 'node:crypto'
import { request } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { sameBlob } from '../../src/storage/account.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { type StorageProxy, startStorageProxy } from '../support/storage-proxy.ts'

let app: TestApp
let proxy: StorageProxy
let container: string
const other = `other-${randomUUID().slice(0, 8)}`
const SECRET = 'the secret of another container'

beforeAll(async () => {
  proxy = await startStorageProxy(inject('storage'))
  app = await startApp({ storage: proxy.connectionString })
  container = (await app.container()).containerName
  const secrets = BlobServiceClient.fromConnectionString(inject('storage')).getContainerClient(other)
  await secrets.create()
  await secrets.getBlockBlobClient('secret.txt').upload(SECRET, SECRET.length)
})
afterAll(async () => {
  await app.stop()
  await proxy.close()
})
beforeEach(() => void (proxy.seen.length = 0))

/** Sent as it is: `fetch` would resolve dots in a path before they reach the wire. */
function raw(
  method: string,
  path: string,
  body?: string | object,
): Promise<{ status: number; text: string; code: string | undefined; paths: string[] }> {
  const { hostname, port } = new URL(app.host.url)
  const bytes = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
  const { promise, resolve, reject } = Promise.withResolvers<{
    status: number
    text: string
    code: string | undefined
    paths: string[]
  }>()
  const sent = request({ hostname, port, method, path, headers: { 'content-type': 'application/json' } }, (answer) => {
    const chunks: Buffer[] = []
    answer.on('data', (c: Buffer) => chunks.push(c))
    answer.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8')
      const problem = /problem\+json/.test(answer.headers['content-type'] ?? '')
        ? (JSON.parse(text) as { code: string; issues?: { path: string }[] })
        : undefined
      resolve({ status: answer.statusCode ?? 0, text, code: problem?.code, paths: (problem?.issues ?? []).map((i) => i.path) })
    })
  })
  sent.on('error', reject)
  sent.end(bytes)
  return promise
}

/** Every byte but the slash, which the host leaves encoded in a path. */
const encoded = (name: string): string =>
  [...Buffer.from(name, 'utf8')]
    .map((byte) => (byte === 0x2f ? '/' : `%${byte.toString(16).padStart(2, '0').toUpperCase()}`))
    .join('')

const BLOBS: readonly [string, string][] = [
  ['a step up', `../${other}/secret.txt`],
  ['a step up in the middle', `a/../../${other}/secret.txt`],
  ['a step up at the end', 'a/..'],
  ['two dots', '..'],
  ['one dot', '.'],
  ['a dot segment first', './a'],
  ['a dot segment last', 'a/.'],
  ['a dot segment between', 'a/./b'],
  ['a backslash', 'a\\b'],
  ['steps up by backslash', `..\\${other}\\secret.txt`],
  ['a leading slash', `/${other}/secret.txt`],
  ['two leading slashes', '//evil.example/x'],
  ['a null character', 'a\u0000b'],
  ['a line feed', 'a\nb'],
  ['a carriage return', 'a\rb'],
  ['a tab', 'a\tb'],
  ['delete', 'a\u007fb'],
  ['a C1 control', 'a\u0085b'],
  ['1,025 units', 'x'.repeat(1025)],
  ['255 segments', Array.from({ length: 255 }, () => 'a').join('/')],
]
const NOT_WRITABLE: readonly [string, string][] = [
  ['an empty segment', 'a//b'],
  ['a trailing slash', 'a/'],
  ['a segment that ends in a dot', 'a./b'],
  ['a name that ends in a dot', 'x.'],
]
const CONTAINERS: readonly [string, string][] = [
  ['not on the allow-list', other],
  ['the internal one', 'lamplighter'],
  ['logs', '$logs'],
  ['the web site', '$web'],
  ['the root', '$root'],
  ['two dots', '..'],
  ['a step up', `../${other}`],
  ['a slash', `${'a'.repeat(3)}/b`],
  ['a backslash', 'aaa\\b'],
  ['a URL', 'https://evil.example'],
  ['encoded dots', '%2e%2e'],
  ['too short', 'ab'],
  ['a leading hyphen', '-abc'],
  ['a trailing hyphen', 'abc-'],
  ['two hyphens', 'a--b'],
  ['64 characters', 'a'.repeat(64)],
  ['an underscore', 'a_b'],
  ['a null character', 'abc\u0000'],
  ['a query', 'abc?restype=container'],
  ['a fragment', 'abc#x'],
  ['a space between', 'a bc'],
  ['an emoji', '😀😀😀'],
  ['markup', '<img src=x>'],
  ['a comma list', 'bronze,silver'],
  ['an address with port', '127.0.0.1:10000'],
]
const REFUSED = [
  'INVALID_ID',
  'INVALID_PARAMETERS',
  'INVALID_QUERY',
  'INVALID_NAME',
  'CONTAINER_NOT_ALLOWED',
  'ROUTE_NOT_FOUND',
  'TEXT_NOT_STORABLE',
]

function expectRefused(answer: { status: number; text: string; code: string | undefined; paths: string[] }, path: string): void {
  expect([400, 403, 404]).toContain(answer.status)
  // Doubled slashes and %00 never reach the app: the host refuses them with an empty body.
  if (answer.text === '') return expect(proxy.seen).toEqual([])
  expect(REFUSED).toContain(answer.code)
  // 404: the host itself took the path for another route; 403: the name is legal, but not allowed.
  if (answer.status === 400) expect(answer.paths).toContain(path)
  expect(answer.text).not.toContain(SECRET)
  expect(proxy.seen).toEqual([])
}

/** Dot segments of a URL are resolved before any function sees them (RFC 3986 §5.2.4): what is left stays in its container, or is no route. */
function expectContained(answer: { status: number; text: string }, target: string): void {
  expect(answer.status).toBeLessThan(500)
  expect(answer.text).not.toContain(SECRET)
  for (const line of proxy.seen) expect(line).toContain(`/${target}`)
  proxy.seen.length = 0
}
const hasDots = (name: string): boolean => name.split('/').some((s) => s === '.' || s === '..')

describe('blob names', () => {
  test.each([...BLOBS])('%s', async (_title, name) => {
    const expectRefusedByUrl = (answer: Awaited<ReturnType<typeof raw>>, target = container): void =>
      hasDots(name) ? expectContained(answer, target) : expectRefused(answer, 'path')
    for (const [method, route] of [
      ['GET', 'blobs'],
      ['GET', 'download'],
      ['POST', 'gdal'],
    ] as const)
      expectRefusedByUrl(await raw(method, `/api/containers/${container}/${route}/${encoded(name)}`))
    expectRefusedByUrl(await raw('PUT', `/api/containers/silver/blobs/${encoded(name)}`, 'x'), 'silver')
    expectRefused(await raw('POST', `/api/containers/${container}/sas`, { blob: name }), 'blob')
    // Dots as they are, for what takes the path apart before the app sees it.
    if (!/[\u0000-\u0020\u007f-\u009f]/.test(name) && name.length < 100)
      expectRefusedByUrl(await raw('GET', `/api/containers/${container}/download/${name.replaceAll('\\', '%5C')}`))
  })

  test('a lone surrogate in JSON', async () => {
    expectRefused(await raw('POST', `/api/containers/${container}/sas`, '{"blob":"a\\ud800b"}'), 'blob')
  })

  test.each([...NOT_WRITABLE])('to write: %s', async (_title, name) => {
    expectRefused(await raw('PUT', `/api/containers/silver/blobs/${encoded(name)}`, 'x'), 'path')
  })
})

describe('container names', () => {
  test.each([...CONTAINERS])('%s', async (_title, name) => {
    for (const rest of ['blobs', 'summary', 'blobs/x', 'download/x'])
      expectRefused(await raw('GET', `/api/containers/${encoded(name)}/${rest}`), 'container')
    expectRefused(await raw('PUT', `/api/containers/${encoded(name)}/blobs/x`, 'x'), 'container')
    expectRefused(await raw('POST', `/api/containers/${encoded(name)}/sas`, { blob: 'x' }), 'container')
    expectRefused(await raw('POST', `/api/containers/${encoded(name)}/gdal/x`), 'container')
    for (const job of ['summarize_container', 'list_container', 'inventory_container'])
      expectRefused(await raw('POST', `/api/jobs/submit/${job}`, { container_name: name }), 'container_name')
  })
})

describe('prefixes, filters and cursors', () => {
  test.each(BLOBS.filter(([, name]) => name.length > 0))('prefix: %s', async (_title, name) => {
    const query = encodeURIComponent(name.toWellFormed())
    for (const path of [`blobs?prefix=${query}`, `blobs?delimiter=/&prefix=${query}`, `summary?prefix=${query}`])
      expectRefused(await raw('GET', `/api/containers/${container}/${path}`), 'prefix')
    expectRefused(
      await raw('POST', '/api/jobs/submit/inventory_container', { container_name: container, prefix: name }),
      'prefix',
    )
  })

  test.each([
    ['pattern', '['],
    ['pattern', '*'.repeat(257)],
    ['filter', ''],
    ['filter', 'x'.repeat(257)],
    ['extension', 'x'.repeat(18)],
    ['min_size', '-1'],
    ['max_size', '1e999'],
    ['modified_after', '2024-01-01T00:00:00'],
    ['container', other],
    ['prefix', 'a\u0000'],
  ])('query %s=%s', async (key, value) => {
    expectRefused(await raw('GET', `/api/containers/${container}/blobs?${key}=${encodeURIComponent(value)}`), key)
    expectRefused(await raw('GET', `/api/containers/${container}/summary?${key}=${encodeURIComponent(value)}`), key)
  })

  test('a cursor that names another container, or is made by hand', async () => {
    const forged = Buffer.from(JSON.stringify(['x', `../${other}/secret.txt`])).toString('base64url')
    for (const next of [forged, 'x', '%00', Buffer.from('[]').toString('base64url')]) {
      const answer = await raw('GET', `/api/containers/${container}/blobs?next=${next}`)
      expect([answer.status, answer.code]).toEqual([400, 'INVALID_CURSOR'])
      expect(answer.text).not.toContain(SECRET)
    }
  })
})

test('the second lock: a client that left its container is not used, even when the first lock is passed by', () => {
  const client = BlobServiceClient.fromConnectionString(inject('storage')).getContainerClient(container)
  for (const blob of [`../${other}/secret.txt`, 'a/./b', 'a/../b'])
    expect(() => sameBlob(client.getBlockBlobClient(blob), { container, blob })).toThrow(
      expect.objectContaining({ code: 'NAME_ESCAPES_CONTAINER' }),
    )
  const blob = 'a b/ž?#%2F.tif'
  expect(sameBlob(client.getBlockBlobClient(blob), { container, blob }).name).toBe(blob)
})

test('legal names that look hostile survive write, list, properties, download, signature byte for byte', async () => {
  const folder = randomUUID().slice(0, 8)
  const names = [
    'a b',
    '100%',
    'x%2Fy',
    'a?b#c',
    `q'u"<&>`,
    '😀',
    'é',
    'e\u0301',
    'a;b:c',
    '+',
    '...a',
    'a..b',
    '%2e%2e',
    '~',
    '[x]',
    'a=b&c',
  ].map((n) => `${folder}/${n}`)
  for (const name of names) {
    const path = `/api/containers/silver/blobs/${encoded(name)}`
    expect((await app.send('PUT', path, Buffer.from(name))).status).toBe(201)
    expect((await app.get(path)).body.name).toBe(name)
    expect((await raw('GET', `/api/containers/silver/download/${encoded(name)}`)).text).toBe(name)
    const { body } = await app.send('POST', '/api/containers/silver/sas', { blob: name })
    expect(await (await fetch(body.url)).text()).toBe(name)
  }
  const { body } = await app.get(`/api/containers/silver/blobs?prefix=${folder}/`)
  expect(body.blobs.map((b: { name: string }) => b.name).sort()).toEqual(names.toSorted())
})
