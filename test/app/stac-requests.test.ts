// Requests to the catalogue, good and bad, each with its status; who may read it, from where.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { post, read } from '../support/stac-client.ts'

let app: TestApp
beforeAll(async () => void (app = await startApp({ env: { CORS_ORIGINS: 'https://browser.example' } })))
afterAll(() => app?.stop())

const BAD: [string, number, string][] = [
  ['limit=0', 400, 'INVALID_SEARCH'],
  ['limit=abc', 400, 'INVALID_SEARCH'],
  ['limit=999999', 200, ''],
  ['bbox=1,2,3', 400, 'INVALID_SEARCH'],
  ['bbox=170,-10,-170,10', 200, ''],
  ['bbox=0,10,5,-10', 400, 'INVALID_SEARCH'],
  ['bbox=0,0,181,1', 400, 'INVALID_SEARCH'],
  ['bbox=0,0,0,NaN', 400, 'INVALID_SEARCH'],
  ['bbox=0,0,0,0,0,0', 200, ''],
  ['bbox=[0,0,1,1]', 400, 'INVALID_SEARCH'],
  ['bbox=0,0,1,1&intersects={"type":"Point","coordinates":[0,0]}', 400, 'INVALID_SEARCH'],
  ['intersects={"type":"Polygon","coordinates":[[[0,0],[1,1],[1,0],[0,1],[0,0]]]}', 400, 'INVALID_SEARCH'],
  ['intersects={"type":"Polygon","coordinates":[[[0,0],[1,1],[1,0]]]}', 400, 'INVALID_SEARCH'],
  ['datetime=2024-02-30T00:00:00Z', 400, 'INVALID_SEARCH'],
  ['datetime=2024-02-01', 400, 'INVALID_SEARCH'],
  ['datetime=../..', 400, 'INVALID_SEARCH'],
  ['datetime=2024-01-01t00:00:00z/..', 200, ''],
  ['datetime=2024-01-01T00:00:00+01:00/', 200, ''],
  ['datetime=2025-01-01T00:00:00Z/2024-01-01T00:00:00Z', 400, 'INVALID_SEARCH'],
  ['sortby=-nope', 400, 'INVALID_SEARCH'],
  ['sortby=+id,-datetime', 200, ''],
  ['fields=-id', 200, ''],
  ['token=abc', 400, 'INVALID_TOKEN'],
  ['nothing=1', 400, 'INVALID_QUERY'],
  ['filter=nope = 1', 400, 'CQL2_UNKNOWN_PROPERTY'],
  ['filter=gsd >', 400, 'CQL2_INVALID'],
  [`filter=${'('.repeat(1000)}gsd = 1`, 400, 'CQL2_INVALID'],
  ["filter=id = '''; DROP TABLE app.stac_items; --'", 200, ''],
  ['filter=gsd = 1&filter-crs=EPSG:3857', 400, 'INVALID_SEARCH'],
  ['ids=nothing,there', 200, ''],
]
test.each(BAD)('GET search?%s: %i %s', async (query, status, code) => {
  const escaped = query.split('&').map((part) => {
    const at = part.indexOf('=')
    return `${part.slice(0, at)}=${encodeURIComponent(part.slice(at + 1)).replaceAll('%2B', '+')}`
  })
  const answer = await read(`${app.host.url}/api/stac/search?${escaped.join('&')}`)
  expect([answer.status, answer.body.code ?? '']).toEqual([status, code])
  if (status === 400) expect(answer.body.issues[0].message).not.toBe('')
})

test('documents have ETags; pages of named origins may read, others may not send', async () => {
  const url = `${app.host.url}/api/stac/collections`
  const first = await read(url)
  expect((await read(url, { headers: { 'if-none-match': first.headers.get('etag') ?? '' } })).status).toBe(304)
  const origin = { origin: 'https://browser.example' }
  expect((await read(url, { headers: origin })).headers.get('access-control-allow-origin')).toBe(origin.origin)
  expect((await read(url, { headers: { origin: 'https://evil.example' } })).headers.get('access-control-allow-origin')).toBeNull()
  const asked = await fetch(`${app.host.url}/api/stac/search`, {
    method: 'OPTIONS',
    headers: { ...origin, 'access-control-request-method': 'POST' },
  })
  expect([asked.status, asked.headers.get('access-control-allow-methods')]).toEqual([204, 'GET, POST'])
  expect((await post(`${app.host.url}/api/stac/search`, {}, origin)).status).toBe(200)
  expect((await post(`${app.host.url}/api/stac/search`, {}, { origin: 'https://evil.example' })).status).toBe(403)
  expect((await post(`${app.host.url}/api/stac/search`, { limit: 0 }, origin)).headers.get('access-control-allow-origin')).toBe(
    origin.origin,
  )
})

test('open to anybody where the settings say so: documents alone; files, reports, deletions and jobs keep asking who calls', async () => {
  const open = await startApp({
    env: { AUTH_MODE: 'easyauth', STAC_PUBLIC_READ: 'true', PUBLIC_BASE_URL: 'https://maps.example/' },
  })
  try {
    const status = async (path: string, method = 'GET'): Promise<number> =>
      (await fetch(`${open.host.url}/api/${path}`, { method })).status
    const root = await read(`${open.host.url}/api/stac`)
    expect(root.status).toBe(200)
    for (const { href } of root.body.links) expect(href).toMatch(/^https:\/\/maps\.example\/api/)
    const item = 'stac/collections/bronze-x/items/y'
    const statuses: [string, number][] = [
      ['stac/collections', 200],
      ['stac/search', 200],
      [item, 404],
      [`${item}/assets/data`, 401],
      [`${item}/preview.png`, 401],
      [`${item}/lineage`, 401],
      ['stac/validate', 405],
      ['jobs', 401],
    ]
    for (const [path, expected] of statuses) expect([path, await status(path)]).toEqual([path, expected])
    expect(await status(item, 'DELETE')).toBe(401)
  } finally {
    await open.stop()
  }
})
