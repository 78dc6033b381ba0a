// Collects what the rules find, with the way to put it right where there is one.
import type { Finding } from '../../models/stac-report.ts'
import { SEMANTIC_CODES, type SemanticCode } from './codes.ts'
import { pointer } from './json.ts'

/** Changes the document that was judged and says what it did; undefined when another repair has made it needless. */
export type Fix = () => string | undefined

export interface Found extends Finding {
  readonly severity: 'issue' | 'warning'
  readonly fix: Fix | undefined
}

export type Path = readonly (string | number)[]

export interface Extra {
  readonly fix?: Fix | undefined
  /** Overrides the table of codes. */
  readonly severity?: 'issue' | 'warning'
  /** A pointer that is made already. */
  readonly at?: string
}

/** Issues of a report; a document with a fault per position would answer with megabytes. */
export const MAX_FINDINGS = 50

export class Findings {
  readonly found: Found[] = []
  readonly #limit: number
  readonly #counts = { issue: 0, warning: 0 }

  /** @param limit of issues and of warnings each; one more is counted, so that a reader knows there are more */
  constructor(limit: number) {
    this.#limit = limit
  }

  semantic(
    code: SemanticCode,
    path: Path,
    message: string,
    { fix, severity = SEMANTIC_CODES[code].severity, at }: Extra = {},
  ): void {
    if (this.#hasRoom(severity)) this.found.push({ code, path: at ?? pointer(path), message, source: 'semantic', severity, fix })
  }

  schema(path: readonly PropertyKey[], message: string, keyword: string): void {
    if (this.#hasRoom('issue'))
      this.found.push({
        code: 'SCHEMA',
        path: pointer(path),
        message,
        source: 'schema',
        keyword,
        severity: 'issue',
        fix: undefined,
      })
  }

  #hasRoom(severity: 'issue' | 'warning'): boolean {
    return ++this.#counts[severity] <= this.#limit
  }

  /** For the report: without fixes, and with a last one that says there are more. */
  of(severity: 'issue' | 'warning'): Finding[] {
    const list: Finding[] = []
    for (const { code, path, message, source, keyword, ...found } of this.found)
      if (found.severity === severity) list.push({ code, path, message, source, ...(keyword && { keyword }) })
    if (this.#counts[severity] > this.#limit)
      list.push({
        code: severity === 'issue' ? 'MORE_ISSUES' : 'MORE_WARNINGS',
        path: '',
        message: `${this.#counts[severity] - this.#limit} more`,
        source: 'semantic',
      })
    return list
  }
}
