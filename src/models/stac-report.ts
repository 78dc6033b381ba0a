// What validation says about a STAC document.

/** One thing that was found. */
export interface Finding {
  /** `SCHEMA`, or a semantic code. */
  readonly code: string
  /** JSON pointer (RFC 6901); empty for the document itself. */
  readonly path: string
  readonly message: string
  readonly source: 'schema' | 'semantic'
  /** Of JSON Schema, with the code `SCHEMA`: `required`, `type`, … */
  readonly keyword?: string
}

/** One thing that was put right. */
export interface Repair {
  readonly code: string
  readonly path: string
  readonly action: string
}

export interface RepairResult {
  /** A copy; the document that was given is never changed. */
  readonly document: unknown
  readonly applied: readonly Repair[]
  /** Issues that are left; warnings are not among them. */
  readonly remaining: readonly Finding[]
}

export type DocumentType = 'Catalog' | 'Collection' | 'Item' | 'FeatureCollection' | 'unknown'

/** One catalogue, collection or item; a FeatureCollection only where its members cannot be judged. */
export interface DocumentReport {
  /** No issues; warnings do not count. */
  readonly valid: boolean
  readonly document_type: DocumentType
  readonly id: string | null
  /** As the document says, also where it was judged as 1.1.0. */
  readonly stac_version: string | null
  readonly schemas: { readonly checked: readonly string[]; readonly unknown: readonly string[] }
  readonly issues: readonly Finding[]
  readonly warnings: readonly Finding[]
  readonly repair?: RepairResult
}

export interface ItemCollectionReport {
  readonly valid: boolean
  readonly counts: {
    readonly items: number
    readonly valid: number
    readonly invalid: number
    readonly issues: number
    readonly warnings: number
  }
  /** One for each feature, in their order. */
  readonly results: readonly DocumentReport[]
  readonly repair?: RepairResult
}

export type ValidationReport = DocumentReport | ItemCollectionReport
