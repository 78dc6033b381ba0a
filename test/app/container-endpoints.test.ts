import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fill, startApp, type TestApp } from '../support/app.ts'

let app: TestApp
let container: string
const NAMES = Array.from({ length: 250 }, (_, i) => `d${i % 5}/f_${String(i).padStart(3, '0')}.${['tif', 'csv'][i % 2]}`)
const ODD = ['a b.txt', '100%.txt', 'x%2Fy.txt', 'q?b#c.txt', 'ž/é.txt', `q'u"<&>.txt`]

beforeAll(async () => {
  app = await startApp()
  const client = await app.container()
  container = client.containerName
  await fill(client, [...NAMES, ...ODD], 'x,y\n1,2\n')
})
afterAll(() => app.stop())

const path = (query = '') => `/api/containers/${container}/blobs${query}`
interface Page {
  readonly blobs: { name: string; size: number }[]
  readonly folders: string[]
  readonly count: number
  readonly next?: string
}
/** All pages of a query. */
async function all(query: string): Promise<Page[]> {
  const pages: Page[] = []
  let next = ''
  do {
    const { status, body } = await app.get(path(`?${query}${next}`))
    expect(status).toBe(200)
    pages.push(body as Page)
    next = body.next ? `&next=${encodeURIComponent(body.next)}` : ''
  } while (next !== '')
  return pages
}
const namesOf = (pages: readonly Page[]): string[] => pages.flatMap((p) => p.blobs.map((b) => b.name))

test('containers: the allowed ones, with tier and whether they exist', async () => {
  const { body } = await app.get('/api/containers')
  expect(body.containers).toContainEqual({
    container_name: 'bronze',
    tier: 'bronze',
    exists: true,
    last_modified: expect.any(String),
  })
  expect(body.containers).toContainEqual({ container_name: 'missing', tier: 'other', exists: false })
  expect(body.containers.map((c: { container_name: string }) => c.container_name)).not.toContain('lamplighter')
})

describe('blobs', () => {
  test('paging returns each blob once, in byte order', async () => {
    const pages = await all('limit=40')
    expect(namesOf(pages)).toEqual([...NAMES, ...ODD].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
    expect(Math.max(...pages.map((p) => p.count))).toBe(40)
  })

  test('filters come before the limit: each match once', async () => {
    const wanted = NAMES.filter((n) => n.startsWith('d1/') && n.endsWith('.csv')).sort()
    expect(namesOf(await all('limit=7&prefix=d1/&extension=.CSV'))).toEqual(wanted)
    expect(namesOf(await all('limit=7&pattern=d1/*.csv'))).toEqual(wanted)
    expect(namesOf(await all('filter=F_00'))).toHaveLength(10)
    expect(namesOf(await all('min_size=9'))).toEqual([])
    expect(namesOf(await all(`modified_before=${encodeURIComponent('2001-01-01T00:00:00Z')}`))).toEqual([])
  })

  test('one level: folders and blobs, in pages', async () => {
    const pages = await all('delimiter=/&limit=3')
    expect(pages.flatMap((p) => p.folders).sort()).toEqual(['d0/', 'd1/', 'd2/', 'd3/', 'd4/', 'ž/'])
    expect(namesOf(pages).sort()).toEqual(ODD.filter((n) => !n.includes('/')).sort())
    expect(namesOf(await all('delimiter=/&prefix=d3/&limit=20'))).toHaveLength(50)
  })

  test.each([
    ['?limit=0', 'INVALID_QUERY', 'limit'],
    ['?limit=5001', 'INVALID_QUERY', 'limit'],
    ['?delimiter=%7C', 'INVALID_QUERY', 'delimiter'],
    ['?colour=red', 'INVALID_QUERY', 'colour'],
    ['?min_size=5&max_size=4', 'INVALID_QUERY', 'min_size'],
    ['?pattern=%5B', 'INVALID_QUERY', 'pattern'],
    ['?modified_after=yesterday', 'INVALID_QUERY', 'modified_after'],
    ['?prefix=..%2Fother', 'INVALID_QUERY', 'prefix'],
    ['?next=zzz', 'INVALID_CURSOR', 'next'],
  ])('%s is a 400 with code and path', async (query, code, where) => {
    const { status, body } = await app.get(path(query))
    expect([status, body.code, body.issues[0].path]).toEqual([400, code, where])
  })

  test('a cursor of another query is refused', async () => {
    const { body } = await app.get(path('?limit=5'))
    const other = await app.get(path(`?limit=5&extension=csv&next=${encodeURIComponent(body.next)}`))
    expect([other.status, other.body.code]).toEqual([400, 'INVALID_CURSOR'])
  })

  test.each([
    ['secret', 403, 'CONTAINER_NOT_ALLOWED'],
    ['lamplighter', 403, 'CONTAINER_NOT_ALLOWED'],
    ['missing', 404, 'CONTAINER_NOT_FOUND'],
    ['a--b', 400, 'INVALID_ID'],
    ['%24logs', 400, 'INVALID_ID'],
  ])('container %s → %i %s', async (name, status, code) => {
    const answer = await app.get(`/api/containers/${name}/blobs`)
    expect([answer.status, answer.body.code]).toEqual([status, code])
  })
})

describe('one blob', () => {
  test.each(ODD)('%s: its own properties, byte for byte', async (name) => {
    const { status, body, headers } = await app.get(path(`/${name.split('/').map(encodeURIComponent).join('/')}`))
    expect(status).toBe(200)
    expect(body).toMatchObject({ name, size: 8, size_category: 'tiny', extension: 'txt' })
    expect(headers.get('etag')).toBe(body.etag)
  })

  test('a known ETag is a 304 without a body', async () => {
    const { headers } = await app.get(path('/d0/f_000.tif'))
    const again = await fetch(app.host.url + path('/d0/f_000.tif'), { headers: { 'if-none-match': String(headers.get('etag')) } })
    expect([again.status, await again.text()]).toEqual([304, ''])
  })

  test.each([
    ['/nowhere.tif', 404, 'BLOB_NOT_FOUND'],
    ['/d0%5Cx', 400, 'INVALID_ID'],
    // Refused by the host, with an empty body.
    ['/d0/%00', 400, undefined],
  ])('%s → %i %s', async (name, status, code) => {
    const answer = await app.get(path(name))
    expect([answer.status, answer.body.code]).toEqual([status, code])
  })
})
