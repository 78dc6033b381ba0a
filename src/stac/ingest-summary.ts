// What became of the documents of many files, summed up while they pass.
import type { IngestedFile } from './ingest-file.ts'
import { addCounts } from './validation-summary.ts'

/** Problems that a result names; the tasks have all. */
const NAMED = 100

export interface IngestSummary {
  created: number
  updated: number
  unchanged: number
  /** Files that were deleted between listing and reading. */
  gone: number
  /** Documents that were not taken, by code. */
  readonly problems: Record<string, number>
  readonly warnings: Record<string, number>
  /** The first ones. */
  readonly problem_files: { file: string; code: string; path: string; message: string; id?: string | undefined }[]
  /** Files that could not be read, by code. */
  readonly failures: Record<string, number>
}

export const emptyIngestSummary = (): IngestSummary => ({
  created: 0,
  updated: 0,
  unchanged: 0,
  gone: 0,
  problems: {},
  warnings: {},
  problem_files: [],
  failures: {},
})

/** Changes the summary. */
export function addIngested(summary: IngestSummary, file: string, ingested: IngestedFile): void {
  summary.created += ingested.created
  summary.updated += ingested.updated
  summary.unchanged += ingested.unchanged
  if (ingested.gone) summary.gone++
  addCounts(summary.problems, ingested.counts)
  addCounts(summary.warnings, ingested.warnings)
  for (const problem of ingested.problems) {
    if (summary.problem_files.length >= NAMED) return
    summary.problem_files.push({ file, ...problem })
  }
}
