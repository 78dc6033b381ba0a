import { describe, expect, test } from 'vitest'
import { bestFacts, factsOf, type FoundFacts } from '../../src/stac/collection-facts.ts'
import { isKeptLink, storedHref } from '../../src/stac/foreign-href.ts'
import { foreignItem, type ForeignOptions } from '../../src/stac/foreign-item.ts'
import { ingestedCollectionId } from '../../src/stac/ids.ts'
import { example, type Loose, NOW } from '../support/stac.ts'

const PLACE = { container: 'in', name: 'a/b/item.json' }

describe('hrefs of others', () => {
  test.each([
    ['x.tif', 'blob:in/a/b/x.tif'],
    ['./x.tif', 'blob:in/a/b/x.tif'],
    ['../c/./x.tif', 'blob:in/a/c/x.tif'],
    ['../../x.tif', 'blob:in/x.tif'],
    ['c/../x.tif', 'blob:in/a/b/x.tif'],
    ['x%20%C3%A9%23%25.tif', 'blob:in/a/b/x é#%.tif'],
    ['https://a.example/../x.tif?v=1#y', 'https://a.example/../x.tif?v=1#y'],
    ['HTTP://a.example/x', 'HTTP://a.example/x'],
  ])('%s', (href, stored) => expect(storedHref(href, PLACE)).toEqual({ href: stored }))

  test('a query is no part of a name', () => {
    expect(storedHref('x.tif?v=1#y', PLACE)).toEqual({ href: 'blob:in/a/b/x.tif', warning: 'ASSET_HREF_QUERY' })
  })

  test.each([
    '../../../x.tif',
    '..',
    '../..',
    '%2e%2e/%2e%2e/%2E%2E/x.tif',
    '..%2f..%2f..%2fx.tif',
    'a%5c..%5cx.tif',
    'a\\x.tif',
    '/x.tif',
    '//host/x.tif',
    '?x',
    '#x',
    '%zz.tif',
    '%ff.tif',
    'a%00.tif',
    'http:x.tif',
    'file:///etc/passwd',
    'blob:silver/x.tif',
    's3://b/x.tif',
    'a/'.repeat(300),
  ])('%s stays outside', (href) => expect(storedHref(href, PLACE)).toMatchObject({ problem: 'ASSET_HREF_OUTSIDE' }))

  test.each([
    'https://a.example/x.tif?sv=1&sig=abc',
    'https://user:word@a.example/x.tif',
    'x.tif?sig=abc',
    'x.tif%3Fsig%3Dabc',
    'x.tif%253Fsig%253Dabc',
    'AccountKey=abc;/x.tif',
  ])('%s holds a secret, which the problem does not repeat', (href) => {
    const stored = storedHref(href, PLACE)
    expect(stored).toMatchObject({ problem: 'ASSET_HREF_SECRET' })
    expect(JSON.stringify(stored)).not.toMatch(/abc|word/)
  })

  test('links that say where the document lay are dropped, and what is no address of the web', () => {
    const kept = [
      ['license', 'https://a.example/l'],
      ['self', 'https://a.example/i'],
      ['items', 'https://a.example/i'],
      ['derived_from', '../x.json'],
      ['about', 'javascript:alert(1)'],
    ].filter(([rel, href]) => isKeptLink({ rel: rel as string, href: href as string }))
    expect(kept.map(([rel]) => rel)).toEqual(['license'])
  })
})

const OPTIONS: ForeignOptions = {
  ...PLACE,
  ...NOW,
  collectionId: 'others',
  etag: 'e',
  features: 1,
  jobId: 'a'.repeat(64),
  plan: 1,
}
const made = (change: (d: Loose) => void): Loose => {
  const document = example('item')
  change(document)
  return foreignItem(document, OPTIONS)
}

describe('items of others', () => {
  test('times that contradict one another are enclosed, so that the row can be stored', () => {
    const { item } = made((d) =>
      Object.assign(d.properties, {
        datetime: '2024-06-01T00:00:00Z',
        start_datetime: '2024-01-01T00:00:00Z',
        end_datetime: '2024-02-01T00:00:00Z',
      }),
    )
    expect(item).toMatchObject({
      start_at: '2024-01-01T00:00:00Z',
      end_at: '2024-06-01T00:00:00Z',
      sort_at: '2024-06-01T00:00:00Z',
    })
  })

  test('an interval is sorted by its start', () => {
    const { item } = made((d) =>
      Object.assign(d.properties, {
        datetime: null,
        start_datetime: '2024-01-01T00:00:00Z',
        end_datetime: '2024-02-01T00:00:00Z',
      }),
    )
    expect([item.sort_at, item.end_at]).toEqual(['2024-01-01T00:00:00Z', '2024-02-01T00:00:00Z'])
  })

  test('a box that is missing comes from the geometry, also across the antimeridian', () => {
    const ring = (w: number, e: number) => [
      [
        [w, 0],
        [e, 0],
        [e, 1],
        [w, 1],
        [w, 0],
      ],
    ]
    const { item } = made((d) => {
      delete d.bbox
      d.geometry = { type: 'MultiPolygon', coordinates: [ring(179, 180), ring(-180, -179)] }
    })
    expect([item.content.bbox, item.crosses, item.xr]).toEqual([[179, 0, -179, 1], true, '[-180,180]'])
  })

  test.each<[string, (d: Loose) => void, string]>([
    ['no STAC', (d) => (d.type = 'Collection'), 'UNKNOWN_DOCUMENT_TYPE'],
    ['a long id', (d) => (d.id = 'x'.repeat(257)), 'ITEM_ID_TOO_LONG'],
    ['an open ring', (d) => d.geometry.coordinates[0].pop(), 'RING_NOT_CLOSED'],
    ['a secret beside other issues', (d) => Object.assign(d, { geometry: 7, bbox: 7, note: 'x?sig=abc' }), 'ASSET_HREF_SECRET'],
    ['NUL', (d) => (d.properties.note = 'a\u0000'), 'TEXT_NOT_STORABLE'],
    ['a lone surrogate as key of an asset', (d) => (d.assets['\ud800'] = { href: 'x.tif' }), 'TEXT_NOT_STORABLE'],
  ])('%s is a problem', (_, change, code) => expect(made(change)).toMatchObject({ problem: { code } }))

  test('whatever JSON comes, nothing is thrown', () => {
    for (const document of [null, 1, 'x', [], {}, { type: 'Feature' }, { type: 'Feature', geometry: {}, assets: [] }])
      expect(foreignItem(document, OPTIONS)).toHaveProperty('problem')
  })

  test('what only this catalogue says is not taken from others', () => {
    const { item } = made((d) => Object.assign(d.properties, { 'lamplighter:missing_since': '2020-01-01T00:00:00Z', gsd: 2 }))
    expect(item.content.properties).toMatchObject({ gsd: 2 })
    expect(Object.keys(item.content.properties).join()).not.toContain('lamplighter:')
  })

  test('an asset called __proto__ stays an asset', () => {
    const document = JSON.parse(
      JSON.stringify(example('item')).replace('"assets":{', '"assets":{"__proto__":{"href":"./p.tif","type":"image/tiff"},'),
    ) as unknown
    const { item } = foreignItem(document, OPTIONS) as Loose
    expect(Object.getOwnPropertyDescriptor(item.content.assets, '__proto__')?.value).toMatchObject({ href: 'blob:in/a/b/p.tif' })
  })
})

describe('what no address or search can hold', () => {
  test.each(['a/b', 'a%2Fb', '.', '..', 'a\\b'])('%j is no id and no key of an asset', (name) => {
    expect(made((d) => (d.id = name)).problem).toMatchObject({ code: 'NAME_UNREACHABLE', path: '/id' })
    expect(made((d) => (d.assets = { [name]: d.assets.data })).problem?.code).toBe('NAME_UNREACHABLE')
  })

  test('a shape of more than 5,000 positions', () => {
    const circle = Array.from({ length: 6000 }, (_, i) => [
      10 + Math.cos((i / 6000) * 2 * Math.PI),
      45 + Math.sin((i / 6000) * 2 * Math.PI),
    ])
    const found = made((d) => {
      d.geometry = { type: 'Polygon', coordinates: [[...circle, circle[0]]] }
      delete d.bbox
    })
    expect(found.problem).toMatchObject({ code: 'GEOMETRY_TOO_DETAILED', path: '/geometry' })
  })

  test.each(['https://a.example/x?X-Amz-Signature=abc', 'https://a.example/x?access_token=abc&v=1'])('%s', (href) => {
    expect(made((d) => (d.assets.data.href = href)).problem).toMatchObject({ code: 'ASSET_HREF_SECRET' })
  })
})

describe('what collections of others say', () => {
  test('words that STAC gave up become other; nothing else of the document is taken', () => {
    const facts = factsOf({ ...example('collection'), license: 'proprietary', title: 'T', keywords: ['k'], secret: 1 })
    expect(facts).toMatchObject({ title: 'T', license: 'other', keywords: ['k'] })
    expect(facts).not.toHaveProperty('secret')
  })

  test('a Collection before a Catalog, then the one nearest to the top, then by name, in any order', () => {
    const of = (file: string, document_type: 'Catalog' | 'Collection'): FoundFacts => ({ file, document_type, facts: {} })
    const all = [
      of('catalog.json', 'Catalog'),
      of('a/b/c.json', 'Collection'),
      of('z/c.json', 'Collection'),
      of('b/c.json', 'Collection'),
    ]
    const best = (list: FoundFacts[]) => list.reduce<FoundFacts | undefined>(bestFacts, undefined)?.file
    expect([best(all), best([...all].reverse())]).toEqual(['b/c.json', 'b/c.json'])
  })

  test('ids of collections', () => {
    expect(ingestedCollectionId('x-1')).toBe('ingested-x-1')
    expect(ingestedCollectionId('a'.repeat(63))).toHaveLength(72)
  })
})
