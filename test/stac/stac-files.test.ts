import { describe, expect, test } from 'vitest'
import type { AppError } from '../../src/rules/errors.ts'
import { isDocumentName, parseDocument } from '../../src/stac/document-file.ts'
import { verdictOf } from '../../src/stac/judge-file.ts'
import { addVerdict, emptySummary } from '../../src/stac/validation-summary.ts'
import { report, reports } from '../support/stac.ts'

const textOf = (text: string): unknown => parseDocument(Buffer.from(text))

describe('files of documents', () => {
  test('names', () => {
    expect(['a.json', 'A.JSON', 'x/y.GeoJSON', 'a.json.gz', 'json', 'a.jsonl'].filter(isDocumentName)).toEqual([
      'a.json',
      'A.JSON',
      'x/y.GeoJSON',
    ])
  })

  test('a byte order mark and members named __proto__ are JSON', () => {
    expect(textOf('\ufeff{"a":1}')).toEqual({ a: 1 })
    const document = textOf('{"__proto__":{"admin":true}}') as { admin?: boolean }
    expect([document.admin, Object.keys(document)]).toEqual([undefined, ['__proto__']])
  })

  test('1,000 levels are read, more are refused before they are parsed; brackets in texts do not count', () => {
    const nested = (n: number): string => `${'[{"a":'.repeat(n / 2)}1${'}]'.repeat(n / 2)}`
    expect(Array.isArray(textOf(nested(1000)))).toBe(true)
    for (const n of [1002, 10_000, 3_000_000]) expect(() => textOf(nested(n))).toThrow(/1000 levels/)
    expect(textOf(JSON.stringify('[{"\\"'.repeat(2000)))).toHaveLength(10_000)
    expect(textOf(`[${'[],{},'.repeat(5000)}0]`)).toHaveLength(10_001)
  })

  test.each(['', '{', '{"sig=geheim', 'NaN', '\u0000'])('%j is none, and the message has none of its text', (text) => {
    try {
      textOf(text)
      expect.unreachable()
    } catch (error) {
      expect((error as AppError).code).toBe('INVALID_JSON')
      expect((error as AppError).message).toMatch(/^The document is not JSON that can be read(?:: at position \d+)?\.$/)
    }
  })
})

describe('verdicts', () => {
  test('findings of features get pointers of the file, and texts that can be stored', () => {
    const verdict = verdictOf(reports({ type: 'FeatureCollection', features: [{ type: 'Feature', 'a\u0000b': 1 }, []] }))
    expect(verdict).toMatchObject({ document_type: 'FeatureCollection', items: 2, invalid_items: 2 })
    expect(verdict.issues.every((i) => i.path.startsWith('/features/'))).toBe(true)
    expect(JSON.stringify(verdict)).not.toContain(String.raw`\u0000`)
  })

  test('1,000 issues are named, all are counted; 100 files are named', () => {
    const verdict = verdictOf(
      reports({ type: 'FeatureCollection', features: Array.from({ length: 1000 }, () => ({ type: 'Feature' })) }),
    )
    expect(verdict.issues).toHaveLength(1000)
    expect(verdict.counts['SCHEMA']).toBeGreaterThan(1000)
    const summary = emptySummary()
    for (let i = 0; i < 150; i++) addVerdict(summary, `${i}.json`, verdictOf(report({})))
    expect(summary).toMatchObject({ files: 150, invalid: 150, document_types: { unknown: 150 } })
    expect(summary.invalid_files).toHaveLength(100)
  })
})
