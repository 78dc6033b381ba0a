// Extensions: declared and known, declared and used, used and declared; the fields of those that are known.
import type * as z from 'zod'
import { EXTENSION_FIELDS, EXTENSION_PREFIX, STAC_EXTENSIONS, type StacExtension } from '../../models/stac.ts'
import type { Findings, Path } from './findings.ts'
import { isObject, type JsonObject, listOf, objectsIn, shown } from './json.ts'
import { fitsModel } from './schema.ts'
import type { Carrier, Rule, Subject } from './subject.ts'

const NAMES = Object.keys(STAC_EXTENSIONS) as StacExtension[]
const BY_URL = new Map<unknown, StacExtension>(NAMES.map((name) => [STAC_EXTENSIONS[name], name]))

const declaredBy = (document: JsonObject): readonly unknown[] => listOf(document.stac_extensions)

/** Schemas of a document beyond the core: those whose fields are judged, and those that nothing is known of. */
export function schemasOf(document: JsonObject): { known: string[]; unknown: string[] } {
  const urls = [...new Set(declaredBy(document))].filter((url) => typeof url === 'string')
  return { known: urls.filter((url) => BY_URL.has(url)), unknown: urls.filter((url) => !BY_URL.has(url)) }
}

export const extensionsRule: Rule = (subject, findings) => {
  const declared = declaredBy(subject.document)
  for (const [i, url] of declared.entries())
    if (typeof url === 'string' && !BY_URL.has(url))
      findings.semantic('EXTENSION_UNKNOWN', ['stac_extensions', i], `${shown(url)} is not known here and was not fetched`)
  for (const name of NAMES) {
    const at = declared.indexOf(STAC_EXTENSIONS[name])
    const use = firstUse(subject, name)
    if (at < 0) {
      if (use && !hasOtherVersion(declared, name)) undeclared(subject.document, name, use, findings)
      continue
    }
    if (name === 'projection' && subject.kind === 'Catalog')
      findings.schema(['stac_extensions', at], 'projection is for items and collections', 'const')
    if (!use) unused(subject, name, at, findings)
    else judgeFields(subject, name, findings)
  }
}

/** `…/projection/v1.1.0/schema.json` beside 1.1.0: its fields are not ours to judge. */
const hasOtherVersion = (declared: readonly unknown[], name: StacExtension): boolean =>
  declared.some((url) => typeof url === 'string' && url.startsWith(`https://stac-extensions.github.io/${name}/`))

function undeclared(document: JsonObject, name: StacExtension, path: Path, findings: Findings): void {
  const url = STAC_EXTENSIONS[name]
  const fix = (): string => {
    document.stac_extensions = [...declaredBy(document), url]
    return `declared ${url}`
  }
  const canAdd = document.stac_extensions === undefined || Array.isArray(document.stac_extensions)
  findings.semantic('EXTENSION_UNDECLARED', path, `${name} is used and not in stac_extensions`, { fix: canAdd ? fix : undefined })
}

/** The schema of raster refuses a document that names it and uses none of its fields; catalogues it lets pass. */
function unused({ document, kind }: Subject, name: StacExtension, at: number, findings: Findings): void {
  const url = STAC_EXTENSIONS[name]
  const isIssue = name === 'raster' && kind !== 'Catalog'
  const fix = (): string => {
    document.stac_extensions = declaredBy(document).filter((other) => other !== url)
    return `removed ${url}`
  }
  findings.semantic('EXTENSION_UNUSED', ['stac_extensions', at], `${name} is declared and none of its fields is used`, {
    severity: isIssue ? 'issue' : 'warning',
    fix: isIssue ? fix : undefined,
  })
}

/** Where fields of an extension may be: carriers, and the summaries of a collection. */
function placesOf({ document, carriers }: Subject): Carrier[] {
  const places = [...carriers]
  const { summaries } = document
  if (!isObject(summaries)) return places
  places.push({ path: ['summaries'], value: summaries })
  for (const [i, value] of objectsIn(listOf(summaries.bands))) places.push({ path: ['summaries', 'bands', i], value })
  return places
}

function firstUse(subject: Subject, name: StacExtension): Path | undefined {
  const prefix = EXTENSION_PREFIX[name]
  // The schema of raster looks for these six; a field with a wrong name is a use that it refuses either way.
  for (const { path, value } of placesOf(subject))
    for (const key in value)
      if (key.startsWith(prefix) && Object.hasOwn(value, key) && isJudged(name, path, subject)) return [...path, key]
  return undefined
}

/** Which places the extension's schema reads, as far as they decide. */
function isJudged(name: StacExtension, path: Path, { kind }: Subject): boolean {
  const [group] = path
  const isBand = path.length > 1 && path.at(-2) === 'bands'
  if (name === 'raster') return group !== 'links' && (kind === 'Collection' ? group !== undefined : true)
  if (name === 'projection') return !isBand
  return true
}

function judgeFields(subject: Subject, name: StacExtension, findings: Findings): void {
  const prefix = EXTENSION_PREFIX[name]
  const model = EXTENSION_FIELDS[name]
  for (const { path, value } of placesOf(subject)) {
    if (!isChecked(name, path, subject)) continue
    const own = Object.keys(value).filter((key) => key.startsWith(prefix))
    if (own.length === 0) continue
    const unknown = own.filter((key) => !Object.hasOwn(model.shape, key))
    for (const key of unknown) findings.schema([...path, key], `${name} has no such field`, 'additionalProperties')
    if (path.at(-1) === 'summaries') summaryFields(name, value, own, findings)
    else fitsModel(model, Object.fromEntries(own.map((key) => [key, value[key]])), path, findings)
  }
}

function isChecked(name: StacExtension, path: Path, { kind }: Subject): boolean {
  const [group] = path
  const isBand = path.length > 1 && path.at(-2) === 'bands'
  switch (name) {
    case 'raster':
      return kind !== 'Catalog' && group !== 'links' && group !== undefined
    case 'file':
      return !isBand && (group === 'links' || group === 'assets' || group === 'item_assets')
    default:
      return !isBand && (group === 'properties' || group === 'assets' || group === 'item_assets')
  }
}

/** Of a collection: lists of values, each as the field says, or an object that stands for them. */
function summaryFields(name: StacExtension, summaries: JsonObject, keys: readonly string[], findings: Findings): void {
  const shape: Readonly<Record<string, z.ZodType>> = EXTENSION_FIELDS[name].shape
  for (const key of keys)
    for (const [i, value] of listOf(summaries[key]).entries()) {
      const model = Object.hasOwn(shape, key) ? shape[key] : undefined
      if (model) fitsModel(model, value, ['summaries', key, i], findings)
    }
}
