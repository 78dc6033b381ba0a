// Every semantic code: an altered copy of a valid document shows it at its path; what can be repaired is, once.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { repairDocument, validateDocument } from '../../src/stac/validate.ts'
import { SEMANTIC_CODES, type SemanticCode } from '../../src/stac/validation/codes.ts'
import { example, type Loose, NOW, report, reports } from '../support/stac.ts'

interface Row {
  readonly code: SemanticCode
  readonly path: string
  readonly from?: 'item' | 'collection' | 'catalog' | 'item-1-0'
  readonly alter: (document: Loose) => void
  /** The document itself says what is right. */
  readonly isRepaired?: boolean
}

const ring = (document: Loose): number[][] => document.geometry.coordinates[0]
const box = (w: number, s: number, e: number, n: number): number[][][] => [
  [
    [w, s],
    [e, s],
    [e, n],
    [w, n],
    [w, s],
  ],
]
const crossing = { type: 'MultiPolygon', coordinates: [box(178, 10, 180, 12), box(-180, 10, -177, 12)] }
const place = (document: Loose, geometry: object, bbox: number[]): void =>
  Object.assign(document, structuredClone({ geometry, bbox }))
const RING = '/geometry/coordinates/0'
const MD5 = `d50110${'ab'.repeat(16)}`

const rows: Row[] = [
  { code: 'RING_NOT_CLOSED', path: RING, isRepaired: true, alter: (d) => ring(d).pop() },
  { code: 'RING_NOT_CLOSED', path: RING, isRepaired: true, alter: (d) => ring(d).splice(3) },
  { code: 'RING_TOO_SHORT', path: RING, alter: (d) => ring(d).splice(2) },
  { code: 'RING_TOO_SHORT', path: RING, alter: (d) => ring(d).splice(2, 2) },
  { code: 'RING_ORIENTATION', path: RING, isRepaired: true, alter: (d) => ring(d).reverse() },
  {
    code: 'RING_ORIENTATION',
    path: '/geometry/coordinates/1',
    isRepaired: true,
    alter: (d) => d.geometry.coordinates.push(box(10.05, 46.92, 10.1, 46.95)[0]),
  },
  {
    code: 'RING_SELF_INTERSECTION',
    path: RING,
    alter: (d) =>
      place(
        d,
        {
          type: 'Polygon',
          coordinates: [
            [
              [10, 46.9],
              [10.2, 47],
              [10.2, 46.9],
              [10, 46.98],
              [10, 46.9],
            ],
          ],
        },
        d.bbox,
      ),
  },
  { code: 'COORDINATE_RANGE', path: `${RING}/2`, alter: (d) => (ring(d)[2] = [10.2, 95]) },
  {
    code: 'COORDINATE_RANGE',
    path: '/geometry/coordinates',
    alter: (d) => place(d, { type: 'Point', coordinates: [181, 0] }, [181, 0, 181, 0]),
  },
  {
    code: 'GEOMETRY_UNSPLIT',
    path: `${RING}/0`,
    alter: (d) => place(d, { type: 'Polygon', coordinates: box(179, 46.9, -179, 47) }, [179, 46.9, -179, 47]),
  },
  { code: 'BBOX_ORDER', path: '/bbox', isRepaired: true, alter: (d) => (d.bbox = [10, 47, 10.2, 46.9]) },
  { code: 'BBOX_ORDER', path: '/bbox', isRepaired: true, alter: (d) => (d.bbox = [10.2, 46.9, 10, 47]) },
  { code: 'BBOX_ORDER', path: '/bbox', isRepaired: true, alter: (d) => (d.bbox = [10, 46.9, 90, 10.2, 47, 5]) },
  { code: 'BBOX_RANGE', path: '/bbox', alter: (d) => (d.bbox = [-190, 46.9, 10.2, 47]) },
  { code: 'BBOX_ANTIMERIDIAN', path: '/bbox', isRepaired: true, alter: (d) => place(d, crossing, [-180, 10, 180, 12]) },
  { code: 'BBOX_MISMATCH', path: '/bbox', isRepaired: true, alter: (d) => (d.bbox = [10, 46.9, 10.1, 47]) },
  { code: 'BBOX_MISMATCH', path: '/bbox', isRepaired: true, alter: (d) => place(d, crossing, [179, 10, -177, 12]) },
  { code: 'BBOX_WITHOUT_GEOMETRY', path: '/bbox', isRepaired: true, alter: (d) => (d.geometry = null) },
  {
    code: 'DATETIME_ORDER',
    path: '/properties/start_datetime',
    alter: (d) =>
      Object.assign(d.properties, {
        datetime: null,
        start_datetime: '2024-02-01T00:00:00Z',
        end_datetime: '2024-01-01T00:00:00Z',
      }),
  },
  {
    code: 'DATETIME_OUTSIDE_INTERVAL',
    path: '/properties/datetime',
    alter: (d) => Object.assign(d.properties, { start_datetime: '2024-01-01T00:00:00Z', end_datetime: '2024-02-01T00:00:00Z' }),
  },
  { code: 'DATETIME_MISSING', path: '/properties/datetime', isRepaired: true, alter: (d) => delete d.properties.datetime },
  {
    code: 'DATETIME_MISSING',
    path: '/properties/datetime',
    isRepaired: true,
    alter: (d) => {
      delete d.properties.datetime
      Object.assign(d.properties, { start_datetime: '2024-01-01T00:00:00Z', end_datetime: '2024-02-01T00:00:00Z' })
    },
  },
  {
    code: 'DATETIME_FORMAT',
    path: '/properties/datetime',
    isRepaired: true,
    alter: (d) => (d.properties.datetime = '2024-05-01t10:00:00z'),
  },
  {
    code: 'DATETIME_FORMAT',
    path: '/properties/updated',
    isRepaired: true,
    alter: (d) => (d.properties.updated = '2024-05-01T10:00:00+02:00'),
  },
  { code: 'DATETIME_FORMAT', path: '/properties/created', alter: (d) => (d.properties.created = '2024-05-01') },
  {
    code: 'DATETIME_FORMAT',
    path: '/extent/temporal/interval/0/0',
    from: 'collection',
    isRepaired: true,
    alter: (d) => (d.extent.temporal.interval[0][0] = '2024-01-01T01:00:00+01:00'),
  },
  { code: 'DATETIME_FUTURE', path: '/properties/datetime', alter: (d) => (d.properties.datetime = '2999-01-01T00:00:00Z') },
  { code: 'ID_CHARACTERS', path: '/id', alter: (d) => (d.id = 'a/b c') },
  { code: 'COLLECTION_LINK', path: '/links', isRepaired: true, alter: (d) => d.links.pop() },
  { code: 'COLLECTION_LINK', path: '/collection', isRepaired: true, alter: (d) => delete d.collection },
  { code: 'LINK_SELF_RELATIVE', path: '/links/0/href', alter: (d) => (d.links[0].href = './item.json') },
  { code: 'LINK_MISSING', path: '/links', alter: (d) => d.links.splice(1, 1) },
  { code: 'LINK_DUPLICATE', path: '/links/4', isRepaired: true, alter: (d) => d.links.push({ ...d.links[1] }) },
  { code: 'ASSET_HREF_EMPTY', path: '/assets/data/href', alter: (d) => (d.assets.data.href = '') },
  { code: 'ASSET_HREF_SCHEME', path: '/assets/data/href', alter: (d) => (d.assets.data.href = 's3://bucket/dem.tif') },
  {
    code: 'ASSET_HREF_SECRET',
    path: '/assets/data/href',
    isRepaired: true,
    alter: (d) => (d.assets.data.href = 'https://a.example.org/c/dem.tif?sv=2024&sig=abc%2Bd&se=1'),
  },
  {
    code: 'ASSET_HREF_SECRET',
    path: '/properties/note~1~0/0',
    isRepaired: true,
    alter: (d) => (d.properties['note/~'] = ['AccountKey=abc==;x=1']),
  },
  { code: 'ASSET_TYPE_MISSING', path: '/assets/thumbnail/type', isRepaired: true, alter: (d) => delete d.assets.thumbnail.type },
  { code: 'ASSET_TYPE_MISSING', path: '/assets/data/type', alter: (d) => delete d.assets.data.type },
  { code: 'ASSET_WITHOUT_DATA_ROLE', path: '/assets', alter: (d) => (d.assets.data.roles = ['visual']) },
  {
    code: 'PROJ_SHAPE_TRANSFORM_BBOX',
    path: '/assets/data/proj:bbox',
    isRepaired: true,
    alter: (d) => (d.assets.data['proj:bbox'] = [10, 46.898, 10.2, 47]),
  },
  {
    code: 'PROJ_SINGULAR',
    path: '/assets/data/proj:transform',
    alter: (d) => (d.assets.data['proj:transform'] = [0, 0, 10, 0, 0, 47]),
  },
  { code: 'PROJ_CODE', path: '/properties/proj:code', alter: (d) => (d.properties['proj:code'] = '4326') },
  {
    code: 'PROJ_FOOTPRINT',
    path: '/geometry',
    alter: (d) => place(d, { type: 'Polygon', coordinates: box(10, 46.9, 10.3, 47) }, [10, 46.9, 10.3, 47]),
  },
  { code: 'BANDS_EMPTY', path: '/assets/thumbnail/bands', isRepaired: true, alter: (d) => (d.assets.thumbnail.bands = []) },
  {
    code: 'STATISTICS_ORDER',
    path: '/assets/data/bands/0/statistics',
    alter: (d) => (d.assets.data.bands[0].statistics.minimum = 5000),
  },
  {
    code: 'STATISTICS_ORDER',
    path: '/assets/data/bands/0/statistics',
    alter: (d) => (d.assets.data.bands[0].statistics.mean = 1),
  },
  {
    code: 'STATISTICS_ORDER',
    path: '/assets/data/bands/0/statistics',
    alter: (d) => (d.assets.data.bands[0].statistics.stddev = -1),
  },
  {
    code: 'CHECKSUM_FORMAT',
    path: '/assets/data/file:checksum',
    alter: (d) => (d.assets.data['file:checksum'] = MD5.toUpperCase()),
  },
  {
    code: 'CHECKSUM_FORMAT',
    path: '/assets/data/file:checksum',
    alter: (d) => (d.assets.data['file:checksum'] = MD5.slice(0, -2)),
  },
  { code: 'EXTENSION_UNDECLARED', path: '/properties/proj:code', isRepaired: true, alter: (d) => d.stac_extensions.shift() },
  {
    code: 'EXTENSION_UNUSED',
    path: '/stac_extensions/1',
    from: 'collection',
    isRepaired: true,
    alter: (d) => d.stac_extensions.push('https://stac-extensions.github.io/raster/v2.0.0/schema.json'),
  },
  {
    code: 'EXTENSION_UNUSED',
    path: '/stac_extensions/3',
    alter: (d) => d.stac_extensions.push('https://stac-extensions.github.io/processing/v1.2.0/schema.json'),
  },
  {
    code: 'EXTENSION_UNKNOWN',
    path: '/stac_extensions/3',
    alter: (d) => d.stac_extensions.push('http://169.254.169.254/schema.json'),
  },
  { code: 'STAC_VERSION_OLD', path: '/stac_version', from: 'item-1-0', isRepaired: true, alter: () => {} },
  { code: 'STAC_VERSION_UNKNOWN', path: '/stac_version', alter: (d) => (d.stac_version = '0.9.0') },
  {
    code: 'EXTENT_ORDER',
    path: '/extent/spatial/bbox/0',
    from: 'collection',
    isRepaired: true,
    alter: (d) => (d.extent.spatial.bbox[0] = [10, 48, 12, 46]),
  },
  {
    code: 'EXTENT_ORDER',
    path: '/extent/temporal/interval/0',
    from: 'collection',
    isRepaired: true,
    alter: (d) => (d.extent.temporal.interval[0] = ['2024-02-01T00:00:00Z', '2024-01-01T00:00:00Z']),
  },
  {
    code: 'EXTENT_NOT_COVERING',
    path: '/extent/spatial/bbox/2',
    from: 'collection',
    alter: (d) => d.extent.spatial.bbox.push([10, 46, 11, 47], [10, 46, 13, 47]),
  },
  {
    code: 'EXTENT_NOT_COVERING',
    path: '/extent/temporal/interval/1',
    from: 'collection',
    alter: (d) => d.extent.temporal.interval.push([null, '2024-02-01T00:00:00Z']),
  },
  {
    code: 'LICENSE_DEPRECATED',
    path: '/license',
    from: 'collection',
    isRepaired: true,
    alter: (d) => (d.license = 'proprietary'),
  },
  { code: 'DESCRIPTION_EMPTY', path: '/description', from: 'catalog', alter: (d) => (d.description = ' ') },
  { code: 'UNKNOWN_DOCUMENT_TYPE', path: '/type', alter: (d) => (d.type = 'Thing') },
]

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
    { numRuns: 500 },
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
