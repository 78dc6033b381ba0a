// Verdicts about many files, summed up while they pass.
import * as z from 'zod'
import type { FileVerdict } from './judge-file.ts'

/** Invalid files that a result names; the report has all. */
const NAMED = 100

const Counts = z.record(z.string(), z.int())

export const ValidationSummary = z.object({
  files: z.int(),
  valid: z.int(),
  invalid: z.int(),
  gone: z.int().describe('deleted between listing and reading'),
  document_types: Counts,
  items: z.object({ total: z.int(), invalid: z.int() }),
  issues: Counts.describe('by code'),
  warnings: Counts.describe('by code'),
  invalid_files: z
    .array(z.object({ file: z.string(), document_type: z.string(), code: z.string(), path: z.string(), message: z.string() }))
    .max(NAMED)
    .describe('the first ones, each with its first issue'),
})
export type ValidationSummary = z.infer<typeof ValidationSummary>

export const addCounts = (into: Record<string, number>, more: Readonly<Record<string, number>>): void => {
  for (const [key, count] of Object.entries(more)) into[key] = (into[key] ?? 0) + count
}

export const emptySummary = (): ValidationSummary => ({
  files: 0,
  valid: 0,
  invalid: 0,
  gone: 0,
  document_types: {},
  items: { total: 0, invalid: 0 },
  issues: {},
  warnings: {},
  invalid_files: [],
})

/** Changes the summary. */
export function addVerdict(summary: ValidationSummary, file: string, verdict: FileVerdict): void {
  const { document_type, valid, items, invalid_items, counts, warnings, issues } = verdict
  if (document_type === 'gone') {
    summary.gone++
    return
  }
  summary.files++
  if (valid) summary.valid++
  else summary.invalid++
  addCounts(summary.document_types, { [document_type]: 1 })
  summary.items.total += items
  summary.items.invalid += invalid_items
  addCounts(summary.issues, counts)
  addCounts(summary.warnings, warnings)
  const [first] = issues
  if (first && summary.invalid_files.length < NAMED)
    summary.invalid_files.push({ file, document_type, code: first.code, path: first.path, message: first.message })
}
