// The real host asks routes by function name and takes the first that matches; paths lose their dot segments before.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findOverlaps } from '../../src/http/overlaps.ts'
import { withoutDotSegments } from '../../src/http/paths.ts'
import { type HttpRoute, httpRoute, inHostOrder, matchRoute } from '../../src/http/routes.ts'

const made = (name: string, route: string, methods = ['GET']): HttpRoute => httpRoute({ name }, { route, methods }, 'api')
const routesOf = (table: Readonly<Record<string, string>>): HttpRoute[] =>
  inHostOrder(Object.entries(table).map(([name, route]) => made(name, route)))
const matched = (table: Readonly<Record<string, string>>, path: string) => {
  const found = matchRoute(routesOf(table), 'GET', path)
  return found && [found.route.name, found.params]
}

describe('the first by name wins, without regard to how special a template is', () => {
  test.each([
    [{ zebra: 'a/b', apple: '{*path}' }, '/api/a/b', ['apple', { path: 'a/b' }]],
    [{ Zebra: 'a/b', apple: 'a/{x}' }, '/api/a/b', ['apple', { x: 'b' }]],
    [{ apple: 'a/b', Zebra: 'a/{x}' }, '/api/a/b', ['apple', {}]],
    // Ordinal: an underscore sorts behind every letter once these are upper case.
    [{ a_b: 'x', aab: '{*path}' }, '/api/x', ['aab', { path: 'x' }]],
    [{ rest: 'f/{*path}' }, '/api/f', ['rest', {}]],
    [{ rest: 'f/{*path}' }, '/api/f/', ['rest', {}]],
    [{ rest: 'f/{*path}' }, '/api/f/a/', ['rest', { path: 'a/' }]],
    [{ rest: 'f/{*path}' }, '/api/f/a%2Fb/c%20d', ['rest', { path: 'a%2Fb/c d' }]],
    [{ one: 'f/{x?}' }, '/api/f/', ['one', {}]],
    [{ one: 'f/{x}' }, '/api/f', undefined],
    [{ one: 'f/{x}' }, '/api/f/y/', ['one', { x: 'y' }]],
    [{ rest: '{*path}' }, '/api', ['rest', {}]],
    [{ rest: '{*path}' }, '/api/a//b', undefined],
    [{ noRoute: '' }, '/api/noroute', ['noRoute', {}]],
  ])('%j %s', (table, path, expected) => {
    expect(matched(table, path)).toEqual(expected)
  })

  test('a route of another method is passed over', () => {
    const routes = inHostOrder([made('apple', '{*path}', ['POST']), made('zebra', 'a', ['GET'])])
    expect(matchRoute(routes, 'GET', '/api/a')?.route.name).toBe('zebra')
  })
})

test.each([
  ['/a/b', '/a/b'],
  ['/a/./b', '/a/b'],
  ['/a/../b', '/b'],
  ['/a/%2e%2E/b', '/b'],
  ['/a/%2e/b', '/a/b'],
  ['/a/b/..', '/a/'],
  ['/a/b/.', '/a/b/'],
  ['/../../a', '/a'],
  ['/..', '/'],
  ['/a/...', '/a/...'],
  ['/a/.git/x', '/a/.git/x'],
  ['/a//../b', '/a/b'],
  ['/a/%2e%2e%2fb', '/a/%2e%2e%2fb'],
])('dot segments: %s is %s', (path, expected) => {
  expect(withoutDotSegments(path)).toBe(expected)
})

test('dot segments go as the URL standard has it', () => {
  const segment = fc.constantFrom('a', 'b.c', '..', '.', '%2e', '%2E.', '.%2e', '...', '.x')
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 8 }), (segments) => {
      const path = `/${segments.join('/')}`
      expect(withoutDotSegments(path)).toBe(new URL(`http://x${path}`).pathname)
    }),
  )
})

describe('overlaps', () => {
  const pairs = (table: Readonly<Record<string, string>>): string[] =>
    findOverlaps(routesOf(table)).map((o) => `${o.winner.name} before ${o.loser.name}: ${o.path}`)

  test.each([
    [{ answer: '{*path}', get: 'jobs/{id}' }, ['answer before get: /api/jobs/x']],
    [{ getBlob: 'c/{c}/blobs/{*path}', listBlobs: 'c/{c}/blobs' }, ['getBlob before listBlobs: /api/c/x/blobs']],
    [{ a: 'jobs/{x}', b: 'jobs/{y}' }, ['a before b: /api/jobs/x']],
    [{ a: 'jobs/{id}/cancel', b: 'jobs/submit/{type}' }, ['a before b: /api/jobs/submit/cancel']],
    [{ a: 'n/{x}', b: 'n/{y:int}' }, ['a before b: /api/n/1']],
    [{ a: 'n/{x?}', b: 'n' }, ['a before b: /api/n']],
    // A special one before a general one is meant so.
    [{ a: 'jobs/{id}', z: '{*path}' }, []],
    [{ a: 'jobs/status', b: 'jobs/{id}' }, []],
    [{ a: 'n/{x:int}', b: 'n/{y}' }, []],
    [{ a: 'n/{x:int}', b: 'n/{y:alpha}' }, []],
    [{ a: 'x', b: 'y' }, []],
    [{ a: 'x/{*rest}', b: '{*path}' }, []],
  ])('%j', (table, expected) => {
    expect(pairs(table)).toEqual(expected)
  })

  test('what is reported is a path that both match, and the winner gets it', () => {
    const part = fc.constantFrom('a', 'b', '{x}', '{x:int}', '{x:alpha}')
    const end = fc.constantFrom('', '/{*rest}', '/{o?}')
    const template = fc.tuple(fc.array(part, { minLength: 1, maxLength: 3 }), end).map(([parts, e]) => parts.join('/') + e)
    fc.assert(
      fc.property(template, template, (first, second) => {
        const routes = inHostOrder([made('first', first), made('second', second)])
        for (const { winner, loser, path } of findOverlaps(routes)) {
          expect(matchRoute(routes, 'GET', path)?.route).toBe(winner)
          expect(matchRoute([loser], 'GET', path)).toBeDefined()
        }
      }),
    )
  })
})
