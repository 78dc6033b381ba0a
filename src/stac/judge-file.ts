// The verdict about one file: what it is, and every issue, bounded, so that a hostile file does not become a report of gigabytes.
import * as z from 'zod'
import type { DocumentReport, Finding, ValidationReport } from '../models/stac-report.ts'
import { cleanText } from '../rules/storable.ts'
import type { ReadDocument } from './document-file.ts'
import { loadFormulas } from './footprint-formulas.ts'
import { validateDocument } from './validate.ts'

/** Issues of a file that are named; all are counted. */
const MAX_NAMED = 1000

const FindingModel = z.object({
  code: z.string(),
  path: z.string(),
  message: z.string(),
  source: z.enum(['schema', 'semantic']),
  keyword: z.string().optional(),
})

export const FileVerdict = z.object({
  document_type: z
    .enum(['Catalog', 'Collection', 'Item', 'FeatureCollection', 'unknown', 'unreadable', 'gone'])
    .describe('unknown: JSON, and no STAC; unreadable: no JSON, or too large; gone: deleted since the listing'),
  valid: z.boolean(),
  items: z.int().describe('in it: 1 for an Item, features of a FeatureCollection'),
  invalid_items: z.int(),
  counts: z.record(z.string(), z.int()).describe('issues by code'),
  warnings: z.record(z.string(), z.int()).describe('by code'),
  issues: z.array(FindingModel).describe(`the first ${MAX_NAMED}; pointers are those of the file`),
})
export type FileVerdict = z.infer<typeof FileVerdict>

export async function judgeFile(read: ReadDocument, now: Date): Promise<FileVerdict> {
  const nothing = { items: 0, invalid_items: 0, counts: {}, warnings: {}, issues: [] }
  if (read.kind === 'gone') return { document_type: 'gone', valid: true, ...nothing }
  if (read.kind === 'finding')
    return {
      document_type: 'unreadable',
      valid: false,
      ...nothing,
      counts: { [read.finding.code]: 1 },
      issues: [read.finding],
    }
  const { document } = read
  return verdictOf(validateDocument(document, { now, formulaOf: await loadFormulas(document) }))
}

/** One report, or those of all features, as one verdict. */
export function verdictOf(report: ValidationReport): FileVerdict {
  const isMany = 'results' in report
  const reports: readonly DocumentReport[] = isMany ? report.results : [report]
  const counts: Record<string, number> = {}
  const warnings: Record<string, number> = {}
  const issues: Finding[] = []
  for (const [i, { issues: found, warnings: warned }] of reports.entries()) {
    for (const { code } of warned) warnings[code] = (warnings[code] ?? 0) + 1
    for (const finding of found) {
      counts[finding.code] = (counts[finding.code] ?? 0) + 1
      if (issues.length < MAX_NAMED) issues.push(storable(finding, isMany ? `/features/${i}` : ''))
    }
  }
  const type = isMany ? 'FeatureCollection' : report.document_type
  const isItems = isMany || type === 'Item'
  return {
    document_type: type,
    valid: report.valid,
    items: isItems ? reports.length : 0,
    invalid_items: isItems ? reports.filter((r) => !r.valid).length : 0,
    counts,
    warnings,
    issues,
  }
}

/** Names of members are in pointers and messages, and may hold what no database keeps. */
const storable = (finding: Finding, at: string): Finding => ({
  ...finding,
  path: cleanText(at + finding.path),
  message: cleanText(finding.message),
})
