// Documents that mean harm, or nothing: each gets a report, and the process its next one.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { repairDocument, validateDocument } from '../../src/stac/validate.ts'
import { MAX_DEPTH } from '../../src/stac/validation/walk.ts'
import { withoutSecrets } from '../../src/stac/validation/secrets.ts'
import { example, type Loose, NOW, report, reports } from '../support/stac.ts'

const codes = (document: unknown): string[] => report(document).issues.map((f) => f.code)

test.each([
  [{}],
  [[]],
  [null],
  [undefined],
  [1],
  ['Feature'],
  [true],
  [[{ type: 'Feature' }]],
  [{ type: ['Feature'] }],
  [{ type: 'constructor' }],
])('%j is of no known type', (document) => {
  expect(report(document)).toMatchObject({
    valid: false,
    document_type: 'unknown',
    id: null,
    issues: [{ code: 'UNKNOWN_DOCUMENT_TYPE' }],
  })
  expect(repairDocument(document, NOW)).toMatchObject({ applied: [], remaining: [{ code: 'UNKNOWN_DOCUMENT_TYPE' }] })
})

test('any JSON gets a report, with a known type too, and its repair applies nothing twice', () => {
  const keys = fc.constantFrom(
    'type',
    'geometry',
    'coordinates',
    'bbox',
    'properties',
    'links',
    'assets',
    'extent',
    'stac_extensions',
    '__proto__',
  )
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(null, 0, Infinity, -1, '', 'Polygon', '1.0.0', true),
      fc.array(tie('tree')),
      fc.dictionary(keys, tie('tree')),
    ),
  }))
  fc.assert(
    fc.property(
      fc.constantFrom('Feature', 'Collection', 'Catalog', 'FeatureCollection'),
      fc.dictionary(keys, tree),
      (type, members) => {
        const document = { ...members, type, features: [members] }
        expect(validateDocument(document, NOW)).toHaveProperty('valid', false)
        const once = repairDocument(document, NOW)
        expect(repairDocument(once.document, NOW).applied).toEqual([])
      },
    ),
    { numRuns: 200 },
  )
})

test('a value of any kind at any place of an example gets a report', () => {
  const odd = fc.constantFrom<unknown>(null, {}, [], [[]], [null], '', 'x', -1, Infinity, true, { length: 5 }, [[[[[]]]]], {
    type: 'Polygon',
  })
  for (const name of ['item', 'collection', 'catalog', 'item-1-0'] as const) {
    const places: [holder: (d: Loose) => Loose, key: string | number][] = []
    const collect = (value: Loose, at: (d: Loose) => Loose): void => {
      if (typeof value !== 'object' || value === null) return
      for (const key of Array.isArray(value) ? value.keys() : Object.keys(value)) {
        places.push([at, key])
        collect(value[key], (d) => at(d)[key])
      }
    }
    collect(example(name), (d) => d)
    fc.assert(
      fc.property(fc.constantFrom(...places), odd, ([at, key], value) => {
        const document = example(name)
        at(document)[key] = value
        report(document)
        expect(repairDocument(repairDocument(document, NOW).document, NOW).applied).toEqual([])
      }),
      { numRuns: 100 },
    )
  }
})

test('10,000 arrays in one another', () => {
  const deep = JSON.parse(`${'['.repeat(10_000)}${']'.repeat(10_000)}`)
  expect(codes(deep)).toEqual(['TOO_DEEP'])
  expect(report({ ...example('item'), deep }).issues).toMatchObject([
    { code: 'TOO_DEEP', path: `/deep${'/0'.repeat(MAX_DEPTH - 1)}` },
  ])
  expect(repairDocument({ ...example('item'), deep }, NOW).remaining).toHaveLength(1)
  expect(reports({ type: 'FeatureCollection', features: [{ type: 'Feature', deep }, deep] }).counts.invalid).toBe(2)
})

test('a circle', () => {
  const document = example('item')
  document.properties.self = document
  expect(codes(document)).toEqual(['TOO_DEEP'])
})

test('a million members, at the top and as assets', () => {
  const many: Record<string, unknown> = { type: 'Feature' }
  for (let i = 0; i < 1_000_000; i++) many[`k${i}`] = i
  expect(report(many).issues).toMatchObject([{ code: 'TOO_LARGE', path: '' }])
  const assets = Object.fromEntries(Object.entries(many).slice(0, 10_002))
  expect(report({ ...example('item'), assets }).issues).toMatchObject([{ code: 'TOO_LARGE', path: '/assets' }])
  expect(report({ ...example('item'), ['n'.repeat(5000)]: 1 }).issues).toMatchObject([{ code: 'TOO_LARGE' }])
})

test('lists of 40,000 and 150,000: broken positions, extensions, links, rings', () => {
  const list = (of: (i: number) => unknown, length = 40_000): unknown[] => Array.from({ length }, (_, i) => of(i))
  const item = example('item')
  const positions = { type: 'Polygon', coordinates: [list(() => ['a', 'b'])] }
  expect(codes({ ...item, geometry: positions }).at(-1)).toBe('MORE_ISSUES')
  expect(report({ ...item, links: list(() => 1, 150_000) }).issues).toMatchObject([{ code: 'TOO_LARGE', path: '/links' }])
  expect(codes({ ...item, stac_extensions: list((i) => i) }).at(-1)).toBe('MORE_ISSUES')
  expect(report({ ...item, stac_extensions: list((i) => `https://x.example/${i}`) }).warnings.at(-1)?.code).toBe('MORE_WARNINGS')
  expect(codes({ ...item, links: list(() => 1) }).at(-1)).toBe('MORE_ISSUES')
  expect(codes({ ...item, geometry: { type: 'Polygon', coordinates: list(() => [[1, 1]], 30_000) } }).at(-1)).toBe('MORE_ISSUES')
})

test('at most 50 issues, then how many more', () => {
  const document = example('item')
  document.links = Array.from({ length: 70 }, () => ({ rel: 'x', href: 1 }))
  const { issues } = report(document)
  expect(issues).toHaveLength(51)
  expect(issues[50]).toMatchObject({ code: 'MORE_ISSUES', message: '21 more' })
})

test('a FeatureCollection of 1,001, or of no list', () => {
  const features = Array.from({ length: 1001 }, () => example('item'))
  expect(report({ type: 'FeatureCollection', features })).toMatchObject({
    document_type: 'FeatureCollection',
    issues: [{ code: 'TOO_MANY_ITEMS', path: '/features' }],
  })
  expect(report({ type: 'FeatureCollection', features: 5 })).toMatchObject({
    valid: false,
    issues: [{ code: 'SCHEMA', path: '/features' }],
  })
  expect(reports({ type: 'FeatureCollection', features: [] })).toMatchObject({ valid: true, results: [] })
})

test('members named __proto__ and constructor change no prototype and are kept', () => {
  const text = JSON.stringify(example('item')).replaceAll(
    '"assets":{',
    '"assets":{"__proto__":{"polluted":true,"href":"x.tif","type":"image/tiff"},',
  )
  const document = JSON.parse(
    text.replace('"properties":{', '"properties":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},'),
  )
  document.bbox = [10, 47, 10.2, 46.9]
  report(document)
  const { document: result, applied } = repairDocument(document, NOW)
  expect(applied.map((r) => r.code)).toEqual(['BBOX_ORDER'])
  expect(({} as Loose).polluted).toBeUndefined()
  expect(JSON.stringify(result)).toBe(JSON.stringify({ ...document, bbox: [10, 46.9, 10.2, 47] }))
  expect(Object.hasOwn((result as Loose).properties, '__proto__')).toBe(true)
})

test('an old document with __proto__ at its top is upgraded and keeps it', () => {
  const document = JSON.parse(JSON.stringify(example('item-1-0')).replace('{', '{"__proto__":{"polluted":true},'))
  const { document: result } = repairDocument(document, NOW)
  expect(Object.hasOwn(result as object, '__proto__')).toBe(true)
  expect((result as Loose).polluted).toBeUndefined()
})

test('SQL, markup and controls are text', () => {
  const document = example('item')
  const text = `'); DROP TABLE app.stac_items; --<img src=x onerror=alert(1)>\u0000\u202e\ud800`
  document.id = text
  document.properties[text] = text
  document.assets[text] = { href: 'x.tif', type: text }
  const found = report(document)
  expect(found).toMatchObject({ valid: true, id: text, warnings: [{ code: 'ID_CHARACTERS' }] })
  expect(repairDocument(document, NOW).document).toEqual(document)
})

const circle = (n: number, radius: (i: number) => number): number[][] => {
  const ring = Array.from({ length: n - 1 }, (_, i) => {
    const angle = (i / (n - 1)) * 2 * Math.PI
    return [radius(i) * Math.cos(angle), radius(i) * Math.sin(angle)]
  })
  return [...ring, [...(ring[0] as number[])]]
}
const shape = (ring: number[][]): Loose => ({
  ...example('item'),
  assets: {},
  stac_extensions: [example('item').stac_extensions[0]],
  geometry: { type: 'Polygon', coordinates: [ring] },
  bbox: [-60, -60, 60, 60],
})
const warnings = (document: unknown): string[] => report(document).warnings.map((f) => f.code)

test('100,000 positions: a circle, a star, a star with one crossing, noise, edges that all lie side by side', () => {
  expect(warnings(shape(circle(100_000, () => 40)))).toEqual([])
  expect(warnings(shape(circle(100_000, (i) => (i % 2 ? 40 : 39.99))))).toEqual([])
  const crossed = circle(100_000, () => 40)
  crossed[70_000] = [crossed[70_001]?.[0] as number, -(crossed[70_001]?.[1] as number)]
  expect(warnings(shape(crossed))).toEqual(['RING_SELF_INTERSECTION'])
  const noise = Array.from({ length: 99_999 }, (_, i) => [(i * 7919) % 59, (i * 104_729) % 53])
  expect(warnings(shape([...noise, noise[0] as number[]]))).toContain('RING_SELF_INTERSECTION')
  const comb = Array.from({ length: 99_997 }, (_, i) => [Math.floor(i / 2) * 1e-4 + (i % 2 ? 50 : 0), i % 2 ? 50 : 0])
  expect(warnings(shape([...comb, [60, -5], [60, 60], [-5, 60], comb[0] as number[]]))).toContain('RING_UNCHECKED')
})

test.each([
  ['https://a.example/x.tif?sig=abc', 'https://a.example/x.tif'],
  ['https://a.example/x.tif?sig=a%2Bc&v=1#t', 'https://a.example/x.tif?v=1#t'],
  ['https://a.example/x.tif?v=1&sig=abc&w=2', 'https://a.example/x.tif?v=1&w=2'],
  ['https://a.example/x.tif?sig=1&code=2&v=1', 'https://a.example/x.tif?v=1'],
  ['/api/x?code=abc==', '/api/x'],
  ['https://p.example/?u=https%3A%2F%2Fa%2Fx%3Fsig%3Dabc%26v%3D1', 'https://p.example/?u=https%3A%2F%2Fa%2Fx%3Fv%3D1'],
  ['https://user:pass@a.example/x', 'https://a.example/x'],
  ['AccountName=a;AccountKey=abc==;EndpointSuffix=e', 'AccountName=a;EndpointSuffix=e'],
  ['SharedAccessSignature=sv=1&sig=abc', ''],
  ['see ?sig=abc and more', 'see and more'],
])('the secret of %s is taken out', (text, clean) => {
  expect(withoutSecrets(text)?.replace(/ +/g, ' ')).toBe(clean)
  expect(withoutSecrets(withoutSecrets(text) as string)).toBeUndefined()
})

test.each([
  '',
  'unicode=1',
  'code=5/tile.tif',
  'https://a.example/design=1',
  'a@b',
  'mail me@example.org',
  'significant: 3',
  'https://a.example/@me',
])('no secret in %s', (text) => {
  expect(withoutSecrets(text)).toBeUndefined()
})

test('texts of three million characters', () => {
  const item = example('item')
  const long = 'a'.repeat(3_000_000)
  for (const text of [`?sig=${long}`, `AccountKey=${long}`, `://${long}@`, '://'.repeat(1e6) + '@', '?&'.repeat(1e6) + 'sig=1'])
    expect(report({ ...item, properties: { ...item.properties, text } }).issues.length).toBeLessThan(2)
})
