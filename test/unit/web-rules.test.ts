// The page's rules without a browser: addresses, figures, filters, forms from schemas, what results hold.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { jobs } from '../../src/jobs/index.gen.ts'
import { JobStatus, TaskStatus } from '../../src/models/words.ts'
import { JOB_ACTIONS, ACTS_ON } from '../../src/engine/lifecycle.ts'
import { address, parseAddress } from '../../src/web/address.ts'
import { ahead, bytes, duration, moment, rate } from '../../src/web/format.ts'
import { apiFilter, filterOf, inWords } from '../../src/web/job-list/filter.ts'
import { ACTIONS } from '../../src/web/job/action-rules.ts'
import { blobsIn } from '../../src/web/job/blob-refs.ts'
import { distributionsIn, prefixesIn } from '../../src/web/job/result-figures.ts'
import { readPreferences } from '../../src/web/preferences.ts'
import { credentialHeader } from '../../src/web/session.ts'
import { fieldsOf, parametersOf, type Schema, valuesFrom } from '../../src/web/submit/schema-form.ts'
import type { Json } from '../../src/web/types.ts'
import { squarify } from '../../src/web/ui/treemap.ts'
import { JOB_STATUSES, TASK_STATUSES } from '../../src/web/words.ts'

const schemaOf = (name: string): Schema => {
  const job = jobs.find((j) => j.name === name)
  if (!job) throw new Error(`no job type ${name}`)
  return z.toJSONSchema(job.parameters, { io: 'input', unrepresentable: 'any' }) as Schema
}

test('an address says the same after it was read, whatever is in it', () => {
  const part = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => text.isWellFormed())
  fc.assert(
    fc.property(fc.array(part, { maxLength: 3 }), fc.dictionary(fc.constantFrom('a', 'b', 'text'), part), (parts, values) => {
      const read = parseAddress(address(parts, values))
      expect([read.parts, Object.fromEntries(read.query)]).toEqual([parts, { ...values }])
    }),
  )
  expect(parseAddress('#/jobs/%E0%A4%A').parts).toEqual(['jobs', '%E0%A4%A'])
})

describe('figures as people read them', () => {
  test.each([
    [0, '0 ms'],
    [999.4, '999 ms'],
    [1000, '1.0 s'],
    [59_949, '59.9 s'],
    [59_960, '1 min'],
    [250_000, '4 min 10 s'],
    [3_600_000, '1 h'],
    [86_399_999, '1 d'],
    [187_200_000, '2 d 4 h'],
  ])('%d ms: %s', (ms, text) => expect(duration(ms)).toBe(text))
  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [41_574, '40.6 KiB'],
    [1024 ** 5 * 3, '3.0 PiB'],
  ])('%d bytes: %s', (value, text) => expect(bytes(value)).toBe(text))
  test('moments name the day when it is another one', () => {
    const now = new Date(2026, 4, 20, 12, 0, 0)
    expect(moment(new Date(2026, 4, 20, 9, 5, 3), now)).toBe('09:05:03')
    expect(moment(new Date(2026, 4, 2, 9, 5, 3), now)).toBe('2 May, 09:05:03')
    expect(moment(new Date(2025, 4, 2, 9, 5, 3), now)).toBe('2 May 2025, 09:05:03')
    expect(moment('never', now)).toBe('–')
    expect([ahead(new Date(now.getTime() + 90_000).toISOString(), now), ahead(now.toISOString(), now)]).toEqual([
      'in 1 min 30 s',
      'any moment',
    ])
    expect([rate(0.44), rate(1234.5)]).toEqual(['0.4', '1,235'])
  })
})

test('a filter of the address becomes the one of the API; spans count from the minute', () => {
  const filter = filterOf(new URLSearchParams('status=failed&since=1h&text=a%26b&next=x&other=1'))
  expect(filter).toEqual({ status: 'failed', since: '1h', text: 'a&b' })
  expect(apiFilter(filter, new Date('2026-05-20T12:34:56Z'))).toEqual({ ...filter, since: '2026-05-20T11:34:00.000Z' })
  expect(inWords(filter)).toBe('status failed, last hour, text “a&b”')
})

test('the words and the actions are those of the server', () => {
  expect([...JOB_STATUSES].sort()).toEqual([...JobStatus.options].sort())
  expect([...TASK_STATUSES].sort()).toEqual([...TaskStatus.options].sort())
  expect(Object.keys(ACTIONS).sort()).toEqual([...JOB_ACTIONS].sort())
  for (const name of JOB_ACTIONS) expect([...ACTIONS[name].on].sort(), name).toEqual([...ACTS_ON[name]].sort())
})

describe('what was pasted to sign in', () => {
  test.each([
    ['a key', 'x-functions-key'],
    ['aa.bb.cc', 'authorization'],
    ['Bearer aa.bb.cc', 'authorization'],
  ])('%s goes as %s', (text, header) => expect(Object.keys(credentialHeader(text))).toEqual([header]))
  test('nothing sends nothing', () => expect(credentialHeader('  ')).toEqual({}))
})

test('preferences of a stranger or of an older page count where they fit', () => {
  expect(readPreferences('{"theme":"pink","refresh":3,"hidden":["eta",7]}')).toEqual({
    theme: 'system',
    refresh: 5,
    hidden: ['eta'],
  })
  expect(readPreferences('{"theme":"dark","refresh":0,"hidden":[]}')).toEqual({ theme: 'dark', refresh: 0, hidden: [] })
  for (const text of [null, '', 'null', '[', '7']) expect(readPreferences(text).refresh).toBe(5)
})

describe('forms from the schema of parameters', () => {
  test.each(jobs.map((job) => [job.name]))('%s: every field has a kind, a name of its own and a text', (name) => {
    const fields = fieldsOf(schemaOf(name))
    expect(new Set(fields.map((f) => f.path)).size).toBe(fields.length)
    expect(fields.filter((f) => f.kind === 'choice' && f.options.length === 0)).toEqual([])
  })

  test('what is filled in becomes parameters of the right types, and the job type takes them', () => {
    const fields = fieldsOf(schemaOf('process_raster'))
    const values = {
      source_container: 'bronze',
      source_blob: 'a.tif',
      tile_size: '256',
      bands: '3, 2, 1',
      nodata: '-9999',
      overwrite: 'true',
    }
    const { parameters, issues } = parametersOf(fields, values)
    expect(issues).toEqual([])
    expect(parameters).toMatchObject({
      tile_size: 256,
      bands: [3, 2, 1],
      nodata: -9999,
      overwrite: true,
      output_tier: 'analysis',
    })
    expect(jobs.find((j) => j.name === 'process_raster')?.parameters.safeParse(parameters).success).toBe(true)
    expect(parametersOf(fields, { ...values, nodata: 'nan' }).parameters['nodata']).toBe('nan')
  })

  test('members of objects have fields of their own; an object that needs nothing stays away', () => {
    const fields = fieldsOf(schemaOf('list_container'))
    expect(fields.map((f) => f.path)).toEqual(expect.arrayContaining(['file_filter.extension', 'file_filter.metadata_match']))
    expect(parametersOf(fields, { container_name: 'bronze' }).parameters).not.toHaveProperty('file_filter')
    const filled = parametersOf(fields, {
      container_name: 'bronze',
      'file_filter.extension': 'tif',
      'file_filter.metadata_match': '{"a":"b"}',
    })
    expect(filled.parameters['file_filter']).toEqual({ extension: 'tif', metadata_match: { a: 'b' } })
  })

  test('what is missing or is no number is said at its field', () => {
    const fields = fieldsOf(schemaOf('process_raster'))
    const { issues } = parametersOf(fields, { source_container: 'bronze', quality: 'high', bands: '1, x' })
    expect(issues.map(({ path }) => path).sort()).toEqual(['bands', 'quality', 'source_blob'])
  })

  test('parameters of an earlier job come back as they were', () => {
    const fields = fieldsOf(schemaOf('process_raster'))
    const before: Json = {
      source_container: 'bronze',
      source_blob: 'ä b.tif',
      tile_size: 1024,
      bands: [1],
      overwrite: false,
      output_tier: 'archive',
    }
    expect(parametersOf(fields, valuesFrom(fields, before)).parameters).toMatchObject(before as object)
    expect(valuesFrom(fields, 7)).toEqual({})
  })
})

test('results give up their figures by their form', () => {
  const tally = { tif: { count: 2, size: 10 }, csv: { count: 9, size: 400 } }
  expect(distributionsIn({ type_distribution: tally, other: { a: 1 } })[0]?.rows.map((r) => r.label)).toEqual(['csv', 'tif'])
  expect(distributionsIn({ summary: { type_distribution: tally } }).map((d) => d.name)).toEqual(['type_distribution'])
  for (const value of [null, 7, [tally], { a: {} }]) expect(distributionsIn(value)).toEqual([])
  expect(prefixesIn({ by_prefix: [{ prefix: 'a/', count: 1, size: 5 }, { prefix: 1 }] })).toEqual([{ prefix: 'a/', size: 5 }])
  const ref = { container: 'silver', blob: 'a/b.tif' }
  expect(blobsIn([{ source: ref, again: [ref] }, { container: 'lamplighter', blob: 'x' }, null])).toEqual([ref])
})

test('areas of a treemap are as their values, within the rectangle, and together all of it', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 1e6 }), { minLength: 1, maxLength: 40 }), (given) => {
      const values = given.sort((a, b) => b - a)
      const total = values.reduce((sum, v) => sum + v, 0)
      const boxes = squarify(values, 640, 280)
      expect(boxes.length).toBe(values.length)
      for (const [i, { x, y, width, height }] of boxes.entries()) {
        expect(width * height).toBeCloseTo(((values[i] ?? 0) / total) * 640 * 280, 3)
        expect([x >= -1e-6, y >= -1e-6, x + width <= 640.001, y + height <= 280.001]).toEqual([true, true, true, true])
      }
    }),
  )
})

test('an array of chosen words is a set: what is not chosen is left out, and none of a needed one is an issue', () => {
  const fields = fieldsOf({
    required: ['ends'],
    properties: { ends: { type: 'array', items: { enum: ['a', 'b'] }, default: ['a', 'b'] } },
  })
  expect(fields).toMatchObject([{ kind: 'set', options: ['a', 'b'], initial: 'a, b' }])
  expect(parametersOf(fields, {}).parameters).toEqual({ ends: ['a', 'b'] })
  expect(parametersOf(fields, { ends: 'b' }).parameters).toEqual({ ends: ['b'] })
  expect(parametersOf(fields, { ends: '' }).issues).toEqual([{ path: 'ends', message: 'is needed' }])
})
