// Items, collections and landing pages that we make break no rule: neither ours nor, where they are at hand, the official schemas.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RasterInfo } from '../../src/models/raster.ts'
import { collectionDocument, catalogHead, itemDocument, type ItemRecord } from '../../src/stac/documents.ts'
import { bronzeItem, type BuiltItem, type CataloguedFile, silverItem } from '../../src/stac/item.ts'
import { itemIdOf } from '../../src/stac/ids.ts'
import { assertDatetimePattern, ItemDatetime, itemTime } from '../../src/stac/item-time.ts'
import { sidecarsOf, stemOf } from '../../src/stac/sidecars.ts'
import { validateDocument } from '../../src/stac/validate.ts'
import { hasOfficial, officialJudge } from '../support/official-schemas.ts'

const judge = hasOfficial ? officialJudge() : () => []
const SERVED = { api: 'https://app.example/api' }
const NOW = new Date('2025-01-01T00:00:00Z')

function expectGood(document: { type: string; id?: unknown }): void {
  const report = validateDocument(document, { now: NOW }) as unknown as { issues: unknown[] }
  expect([report.issues, judge(document)]).toEqual([[], []])
}

const served = ({ item }: BuiltItem): ReturnType<typeof itemDocument> =>
  itemDocument(
    {
      ...item,
      version: 1,
      created_at: NOW,
      updated_at: NOW,
      missing_since: null,
      source_state: item.source_item === null ? null : 'changed',
    } satisfies ItemRecord,
    SERVED,
  )

const INFO: RasterInfo = {
  format: 'TIFF',
  byte_order: 'little',
  width: 100,
  height: 50,
  bands: 1,
  dtype: 'uint16',
  compression: 'deflate',
  interleave: 'pixel',
  layout: 'tiles',
  block: { width: 256, height: 256 },
  overviews: [],
  has_mask: false,
  nodata: null,
  color_interpretation: ['gray'],
  georeference: 'transform',
  transform: [500_000, 30, 0, 5_300_000, 0, -30],
  area_or_point: 'area',
  crs: { kind: 'projected', epsg: 32_633 },
  epsg: 32_633,
  bounds: [500_000, 5_298_500, 503_000, 5_300_000],
  is_cog: true,
  cog_issues: [],
  cog_warnings: [],
  warnings: [],
  bytes_read: 0,
  reads: 0,
}
const FILE: CataloguedFile = {
  container: 'bronze',
  name: 'a/scene.tif',
  size: 1000,
  last_modified: '2024-05-31T10:00:00.000Z',
  etag: '"0x1"',
  content_md5: 'A'.repeat(32),
}
const OPTIONS = { collectionId: 'bronze-bronze', mode: 'header', jobId: 'a'.repeat(64), plan: 1 } as const
const SILVER = {
  targetName: 'a/scene_analysis',
  source: { collectionId: 'bronze-bronze', itemId: 'x', container: 'bronze', blob: 'a/scene.tif', etag: 'e' },
  outputTier: 'visualization',
  compression: 'jpeg',
  overviewResampling: 'average',
}

const place = fc.oneof(
  fc.record({
    georeference: fc.constant('transform' as const),
    crs: fc.constantFrom(
      { kind: 'projected' as const, epsg: 32_660 },
      { kind: 'projected' as const, epsg: 3413 },
      { kind: 'projected' as const, epsg: 1 },
    ),
    transform: fc
      .tuple(fc.integer({ min: 100_000, max: 900_000 }), fc.integer({ min: 1, max: 5000 }), fc.integer({ min: -3, max: 3 }))
      .map(([x, p, r]) => [x, p, r, 5_000_000, r, -p]),
  }),
  fc.record({
    georeference: fc.constant('transform' as const),
    crs: fc.constant({ kind: 'geographic' as const, epsg: 4326 }),
    transform: fc
      .tuple(fc.integer({ min: -180, max: 179 }), fc.constantFrom(0.001, 0.1, 1))
      .map(([x, p]) => [x, p, 0, 40, 0, -p]),
  }),
  fc.record({
    georeference: fc.constant('gcps' as const),
    crs: fc.constant({ kind: 'geographic' as const, epsg: 4326 }),
    gcp_hull: fc.constantFrom(
      [
        [1, 1],
        [2, 1],
        [2, 2],
      ],
      [
        [1, 1],
        [2, 2],
      ],
      [],
    ),
  }),
  fc.record({
    georeference: fc.constantFrom('none' as const, 'transform' as const),
    crs: fc.constantFrom({ kind: 'none' as const }, { kind: 'user_defined' as const, citation: 'Mars (2000)' }),
  }),
)
const info = fc
  .record({
    bands: fc.integer({ min: 1, max: 12 }),
    dtype: fc.constantFrom('uint8', 'uint4', 'float32', 'complex_int16', 'complex64', 'float16', 'int64'),
    nodata: fc.constantFrom(null, 0, -9999, 'nan', '-inf', 'inf', '9223372036854775807', 1e300),
    is_cog: fc.boolean(),
    byte_order: fc.constantFrom('little' as const, 'big' as const),
    area_or_point: fc.constantFrom('area' as const, 'point' as const),
    bits_per_sample: fc.option(fc.constantFrom([1], [12, 8], [4, 4, 4]), { nil: undefined }),
    band_metadata: fc.option(
      fc.array(
        fc.record({
          band: fc.integer({ min: 1, max: 12 }),
          description: fc.option(fc.constantFrom('red', 'red', '', '<b>', '漢字'), { nil: undefined }),
          scale: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { nil: undefined }),
          unit: fc.option(fc.constantFrom('m', ''), { nil: undefined }),
        }),
        { maxLength: 4 },
      ),
      { nil: undefined },
    ),
    width: fc.integer({ min: 1, max: 3000 }),
    height: fc.integer({ min: 1, max: 3000 }),
  })
  .chain((facts) =>
    place.map((where): RasterInfo => {
      const { transform: _t, bounds: _b, epsg: _e, ...rest } = INFO
      const made = JSON.parse(JSON.stringify({ ...rest, ...facts, ...where })) as RasterInfo
      const t = made.transform
      return t && t[2] === 0
        ? {
            ...made,
            bounds: [
              t[0] as number,
              (t[3] as number) + made.height * (t[5] as number),
              (t[0] as number) + made.width * (t[1] as number),
              t[3] as number,
            ],
          }
        : made
    }),
  )
const statistics = fc.array(
  fc.record({
    band: fc.integer({ min: 1, max: 12 }),
    count: fc.constantFrom(0, 1, 100),
    min: fc.constantFrom(0, -1.5, Number.NaN),
    max: fc.constantFrom(1, 255),
    mean: fc.constant(0.5),
    std: fc.constant(0.1),
  }),
  { maxLength: 3 },
)

test('whatever a raster is: its item, and that of an output of it, break no rule', async () => {
  await fc.assert(
    fc.asyncProperty(info, statistics, fc.constantFrom('analysis', 'visualization'), async (facts, stats, outputTier) => {
      expectGood(served(await bronzeItem({ ...FILE, sidecars: ['a/scene.tif.aux.xml', 'a/scene.tfw'] }, facts, OPTIONS)))
      expectGood(
        served(await silverItem(FILE, facts, { ...SILVER, outputTier }, { ...OPTIONS, mode: 'full', statistics: stats })),
      )
    }),
    { numRuns: 400 },
  )
})

test('files that are no rasters, broken ones, names of any kind', async () => {
  const broken = { format: 'TIFF', is_cog: false, problem: { code: 'TIFF_CORRUPT', message: 'no' } } as const
  for (const name of [
    'notes',
    '.hidden',
    'a.gdb/',
    'x/<img onerror=1>.tif',
    `it's #1 100% ä漢.tif`,
    '漢'.repeat(1000),
    'a b/c?d=e&f.tif',
  ])
    for (const found of [undefined, null, broken, INFO]) expectGood(served(await bronzeItem({ ...FILE, name }, found, OPTIONS)))
})

test('collections: empty, with extent, with what was said of them; the landing page', () => {
  const record = {
    collection_id: 'bronze-a',
    kind: 'bronze' as const,
    container: 'bronze',
    prefix: 'a/',
    created_at: NOW,
    updated_at: NOW,
    west: null,
    south: null,
    east: null,
    north: null,
    start_at: null,
    end_at: null,
    content: {},
  }
  expectGood(collectionDocument(record, SERVED))
  const said = { title: 'T', description: 'D', license: 'CC0-1.0', summaries: { 'proj:code': ['EPSG:4326'] } }
  const full = { ...record, west: -5, south: 1, east: 6, north: 3, start_at: NOW, end_at: NOW, content: said }
  expectGood(collectionDocument(full, SERVED))
  expectGood({
    ...catalogHead,
    links: [
      { rel: 'self', href: 'https://x.example' },
      { rel: 'root', href: 'https://x.example' },
    ],
  } as never)
})

describe('ids', () => {
  test('case, spaces, Unicode form and container count; the same name gives the same id', () => {
    const names = ['a.tif', 'A.tif', 'a .tif', 'b/a.tif', '\u00e9.tif', 'e\u0301.tif']
    const ids = [...names.map((n) => itemIdOf('bronze', n)), itemIdOf('silver', 'a.tif')]
    expect(new Set(ids).size).toBe(ids.length)
    expect(itemIdOf('bronze', 'x/Scene 1.v2.tif')).toMatch(/^Scene-1-v2-[0-9a-f]{32}$/)
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{1,113}$/)
  })
})

describe('times', () => {
  const of = (facts: object, options = {}, name = FILE.name) => itemTime({ ...FILE, name }, facts, options)
  test.each([
    [
      'parameter',
      of({ tiff_date_time: '2020:01:01 00:00:00' }, { datetime: '2019-02-03T04:05:06+01:00' }),
      '2019-02-03T03:05:06Z',
    ],
    ['name', of({}, { datetimePattern: '_{YYYY}{MM}{DD}T{hh}{mm}{ss}' }, 'a/S2_20240203T101112_x.tif'), '2024-02-03T10:11:12Z'],
    ['name', of({}, { datetimePattern: '{YYYY}/{*}/{MM}-{DD}' }, '2021/any/thing/07-31.tif'), '2021-07-31T00:00:00Z'],
    ['gdal', of({ acquired: '2018-03-04T05:06:07Z', tiff_date_time: '2020:01:01 00:00:00' }), '2018-03-04T05:06:07Z'],
    ['tiff', of({ tiff_date_time: '2020:12:31 23:59:59' }), '2020-12-31T23:59:59Z'],
    ['last_modified', of({}), '2024-05-31T10:00:00Z'],
  ] as const)('%s: %o', (source, time, datetime) => {
    expect(time).toMatchObject({ source, datetime, warnings: [] })
  })

  test('an interval has no time but both ends; impossible dates fall through with a warning', () => {
    expect(of({}, { datetime: '2020-01-01T00:00:00Z/2021-01-01T00:00:00Z' })).toMatchObject({
      datetime: null,
      start: '2020-01-01T00:00:00Z',
      end: '2021-01-01T00:00:00Z',
    })
    for (const tiff_date_time of ['2020:13:01 00:00:00', '0000:00:00 00:00:00', '    :  :     :  :  ', 'yesterday'])
      expect(of({ tiff_date_time })).toMatchObject({ source: 'last_modified', warnings: [{ code: 'DATETIME_UNREADABLE' }] })
    expect(of({}, { datetimePattern: '{YYYY}{MM}{DD}' }, '20249999.tif').source).toBe('last_modified')
  })

  test('a time that a job gives is one, or is refused: year 0000 would become the moment of publishing', () => {
    for (const wrong of ['0000-01-01T00:00:00Z', '2024-02-30T00:00:00Z', '2024-01-01', 'x'])
      expect(ItemDatetime.safeParse(wrong).success, wrong).toBe(false)
    expect(ItemDatetime.safeParse('2024-02-29T23:59:59.5+02:00').success).toBe(true)
  })

  test('patterns without a day, with unknown or repeated tokens are refused; what is no token is taken as it is', () => {
    for (const pattern of ['{YYYY}', '{YYYY}{MM}{DD}{DD}', '{YYYY}{MM}{DD}{week}', ''])
      expect(() => assertDatetimePattern(pattern)).toThrow(/datetime_pattern/)
    expect(of({}, { datetimePattern: 'a.(b)+{YYYY}{MM}{DD}' }, 'a.(b)+20200102').source).toBe('name')
    expect(of({}, { datetimePattern: 'a.b{YYYY}{MM}{DD}' }, 'aXb20200102').source).toBe('last_modified')
  })
})

test('side-cars belong to the raster of their stem or whole name, not to one whose name merely begins alike', () => {
  const names = ['a.ovr', 'a.prj', 'a.tif.aux.xml', 'a.tif.ovr', 'a1.tfw', 'a.b.tfw', 'a.txt']
  expect(sidecarsOf('a.tif', names)).toEqual(['a.ovr', 'a.prj', 'a.tif.aux.xml', 'a.tif.ovr'])
  expect(['x/a.b.tif', 'x/a.b.tif.ovr', 'x.y/.a.tif', 'plain'].map(stemOf)).toEqual(['x/a', 'x/a', 'x.y/.a', 'plain'])
})
