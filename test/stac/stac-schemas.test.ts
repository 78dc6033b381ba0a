// The official JSON schemas, compiled by another program, say the same of 2,000 documents and their mutants wherever they decide.
// They are no part of this repository: ORACLES names a folder that holds stac-schemas/.
import type { ValidateFunction } from 'ajv'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { STAC_EXTENSIONS } from '../../src/models/stac.ts'
import { repairDocument } from '../../src/stac/validate.ts'
import { CORE_SCHEMAS } from '../../src/stac/validation/schema.ts'
import { compileOfficial as compile, hasOfficial as isThere } from '../support/official-schemas.ts'
import { example, type Loose, NOW, report } from '../support/stac.ts'

/** What the schemas let pass: the listed differences. */
const STRICTER = new Set([
  'RING_NOT_CLOSED',
  'COORDINATE_RANGE',
  'BBOX_ORDER',
  'BBOX_RANGE',
  'BBOX_ANTIMERIDIAN',
  'BBOX_MISMATCH',
  'DATETIME_ORDER',
  'ASSET_HREF_SCHEME',
  'ASSET_HREF_SECRET',
  'PROJ_SHAPE_TRANSFORM_BBOX',
  'PROJ_SINGULAR',
  'STATISTICS_ORDER',
  'EXTENT_ORDER',
])

const at = (document: Loose, path: string): Loose =>
  path
    .split('/')
    .slice(1)
    .reduce((value, key) => value?.[key.replaceAll('~1', '/').replaceAll('~0', '~')], document)

/** Does the specification decide it? A ring of three open positions breaks minItems; hex of a wrong length is hex. */
function isDecided({ code, path }: { code: string; path: string }, document: Loose): boolean {
  if (code === 'RING_NOT_CLOSED') return at(document, path).length < 4
  if (code === 'CHECKSUM_FORMAT')
    return !/^[a-f0-9]+$/.test(at(document, path)) && (document.stac_extensions ?? []).includes(STAC_EXTENSIONS.file)
  return !STRICTER.has(code)
}

const ourVerdict = (document: Loose): boolean => !report(document).issues.some((issue) => isDecided(issue, document))

const KINDS: Record<string, string> = {
  Feature: CORE_SCHEMAS.Item,
  Collection: CORE_SCHEMAS.Collection,
  Catalog: CORE_SCHEMAS.Catalog,
}

const text = fc.constantFrom('a', 'B4', 'height', 'x-y_z', 'é', '2024')
const time = fc
  .date({ min: new Date('1980-01-01'), max: new Date('2024-12-31'), noInvalidDate: true })
  .map((d) => d.toISOString())
  .map((iso) => (iso.endsWith('0Z') ? iso.replace('Z', '+00:00') : iso))
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined })
const number = fc.double({ min: -1000, max: 1000, noNaN: true })
const band = fc.record(
  {
    name: text,
    description: text,
    data_type: fc.constantFrom('uint8', 'int16', 'float32', 'cint16', 'other'),
    nodata: fc.oneof(number, fc.constantFrom('nan', 'inf', '-inf')),
    unit: text,
    'raster:scale': number,
    'raster:bits_per_sample': fc.integer({ min: 1, max: 16 }),
    statistics: fc.record(
      { minimum: number, maximum: number, count: fc.nat(), valid_percent: fc.integer({ min: 0, max: 100 }) },
      { requiredKeys: ['minimum'] },
    ),
    gsd: fc.integer({ min: 1, max: 90 }),
  },
  { requiredKeys: ['name'] },
)
const extras = fc.record({
  description: maybe(text),
  gsd: maybe(fc.integer({ min: 1, max: 90 })),
  platform: maybe(text),
  keywords: maybe(fc.array(text)),
  title: maybe(text),
})
const corner = fc.tuple(fc.integer({ min: -170, max: 160 }), fc.integer({ min: -80, max: 70 }))
const geometry = fc.oneof(
  fc.constant(null),
  corner.map(([x, y]) => ({ type: 'Point', coordinates: [x, y] })),
  corner.map(([x, y]) => ({
    type: 'LineString',
    coordinates: [
      [x, y],
      [x + 5, y + 5],
    ],
  })),
  corner.map(([x, y]) => ({
    type: 'Polygon',
    coordinates: [
      [
        [x, y],
        [x + 5, y],
        [x + 5, y + 5],
        [x, y],
      ],
    ],
  })),
  corner.map(([x, y]) => ({
    type: 'MultiPolygon',
    coordinates: [
      [
        [
          [x, y],
          [x + 5, y],
          [x + 5, y + 5],
          [x, y],
        ],
      ],
    ],
  })),
)

const drop = (value: Loose): Loose => JSON.parse(JSON.stringify(value))
const item = fc
  .record({
    geometry,
    extras,
    bands: maybe(fc.array(band, { maxLength: 4 })),
    datetime: time,
    interval: fc.boolean(),
    inCollection: fc.boolean(),
    keep: fc.subarray([0, 1, 2]),
  })
  .map(({ geometry, extras, bands, datetime, interval, inCollection, keep }) => {
    const document = example('item')
    document.geometry = geometry
    const [x, y] = geometry === null ? [0, 0] : ((geometry.coordinates as Loose).flat(3) as [number, number])
    const size = geometry?.type === 'Point' ? 0 : 5
    document.bbox = geometry === null ? undefined : [x, y, x + size, y + size]
    Object.assign(
      document.properties,
      extras,
      interval ? { datetime: null, start_datetime: datetime, end_datetime: datetime } : { datetime },
    )
    document.assets.data.bands = bands
    document.stac_extensions = document.stac_extensions.filter((_: string, i: number) => keep.includes(i as 0))
    if (!inCollection) {
      delete document.collection
      document.links.pop()
    }
    return drop(document)
  })
const collection = fc
  .record({ extras, start: time, end: fc.option(time), bands: maybe(fc.array(band, { maxLength: 2 })) })
  .map(({ extras, start, end, bands }) => {
    const document = { ...example('collection'), ...extras, description: extras.description ?? 'x', bands }
    document.extent.temporal.interval = [[start, end]]
    if (bands) document.stac_extensions.push(STAC_EXTENSIONS.raster)
    return drop(document)
  })
const catalog = extras.map((extras) => drop({ ...example('catalog'), ...extras, description: extras.description ?? 'x' }))
const documents = fc.oneof(
  { weight: 6, arbitrary: item },
  { weight: 2, arbitrary: collection },
  { weight: 1, arbitrary: catalog },
)

const ODD: unknown[] = [
  null,
  '',
  'x',
  'NaN',
  'nan',
  'Byte',
  0,
  -1,
  1.5,
  true,
  [],
  {},
  [1],
  ['x'],
  ['x', 'x'],
  { a: 1 },
  '2024-01-01T00:00:00z',
  '2024-01-01',
  'a b',
  'ABCD',
  'https://x.example/a',
]

interface Mutation {
  readonly place: number
  readonly odd: unknown
  readonly how: 'replace' | 'delete' | 'add'
}

/** One place changed: another value, none, or one member more. */
function mutate(document: Loose, { place, odd, how }: Mutation): Loose {
  const copy = structuredClone(document)
  const places: [Loose, string | number][] = []
  const collect = (value: Loose): void => {
    if (typeof value !== 'object' || value === null) return
    for (const key of Array.isArray(value) ? value.keys() : Object.keys(value)) {
      places.push([value, key])
      collect(value[key])
    }
  }
  collect(copy)
  const [holder, key] = places[place % places.length] as [Loose, string | number]
  if (how === 'replace') holder[key] = structuredClone(odd)
  else if (Array.isArray(holder))
    holder.splice(Number(key), how === 'delete' ? 1 : 0, ...(how === 'delete' ? [] : [structuredClone(odd)]))
  else if (how === 'delete') delete holder[key]
  else holder[ADDED[place % ADDED.length] as string] = structuredClone(odd)
  return copy
}
const ADDED = [
  'description',
  'bands',
  'data_type',
  'nodata',
  'statistics',
  'license',
  'providers',
  'datetime',
  'start_datetime',
  'created',
  'gsd',
  'roles',
  'method',
  'headers',
  'proj:shape',
  'proj:epsg',
  'raster:sampling',
  'raster:histogram',
  'file:size',
  'file:checksum',
  'summaries',
  'item_assets',
  'bbox',
  'collection',
  'x:unknown',
]
const mutations = fc.array(
  fc.record({ place: fc.nat(), odd: fc.constantFrom(...ODD), how: fc.constantFrom('replace', 'delete', 'add') }),
  { maxLength: 2 },
)

describe.skipIf(!isThere)('the official schemas', () => {
  let schemaOf: (url: string) => ValidateFunction
  beforeAll(() => {
    schemaOf = compile()
  })

  /** Of the core and of every extension that is known here; the errors of the first that refuses. */
  const theirErrors = (document: Loose): unknown[] => {
    const known: string[] = [STAC_EXTENSIONS.projection, STAC_EXTENSIONS.raster, STAC_EXTENSIONS.file]
    const declared = (Array.isArray(document.stac_extensions) ? document.stac_extensions : []).filter((url: string) =>
      known.includes(url),
    )
    for (const url of [KINDS[document.type] as string, ...declared]) {
      const validate = schemaOf(url)
      if (!validate(document)) return validate.errors ?? []
    }
    return []
  }

  test.each(['item', 'collection', 'catalog'] as const)('our example %s passes', (name) => {
    expect(theirErrors(example(name))).toEqual([])
  })

  test('the upgrade of our STAC 1.0 item passes', () => {
    expect(theirErrors(repairDocument(example('item-1-0'), NOW).document)).toEqual([])
  })

  test('2,000 documents and their mutants: the same verdict', () => {
    const seen = { valid: 0, invalid: 0 }
    fc.assert(
      fc.property(documents, mutations, (document, changes) => {
        for (const mutant of [document, changes.reduce(mutate, document)]) {
          if (!Object.hasOwn(KINDS, mutant.type)) continue
          const theirs = theirErrors(mutant)
          seen[theirs.length === 0 ? 'valid' : 'invalid']++
          if (ourVerdict(mutant) !== (theirs.length === 0))
            expect.fail(JSON.stringify({ ours: report(mutant).issues, theirs, changes, mutant }, undefined, 1))
        }
      }),
      { numRuns: 2000 },
    )
    // Both verdicts must be met often, or the comparison says little.
    expect(Math.min(seen.valid, seen.invalid)).toBeGreaterThan(400)
  })

  test('the listed differences: what the schemas let pass and we do not', () => {
    const reversed = { ...example('item'), bbox: [10, 47, 10.2, 46.9] }
    const open = example('item')
    open.geometry.coordinates[0].push([10.05, 46.95])
    const north = example('item')
    north.geometry = { type: 'Point', coordinates: [10, 95] }
    for (const document of [reversed, open, north]) {
      expect(theirErrors(document)).toEqual([])
      expect(report(document).valid).toBe(false)
    }
  })
})
