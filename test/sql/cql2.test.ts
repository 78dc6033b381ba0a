// Postgres and the judge in memory agree: random filters over random items find the same rows.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Pool } from '../../src/db/pool.ts'
import {
  COMPARISONS,
  type Expression,
  hasSpatial,
  type Literal,
  type Property,
  type Temporal,
  TEMPORAL_OPERATORS,
} from '../../src/stac/cql2/ast.ts'
import { evaluate, type FilterItem } from '../../src/stac/cql2/evaluate.ts'
import type { Geometry, SpatialLiteral } from '../../src/stac/cql2/geometry.ts'
import { printCql2Text } from '../../src/stac/cql2/print.ts'
import { type Bound, type Queryable, toSql } from '../../src/stac/cql2/sql.ts'
import { parseCql2Text } from '../../src/stac/cql2/text.ts'
import { anyText } from '../support/any-text.ts'
import { createDatabase, type TestDatabase } from '../support/db.ts'
import { expressions, type Vocabulary } from '../support/cql2-expressions.ts'

interface Item extends FilterItem {
  readonly id: string
  readonly collection: string
  readonly geometry: { readonly type: 'Point'; readonly coordinates: readonly [number, number] } | null
  readonly properties: Readonly<Record<string, unknown>>
}

// Few values, so that filters hit; among them what SQL and JavaScript are known to see differently.
const TEXTS = [
  '',
  'a',
  'A',
  'ab',
  'a%b',
  'a_b',
  'a\\b',
  'é',
  'e\u0301',
  '\u{1F600}',
  '\uFF5E',
  '5',
  'true',
  "'; DROP TABLE cql2_items; --",
  'a\nb',
]
const NUMBERS = [0, 1, -1, 0.1, 0.30000000000000004, 5, 1e21, 5e-324, 2 ** 53 + 2, 1.7976931348623157e308]
const TIMES = [
  '2024-01-01T00:00:00Z',
  '2024-01-01T23:59:59.999999Z',
  '2024-01-02T00:00:00Z',
  '2024-06-01T12:00:00.5Z',
  '2023-12-31T23:30:00Z',
  '1969-07-20T20:17:40Z',
]
const text = fc.constantFrom(...TEXTS)
const number = fc.constantFrom(...NUMBERS)
const time = fc.constantFrom(...TIMES)
const either = fc.oneof(
  text,
  number,
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.oneof(text, number), { maxLength: 2 }),
  fc.constant({ a: 1 }),
)

const when = fc.oneof(
  time.map((datetime) => ({ datetime })),
  fc.tuple(time, time).map((ends) => {
    const [start_datetime, end_datetime] = ends.sort()
    return { datetime: null, start_datetime, end_datetime }
  }),
)
const rest = fc.record(
  { gsd: number, title: text, flag: fc.boolean(), created: time, x: either, 'y:z.w': either, __n: either },
  { requiredKeys: [] },
)
const place = fc.option(
  fc
    .tuple(fc.integer({ min: -5, max: 5 }), fc.integer({ min: -5, max: 5 }))
    .map((coordinates) => ({ type: 'Point' as const, coordinates })),
)
const item = fc
  .tuple(when, rest, place, fc.constantFrom('c1', 'c2'))
  .map(([w, r, geometry, collection]) => ({ collection, geometry, properties: { ...r, ...w } }))

const COUNT = 300
const items: readonly Item[] = fc
  .sample(item, { numRuns: COUNT, seed: 7 })
  .map((i, n) => ({ ...i, id: `${n % 2 ? 'item' : 'Item'}-${n}` }))

const property = (key: string): string => `(content -> 'properties' -> '${key}')`
const any = (key: string): Queryable => ({
  type: 'any',
  sql: property(key),
  json: { column: 'content', path: ['properties', key] },
})
const QUERYABLES = new Map<string, Queryable>([
  ['id', { type: 'string', sql: 'item_id' }],
  ['collection', { type: 'string', sql: 'collection_id' }],
  ['geometry', { type: 'geometry', sql: 'x' }],
  ['datetime', { type: 'timestamp', sql: 'sort_at', interval: { start: 'start_at', end: 'end_at' } }],
  ['created', { type: 'timestamp', sql: `(content #>> '{properties,created}')::timestamptz` }],
  ['gsd', { type: 'number', sql: `${property('gsd')}::float8` }],
  ['title', { type: 'string', sql: `content #>> '{properties,title}'` }],
  ['flag', { type: 'boolean', sql: `${property('flag')}::boolean`, json: { column: 'content', path: ['properties', 'flag'] } }],
  ['x', any('x')],
  ['y:z.w', any('y:z.w')],
  ['__n', any('__n')],
])

let database: TestDatabase
let db: Pool
beforeAll(async () => {
  database = await createDatabase({ max: 1 })
  db = database.pool
  await db.query(`CREATE TABLE public.cql2_items (item_id text COLLATE "und-x-icu", collection_id text, content jsonb, x float8, y float8,
    start_at timestamptz, end_at timestamptz, sort_at timestamptz)`)
  await db.query(
    `INSERT INTO public.cql2_items
     SELECT i ->> 'id', i ->> 'collection', i, (i #>> '{geometry,coordinates,0}')::float8, (i #>> '{geometry,coordinates,1}')::float8,
       coalesce(i #>> '{properties,start_datetime}', i #>> '{properties,datetime}')::timestamptz,
       coalesce(i #>> '{properties,end_datetime}', i #>> '{properties,datetime}')::timestamptz,
       coalesce(i #>> '{properties,datetime}', i #>> '{properties,start_datetime}')::timestamptz
     FROM jsonb_array_elements($1::jsonb) i`,
    [JSON.stringify(items)],
  )
})
afterAll(() => database.drop())

/** The box of any literal; the test's shapes are points. */
function boxOf(literal: SpatialLiteral): [number, number, number, number] {
  const numbers =
    literal.kind === 'bbox'
      ? literal.box
      : (JSON.stringify(literal.geometry).match(/\[[-\d.,]+\]/g) ?? []).flatMap((p) => (JSON.parse(p) as number[]).slice(0, 2))
  const [xs, ys] = [0, 1].map((k) => numbers.filter((_, i) => i % 2 === k)) as [number[], number[]]
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]
}

/** Stricter than the box, as an exact test is: of the points inside only those on even columns. */
function intersects(shape: Geometry, literal: SpatialLiteral): boolean {
  const [west, south, east, north] = boxOf(literal)
  const [x, y] = (shape as Geometry & { type: 'Point' }).coordinates as readonly [number, number]
  return x >= west && x <= east && y >= south && y <= north && x % 2 === 0
}

async function idsOf(expression: Expression): Promise<{ ids: string[]; exact: boolean }> {
  const bound: unknown[] = []
  const bind = (value: Bound): string => `$${bound.push(value)}`
  const spatial = (literal: SpatialLiteral): string => {
    const [west, south, east, north] = boxOf(literal).map((n) => `${bind(n)}::float8`)
    return `x BETWEEN ${west} AND ${east} AND y BETWEEN ${south} AND ${north}`
  }
  const { sql, exact } = toSql(expression, { queryables: QUERYABLES, bind, intersects: spatial })
  const rows = await db.query<{ item_id: string }>(`SELECT item_id FROM public.cql2_items WHERE ${sql}`, bound)
  return { ids: rows.map((r) => r.item_id), exact }
}

const matching = (expression: Expression): Item[] => items.filter((i) => evaluate(expression, i, { intersects }) === true)

async function agrees(expression: Expression): Promise<Item[]> {
  const wanted = matching(expression)
  const { ids, exact } = await idsOf(expression)
  expect(exact).toBe(!hasSpatial(expression))
  const found = exact ? items.filter((i) => ids.includes(i.id)) : wanted.filter((i) => ids.includes(i.id))
  expect(
    found.map((i) => i.id),
    printCql2Text(expression),
  ).toEqual(wanted.map((i) => i.id))
  return wanted
}

const texts = text.map((value) => ({ kind: 'string' as const, value }))
const numbers = number.map((value) => ({ kind: 'number' as const, value }))
const truths = fc.boolean().map((value) => ({ kind: 'boolean' as const, value }))
const stamps = time.map((value) => ({ kind: 'timestamp' as const, value }))
const instants = fc.oneof(
  stamps,
  time.map((value) => ({ kind: 'date' as const, value: value.slice(0, 10) })),
)
const named = (...names: string[]): fc.Arbitrary<Property> =>
  fc.constantFrom(...names).map((name) => ({ kind: 'property', name }))
const several = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(one, { minLength: 1, maxLength: 4 })

function scalar<T extends Literal>(
  left: fc.Arbitrary<Property>,
  right: fc.Arbitrary<T>,
  list: fc.Arbitrary<T>,
): fc.Arbitrary<Expression> {
  const op = fc.constantFrom(...COMPARISONS)
  return fc.oneof<fc.Arbitrary<Expression>[]>(
    fc.record({
      kind: fc.constant('compare' as const),
      op,
      left,
      right: fc.oneof({ weight: 4, arbitrary: right }, { weight: 1, arbitrary: left }),
    }),
    fc.tuple(left, several(list)).map(([value, l]) => ({ kind: 'in', value, list: l }) as Expression),
    left.map((arg) => ({ kind: 'isNull', arg })),
  )
}

const between = <T extends Literal>(value: fc.Arbitrary<Property>, end: fc.Arbitrary<T>): fc.Arbitrary<Expression> =>
  fc.record({ kind: fc.constant('between' as const), value, low: end, high: end })

const anything = named('x', 'y:z.w', '__n', 'properties.x')
const times = named('datetime', 'created', 'properties.datetime')
const pattern = fc
  .array(fc.constantFrom('%', '_', 'a', 'b', '\\%', '\\_', '\\\\', 'é', '\u{1F600}', "'"), { maxLength: 4 })
  .map((p) => p.join(''))
const end = fc.oneof(instants, times, fc.constant({ kind: 'open' as const }))
const interval = fc
  .tuple(end, end)
  .map(([a, b]) => ({ kind: 'interval' as const, start: a, end: b }))
  .filter(
    (i) =>
      i.start.kind === 'property' ||
      i.end.kind === 'property' ||
      i.start.kind === 'open' ||
      i.end.kind === 'open' ||
      i.start.value.slice(0, 10) < i.end.value.slice(0, 10),
  )
const temporal: fc.Arbitrary<Temporal> = fc.oneof(times, instants, interval)
const corner = fc.integer({ min: -5, max: 5 })
const box = fc.tuple(corner, corner, corner, corner).map(([a, b, c, d]): SpatialLiteral => ({
  kind: 'bbox',
  box: [Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)],
}))

const leaf = fc.oneof<fc.Arbitrary<Expression>[]>(
  truths,
  scalar(
    named('id', 'title', 'collection'),
    fc.oneof(
      texts,
      fc.constantFrom('item-5', 'c1').map((value) => ({ kind: 'string' as const, value })),
    ),
    texts,
  ),
  scalar(named('gsd', 'properties.gsd'), numbers, numbers),
  scalar(named('flag'), truths, truths),
  scalar(times, instants, stamps),
  scalar(anything, fc.oneof<fc.Arbitrary<Literal>[]>(texts, numbers, truths), texts),
  scalar(anything, numbers, numbers),
  scalar(anything, truths, truths),
  fc.record({
    kind: fc.constant('compare' as const),
    op: fc.constantFrom(...COMPARISONS),
    left: anything,
    right: named('gsd', 'title', 'flag'),
  }),
  fc.oneof(
    between(fc.oneof(anything, named('title')), texts),
    between(fc.oneof(anything, named('gsd')), numbers),
    between(times, instants),
  ),
  fc.record({ kind: fc.constant('like' as const), value: fc.oneof(anything, named('title')), pattern }),
  fc.record({
    kind: fc.constant('temporal' as const),
    op: fc.constantFrom(...TEMPORAL_OPERATORS),
    left: temporal,
    right: temporal,
  }),
  fc.tuple(named('geometry'), box).map(([p, geometry]) => ({ kind: 'spatial', op: 's_intersects', property: p, geometry })),
  fc.constant({ kind: 'isNull', arg: { kind: 'property', name: 'geometry' } }),
)
const unused: Vocabulary = { name: fc.constant('x'), text, pattern, number }

test('random filters: the rows of Postgres are those that the judge takes', async () => {
  let [telling, runs] = [0, 0]
  await fc.assert(
    fc.asyncProperty(expressions(unused, leaf), async (expression) => {
      const wanted = await agrees(expression)
      runs++
      if (wanted.length > 0 && wanted.length < COUNT) telling++
    }),
    { numRuns: 800 },
  )
  // Filters that take all or nothing prove little.
  expect(telling / runs).toBeGreaterThan(0.5)
})

test('random predicates alone, and denied: NULL matches neither', async () => {
  await fc.assert(
    fc.asyncProperty(leaf, async (expression) => {
      const [yes, no] = [await agrees(expression), await agrees({ kind: 'not', arg: expression })]
      expect(yes.filter((i) => no.includes(i))).toEqual([])
    }),
    { numRuns: 600 },
  )
})

test.each([
  [`x = 5`, (i: Item) => i.properties['x'] === 5],
  [`NOT x = 5`, (i: Item) => typeof i.properties['x'] === 'number' && i.properties['x'] !== 5],
  [`x < 'b'`, (i: Item) => typeof i.properties['x'] === 'string' && (i.properties['x'].codePointAt(0) ?? 0) < 98],
  [`title LIKE '%\\%%'`, (i: Item) => i.properties['title'] === 'a%b'],
  [`title = '''; DROP TABLE cql2_items; --'`, (i: Item) => i.properties['title'] === "'; DROP TABLE cql2_items; --"],
  [
    `T_INTERSECTS(datetime, DATE('2024-01-01')) AND datetime IS NOT NULL`,
    (i: Item) => spans(i, '2024-01-01T00:00:00Z', '2024-01-01T23:59:59.999999Z'),
  ],
])('%s finds what it says', async (text, isWanted) => {
  const wanted = items.filter((i) => isWanted(i)).map((i) => i.id)
  expect(wanted.length).toBeGreaterThan(0)
  expect((await idsOf(parseCql2Text(text))).ids.sort()).toEqual(wanted.sort())
})

function spans({ properties: p }: Item, first: string, last: string): boolean {
  const [start, end] = [p['start_datetime'] ?? p['datetime'], p['end_datetime'] ?? p['datetime']] as [string, string]
  return start <= last && end >= first
}

test('no text of a filter can become SQL: the table is still there', async () => {
  await fc.assert(
    fc.asyncProperty(anyText(30), async (garbage) => {
      const value = `'); ${garbage.replaceAll('\u0000', '').toWellFormed()} DROP TABLE cql2_items; --`
      await agrees({
        kind: 'or',
        args: ['title', 'x'].map((name) => ({
          kind: 'compare',
          op: '=',
          left: { kind: 'property', name },
          right: { kind: 'string', value },
        })),
      })
    }),
    { numRuns: 50 },
  )
  expect(await db.query('SELECT count(*)::int AS n FROM public.cql2_items')).toEqual([{ n: COUNT }])
})

test('equality of a JSON property uses the index of the document', async () => {
  await db.query('CREATE INDEX ON public.cql2_items USING gin (content jsonb_path_ops)')
  await db.query('SET enable_seqscan = off')
  for (const filter of [`x = 'a'`, `x = 5 AND NOT gsd = 7`, `x IN ('a', 'ab')`]) {
    const bound: unknown[] = []
    const { sql } = toSql(parseCql2Text(filter), {
      queryables: QUERYABLES,
      bind: (v) => `$${bound.push(v)}`,
      intersects: () => 'TRUE',
    })
    const plan = await db.query(`EXPLAIN SELECT item_id FROM public.cql2_items WHERE ${sql}`, bound)
    expect(JSON.stringify(plan), filter).toContain('Bitmap Index Scan on cql2_items_content_idx')
  }
})
