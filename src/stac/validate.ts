// Judges STAC documents and puts right what the document itself says. Pure: nothing is read, fetched or thrown, whatever is handed in.
import { STAC_VERSION } from '../models/stac.ts'
import type {
  DocumentReport,
  DocumentType,
  Finding,
  ItemCollectionReport,
  Repair,
  RepairResult,
  ValidationReport,
} from '../models/stac-report.ts'
import { assetsRule } from './validation/assets.ts'
import { bboxRule } from './validation/bbox.ts'
import { collectionRule } from './validation/collection.ts'
import { extensionsRule, schemasOf } from './validation/extensions.ts'
import { Findings, MAX_FINDINGS } from './validation/findings.ts'
import { footprintRule } from './validation/footprint.ts'
import { geometryRule } from './validation/geometry.ts'
import { isObject, type JsonObject, shown, textOf } from './validation/json.ts'
import { linksRule } from './validation/links.ts'
import { rasterRule } from './validation/raster.ts'
import { CORE_SCHEMAS, structureRule } from './validation/schema.ts'
import { secretsRule } from './validation/secrets.ts'
import { carriersOf, type Kind, type Rule, type ValidateOptions } from './validation/subject.ts'
import { timeRule } from './validation/time.ts'
import { isOld, upgrade } from './validation/upgrade.ts'
import { copyOf, walk } from './validation/walk.ts'

export type { FormulaOf, ToWgs84, ValidateOptions } from './validation/subject.ts'

/** Features of one request. */
export const MAX_ITEMS = 1000

/** The structure first: a reader looks at the first finding. */
const RULES: readonly Rule[] = [
  structureRule,
  extensionsRule,
  geometryRule,
  bboxRule,
  timeRule,
  linksRule,
  assetsRule,
  secretsRule,
  rasterRule,
  footprintRule,
  collectionRule,
]

/**
 * Judges a Catalog, Collection, Item or FeatureCollection of at most 1,000 items; STAC 1.0 as what it is after the upgrade to 1.1.
 * Never throws: any JSON value gets a report.
 * @returns for a FeatureCollection one report per feature
 * @example validateDocument({}, { now }).valid // false: UNKNOWN_DOCUMENT_TYPE
 */
export function validateDocument(document: unknown, options: ValidateOptions): ValidationReport {
  const features = featuresOf(document)
  if (!features) return judge(document, options, undefined)
  return collected(features.map((feature) => judge(feature, options, 'Item')))
}

function collected(results: readonly DocumentReport[]): ItemCollectionReport {
  const valid = results.filter((r) => r.valid).length
  const sum = (of: (report: DocumentReport) => number): number => results.reduce((total, report) => total + of(report), 0)
  return {
    valid: valid === results.length,
    counts: {
      items: results.length,
      valid,
      invalid: results.length - valid,
      issues: sum((r) => r.issues.length),
      warnings: sum((r) => r.warnings.length),
    },
    results,
  }
}

/** Undefined for everything but a FeatureCollection whose features can be judged one by one. */
function featuresOf(document: unknown): readonly unknown[] | undefined {
  if (!isObject(document) || document.type !== 'FeatureCollection') return undefined
  return Array.isArray(document.features) && document.features.length <= MAX_ITEMS ? document.features : undefined
}

const KINDS = new Map<unknown, Kind>([
  ['Feature', 'Item'],
  ['Collection', 'Collection'],
  ['Catalog', 'Catalog'],
])

function typeOf(document: unknown): DocumentType {
  if (!isObject(document)) return 'unknown'
  return document.type === 'FeatureCollection' ? 'FeatureCollection' : (KINDS.get(document.type) ?? 'unknown')
}

/** @param wanted the only kind that is allowed here */
function judge(document: unknown, options: ValidateOptions, wanted: Kind | undefined): DocumentReport {
  const { findings, judged } = inspect(document, options, wanted, MAX_FINDINGS)
  const issues = findings.of('issue')
  const type = typeOf(document)
  const { known, unknown } = judged ? schemasOf(judged) : { known: [], unknown: [] }
  return {
    valid: issues.length === 0,
    document_type: type,
    id: isObject(document) ? (textOf(document.id) ?? null) : null,
    stac_version: isObject(document) ? (textOf(document.stac_version) ?? null) : null,
    schemas: {
      checked: judged && type !== 'unknown' && type !== 'FeatureCollection' ? [CORE_SCHEMAS[type], ...known] : [],
      unknown: unknown.slice(0, MAX_FINDINGS),
    },
    issues,
    warnings: findings.of('warning'),
  }
}

interface Inspection {
  readonly findings: Findings
  /** The document, or its upgraded copy; undefined where it is of no kind, or too large to be looked at. */
  readonly judged: JsonObject | undefined
}

function inspect(document: unknown, options: ValidateOptions, wanted: Kind | undefined, limit: number): Inspection {
  const findings = new Findings(limit)
  const excess = walk(document)
  if (excess) findings.semantic(excess.code, [], excess.message, { at: excess.path })
  const kind = isObject(document) ? KINDS.get(document.type) : undefined
  if (excess || !isObject(document) || !kind || (wanted && kind !== wanted)) {
    if (!excess) notOfAKind(document, wanted, findings)
    return { findings, judged: undefined }
  }
  const judged = upgraded(document, findings)
  const subject = { document: judged, kind, now: options.now, formulaOf: options.formulaOf ?? (() => undefined) }
  const carriers = carriersOf(subject)
  for (const rule of RULES) rule({ ...subject, carriers }, findings)
  return { findings, judged }
}

function notOfAKind(document: unknown, wanted: Kind | undefined, findings: Findings): void {
  const type = isObject(document) ? document.type : undefined
  if (type === 'FeatureCollection' && !wanted) {
    const count = Array.isArray((document as JsonObject).features)
      ? ((document as JsonObject).features as unknown[]).length
      : undefined
    if (count === undefined) findings.schema(['features'], 'a FeatureCollection needs a list of features', 'type')
    else findings.semantic('TOO_MANY_ITEMS', ['features'], `${count} features; at most ${MAX_ITEMS} are judged at once`)
    return
  }
  const expected = wanted === 'Item' ? 'Feature' : 'Catalog, Collection, Feature or FeatureCollection'
  const message = isObject(document) ? `type is ${shown(type)} instead of ${expected}` : `not an object with type ${expected}`
  findings.semantic('UNKNOWN_DOCUMENT_TYPE', isObject(document) && type !== undefined ? ['type'] : [], message)
}

/** STAC 1.0 as a copy in 1.1; the finding's repair is that copy. */
function upgraded(document: JsonObject, findings: Findings): JsonObject {
  const { stac_version: version } = document
  if (isOld(document)) {
    const copy = copyOf(document) as JsonObject
    upgrade(copy)
    const fix = (): string => {
      for (const key of Object.keys(document)) delete document[key]
      for (const key of Object.keys(copy)) Object.defineProperty(document, key, Object.getOwnPropertyDescriptor(copy, key) ?? {})
      return `upgraded from ${shown(version)} to ${STAC_VERSION}`
    }
    findings.semantic('STAC_VERSION_OLD', ['stac_version'], `${shown(version)}: judged as ${STAC_VERSION} after the upgrade`, {
      fix,
    })
    return copy
  }
  if (typeof version === 'string' && version !== STAC_VERSION)
    findings.semantic('STAC_VERSION_UNKNOWN', ['stac_version'], `${shown(version)} is neither ${STAC_VERSION} nor 1.0`)
  return document
}

/** Findings of one look that are repaired; a document with more is looked at again. */
const REPAIRS_PER_LOOK = 10_000
/** Looks until nothing is left to repair: an upgrade, what it uncovers, and what the repairs of that uncover. */
const MAX_LOOKS = 8

/**
 * Puts right what can be without inventing facts, in a copy that keeps unknown members. Repairing the result applies nothing.
 * Paths are those of the document at the time of the repair.
 * @returns `remaining`: issues that are left, no warnings; the document itself where it cannot be judged
 */
export function repairDocument(document: unknown, options: ValidateOptions): RepairResult {
  const features = featuresOf(document)
  if (!features) return repaired(document, options, undefined)
  const results = features.map((feature) => repaired(feature, options, 'Item'))
  const placed = <T extends { readonly path: string }>(list: readonly T[], i: number): T[] =>
    list.map((entry) => ({ ...entry, path: `/features/${i}${entry.path}` }))
  return {
    document: { ...(document as JsonObject), features: results.map((r) => r.document) },
    applied: results.flatMap((r, i) => placed(r.applied, i)),
    remaining: results.flatMap((r, i) => placed(r.remaining, i)),
  }
}

function repaired(document: unknown, options: ValidateOptions, wanted: Kind | undefined): RepairResult {
  if (walk(document)) return { document, applied: [], remaining: issuesOf(document, options, wanted) }
  const copy = copyOf(document)
  const applied: Repair[] = []
  for (let look = 0; look < MAX_LOOKS; look++) {
    const { found } = inspect(copy, options, wanted, REPAIRS_PER_LOOK).findings
    const isOldStill = found.some((f) => f.code === 'STAC_VERSION_OLD')
    let changes = 0
    // The upgrade replaces the document that the other findings are about: alone, then a new look.
    for (const { code, path, fix } of found) {
      const action = !isOldStill || code === 'STAC_VERSION_OLD' ? fix?.() : undefined
      if (action === undefined) continue
      applied.push({ code, path, action })
      changes++
    }
    if (changes === 0) break
  }
  return { document: copy, applied, remaining: issuesOf(copy, options, wanted) }
}

const issuesOf = (document: unknown, options: ValidateOptions, wanted: Kind | undefined): Finding[] =>
  inspect(document, options, wanted, MAX_FINDINGS).findings.of('issue')
