// The host does not rank routes: it sorts functions by name and takes the first that matches. So no URL may match two of them.
import { readdir } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { httpRoute, matchRoute } from 'functions-host'
import { UNKNOWN_ROUTE } from '../../src/http/fallback.ts'
import { JOB_ACTIONS } from '../../src/engine/lifecycle.ts'
import { RESERVED_JOB_NAMES } from '../../src/define/define-job.ts'
import type { HttpRow } from '../../src/http/route.ts'
import { HTTP_TABLE } from '../../src/http/table.ts'
import { plainTemplate, valuesOf } from '../../src/http/template.ts'

const ID = 'a1'.repeat(32)
const trigger = (method: string, route: string) => ({ methods: [method], route })
const routes = HTTP_TABLE.map((d) => ({
  ...d,
  host: httpRoute({ name: d.name }, trigger(d.method, d.path), 'api'),
}))
const literals = [...new Set(HTTP_TABLE.flatMap((d) => plainTemplate(d.path).split('/')).filter((part) => !part.startsWith('{')))]
const takers = (method: string, url: string): string[] =>
  routes.filter((d) => d.method === method && matchRoute([d.host], method, url)).map((d) => d.name)

/** URLs of a template: each parameter is a word of another template, an id, anything; a catch-all may be empty. */
const urlsOf = (template: string): fc.Arbitrary<string> =>
  fc
    .tuple(
      ...plainTemplate(template)
        .split('/')
        .map((part) =>
          part.startsWith('{*')
            ? fc.array(fc.constantFrom('', ID, 'x', ...literals), { maxLength: 3 }).map((rest) => rest.join('/'))
            : part.startsWith('{')
              ? fc.constantFrom(ID, 'x', '1', ...literals)
              : fc.constant(part),
        ),
    )
    .map((parts) => `/api/${parts.join('/')}`)

describe('no URL matches two routes of a method', () => {
  for (const { name, method, path } of HTTP_TABLE) {
    test(`${method} ${plainTemplate(path)} (${name})`, () => {
      fc.assert(
        fc.property(urlsOf(path), (url) => {
          const found = takers(method, url)
          expect(found.length, `${method} ${url} is taken by ${found.join(' and ')}`).toBeLessThanOrEqual(1)
        }),
        { numRuns: 30 },
      )
    })
  }

  test('every template pair, with each parameter filled by the literals of the other', () => {
    const urls = new Set<string>()
    for (const a of HTTP_TABLE)
      for (const b of HTTP_TABLE) {
        const [left, right] = [plainTemplate(a.path).split('/'), plainTemplate(b.path).split('/')]
        const filled = left.map((part, i) => (part.startsWith('{') ? (right[i]?.startsWith('{') ? ID : (right[i] ?? 'x')) : part))
        urls.add(`${a.method} /api/${filled.join('/')}`)
      }
    const taken = [...urls].map((request) => [request, takers(...(request.split(' ') as [string, string]))] as const)
    expect(taken.filter(([, names]) => names.length > 1)).toEqual([])
    expect(taken.length).toBeGreaterThan(HTTP_TABLE.length)
  })

  test('the answer to unknown routes sorts behind all others', () => {
    const order = [...HTTP_TABLE.map((d) => d.name), UNKNOWN_ROUTE].map((n) => n.toLowerCase()).sort()
    expect(order.at(-1)).toBe(UNKNOWN_ROUTE.toLowerCase())
  })

  test('no job type can be called like an action', () => {
    expect(RESERVED_JOB_NAMES).toEqual(expect.arrayContaining([...JOB_ACTIONS]))
  })

  test('no route begins with admin or runtime: the host refuses it', () => {
    expect(HTTP_TABLE.filter((d) => /^(admin|runtime)(\/|$)/i.test(d.path))).toEqual([])
  })
})

describe('values of a path', () => {
  test.each([
    ['jobs/{job_id:length(64)}', `jobs/${ID}`, { job_id: ID }],
    ['jobs/{job_id:length(64)}', 'jobs/abc', { job_id: 'abc' }],
    ['containers/{container}/blobs/{*path}', 'containers/silver/blobs', { container: 'silver', path: '' }],
    ['containers/{container}/blobs/{*path}', 'containers/silver/blobs/', { container: 'silver', path: '' }],
    ['containers/{container}/blobs/{*path}', 'containers/s/blobs/a/b%20c/', { container: 's', path: 'a/b c/' }],
    ['containers/{container}/blobs/{*path}', 'containers/s/blobs/x%2Fy', { container: 's', path: 'x%2Fy' }],
    ['containers/{container}/blobs/{*path}', 'containers/s/blobs/x%252Fy', { container: 's', path: 'x%2Fy' }],
    ['jobs/{job_id}/events', `jobs/${ID}/tasks`, undefined],
    ['jobs/{job_id}', 'jobs/', undefined],
  ])('%s × %s', (template, path, values) => expect(valuesOf(template, path)).toEqual(values))
})

test('every row file of http is in the table, and each name is there once', async () => {
  const files = (await readdir('src/http')).filter((f) => f.endsWith('.ts') && f !== 'table.ts')
  const modules = await Promise.all(
    files.map((f) => import(/* @vite-ignore */ `../../src/http/${f}`) as Promise<Record<string, unknown>>),
  )
  const rows = modules.flatMap((m) =>
    Object.entries(m).flatMap(([name, value]) => {
      if (!name.endsWith('Routes')) return []
      // Those that describe the table are made of it.
      return typeof value === 'function' ? (value as (all: () => []) => HttpRow[])(() => []) : (value as HttpRow[])
    }),
  )
  expect(rows.length).toBeGreaterThan(25)
  expect(HTTP_TABLE.map((r) => r.name).toSorted()).toEqual(rows.map((r) => r.name).toSorted())
  expect(new Set(HTTP_TABLE.map((r) => r.name)).size).toBe(HTTP_TABLE.length)
})
