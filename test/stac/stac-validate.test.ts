// Every semantic code: an altered copy of a valid document shows it at its path; what can be repaired is, once.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { repairDocument, validateDocument } from '../../src/stac/validate.ts'
import { SEMANTIC_CODES } from '../../src/stac/validation/codes.ts'
import { example, type Loose, NOW, report, reports } from '../support/stac.ts'
import { box, crossing, RING, ring, type Row, rows } from '../support/stac-rows.ts'

function altered({ from = 'item', alter }: Row): Loose {
  const document = example(from)
  alter(document)
  return document
}

const has = (document: unknown, { code, path }: Pick<Row, 'code' | 'path'>): boolean => {
  const { issues, warnings } = report(document)
  const list = SEMANTIC_CODES[code].severity === 'issue' || !warnings.some((w) => w.code === code) ? issues : warnings
  return list.some((f) => f.code === code && f.path === path && f.source === 'semantic')
}

describe('our own examples', () => {
  test.each(['item', 'collection', 'catalog'] as const)('%s is valid without a warning', (name) => {
    expect(report(example(name))).toMatchObject({ valid: true, issues: [], warnings: [] })
  })
})

describe('an altered copy shows its code and path', () => {
  for (const row of rows)
    test(`${row.code} ${row.path}`, () => {
      const found = report(altered(row))
      expect(has(altered(row), row), JSON.stringify([found.issues, found.warnings])).toBe(true)
      expect(found.valid).toBe(found.issues.length === 0)
    })
})

describe('what the document says itself is repaired, once', () => {
  for (const row of rows)
    test(`${row.code} ${row.path}: ${row.isRepaired ? 'repaired' : 'left'}`, () => {
      const document = altered(row)
      const before = structuredClone(document)
      const { document: result, applied, remaining } = repairDocument(document, NOW)
      expect(document).toEqual(before)
      expect(applied.some((r) => r.code === row.code)).toBe(row.isRepaired ?? false)
      expect(has(result, row)).toBe(!row.isRepaired)
      if (row.isRepaired) expect([report(result).issues, remaining]).toEqual([[], []])
      expect(repairDocument(result, NOW).applied).toEqual([])
    })
})

test('every code has an altered copy, but for the limits, which hostile documents show', () => {
  const shown = new Set<string>(rows.map((row) => row.code))
  const limits = ['TOO_DEEP', 'TOO_LARGE', 'TOO_MANY_ITEMS', 'MORE_ISSUES', 'MORE_WARNINGS', 'RING_UNCHECKED']
  expect(Object.keys(SEMANTIC_CODES).filter((code) => !shown.has(code))).toEqual(limits)
})

test('every code that the table calls repairable is repaired by a row, and no other', () => {
  const repaired = new Set<string>(rows.filter((row) => row.isRepaired).map((row) => row.code))
  const said = Object.entries(SEMANTIC_CODES).filter(([, facts]) => facts.repairable)
  expect([...repaired].sort()).toEqual(said.map(([code]) => code).sort())
})

test('any alterations together: a repair leaves nothing to repair, and never more issues', () => {
  const ofItem = rows.filter((row) => (row.from ?? 'item') === 'item')
  const chosen = fc.uniqueArray(fc.integer({ min: 0, max: ofItem.length - 1 }), { maxLength: 12 })
  fc.assert(
    fc.property(chosen, (indexes) => {
      const document = example('item')
      for (const i of indexes) {
        try {
          ofItem[i]?.alter(document)
        } catch {
          // An alteration may need what another took away.
        }
      }
      const before = report(document)
      const once = repairDocument(document, NOW)
      const twice = repairDocument(once.document, NOW)
      expect(twice).toEqual({ document: once.document, applied: [], remaining: once.remaining })
      // One that hid another may be gone: fewer are left, not always the same.
      expect(once.remaining.length).toBeLessThanOrEqual(before.issues.length)
    }),
    { numRuns: 200 },
  )
})

test('STAC 1.0: codes and bands get their new names, every value is kept', () => {
  const { document } = repairDocument(example('item-1-0'), NOW)
  const { properties, assets, stac_extensions } = document as Loose
  expect(properties).toEqual({ datetime: '2020-05-01T10:00:00Z', 'proj:code': 'EPSG:32632' })
  expect(assets.data.bands).toEqual([
    {
      name: 'B4',
      'eo:common_name': 'red',
      'eo:center_wavelength': 0.66,
      data_type: 'uint16',
      nodata: 0,
      'raster:scale': 0.0001,
      'raster:offset': 0,
      statistics: { minimum: 1, maximum: 900 },
    },
    { name: 'B8', 'eo:common_name': 'nir', data_type: 'uint16', 'raster:bits_per_sample': 12 },
  ])
  expect(stac_extensions).toEqual(
    ['projection/v2.0.0', 'raster/v2.0.0', 'eo/v2.0.0'].map((e) => `https://stac-extensions.github.io/${e}/schema.json`),
  )
})

test('unknown members are kept, the order of the others too', () => {
  const document = example('item')
  document.properties['x:unknown'] = { a: [1, null] }
  ring(document).pop()
  const { document: result } = repairDocument(document, NOW)
  ring(document).push([...(ring(document)[0] as number[])])
  expect(JSON.stringify(result)).toBe(JSON.stringify(document))
})

test('of a union only the branch that got farthest is told', () => {
  const document = example('item')
  ring(document)[1] = [10, 'x' as unknown as number]
  expect(report(document).issues).toEqual([
    { code: 'SCHEMA', path: `${RING}/1/1`, message: expect.any(String), source: 'schema', keyword: 'type' },
  ])
})

test('a missing member is told as required, at its own path', () => {
  const document = example('item')
  delete document.links[0].href
  expect(report(document).issues).toMatchObject([{ code: 'SCHEMA', path: '/links/0/href', keyword: 'required' }])
})

test('a pointer escapes ~ and /', () => {
  const document = example('item')
  document.assets['a/b~c'] = { href: 1, type: 'image/tiff' }
  expect(report(document).issues).toMatchObject([{ path: '/assets/a~1b~0c/href', keyword: 'type' }])
})

test('a FeatureCollection: one result per feature, counts, and repairs at their features', () => {
  const broken = example('item')
  ring(broken).pop()
  const collection = { type: 'FeatureCollection', features: [example('item'), broken, example('catalog')], numberReturned: 3 }
  const found = reports(collection)
  expect(found.valid).toBe(false)
  expect(found.counts).toEqual({ items: 3, valid: 1, invalid: 2, issues: 2, warnings: 0 })
  expect(found.results.map((r) => r.issues[0]?.code)).toEqual([undefined, 'RING_NOT_CLOSED', 'UNKNOWN_DOCUMENT_TYPE'])
  const { document, applied, remaining } = repairDocument(collection, NOW)
  expect(document).toEqual({ ...collection, features: [example('item'), example('item'), example('catalog')] })
  expect(applied.map((r) => r.path)).toEqual([`/features/1${RING}`])
  expect(remaining.map((r) => r.path)).toEqual(['/features/2/type'])
})

test('what is no fault: boxes over the antimeridian, the whole world, a pole, no place at all', () => {
  const world = box(-180, -90, 180, 90)
  const places: [object | null, number[] | undefined][] = [
    [crossing, [178, 10, -177, 12]],
    [{ type: 'Polygon', coordinates: world }, [-180, -90, 180, 90]],
    [
      {
        type: 'MultiPoint',
        coordinates: [
          [179, 1],
          [-179, 2],
        ],
      },
      [179, 1, -179, 2],
    ],
    [
      {
        type: 'MultiPoint',
        coordinates: [
          [179, 1],
          [-179, 2],
        ],
      },
      [-179, 1, 179, 2],
    ],
    [{ type: 'Point', coordinates: [10, 47, 300] }, [10, 47, 300, 10, 47, 300]],
    [{ type: 'MultiPolygon', coordinates: [box(-180, -90, 0, 90), box(0, -90, 180, 90)] }, [-180, -90, 180, 90]],
    [null, undefined],
  ]
  for (const [geometry, bbox] of places) {
    const document = example('item')
    for (const key of ['proj:shape', 'proj:transform', 'proj:bbox']) delete document.assets.data[key]
    document.geometry = structuredClone(geometry)
    document.bbox = bbox
    if (!bbox) delete document.bbox
    expect(report(document)).toMatchObject({ issues: [], warnings: [] })
  }
})

test('a footprint in another system is judged where its formula was loaded', () => {
  const document = example('item')
  document.assets.data['proj:code'] = 'EPSG:9999'
  expect(report(document).warnings).toEqual([])
  const off = validateDocument(document, { ...NOW, formulaOf: () => (x, y) => [x + 1, y] })
  expect(off).toMatchObject({ warnings: [{ code: 'PROJ_FOOTPRINT', path: '/geometry' }] })
  const right = validateDocument(document, { ...NOW, formulaOf: () => (x, y) => [x + 360, y] })
  expect(right).toMatchObject({ warnings: [] })
})
