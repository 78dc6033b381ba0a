// What a rule judges.
import type { Findings, Path } from './findings.ts'
import { isObject, type JsonObject, listOf, objectsIn } from './json.ts'

/** From the coordinates of a CRS to longitude and latitude; NaN where there is none. */
export type ToWgs84 = (x: number, y: number) => [longitude: number, latitude: number]

/** Undefined for a code that is not known, or whose formula was not loaded. */
export type FormulaOf = (epsg: number) => ToWgs84 | undefined

export interface ValidateOptions {
  /** Times after it are in the future. */
  readonly now: Date
  /** For PROJ_FOOTPRINT in other systems than EPSG:4326; see `loadFormulas`. */
  readonly formulaOf?: FormulaOf
}

export type Kind = 'Catalog' | 'Collection' | 'Item'

/** An object inside of a document, and where it lies. */
export interface Carrier {
  readonly path: Path
  readonly value: JsonObject
}

export interface Subject {
  readonly document: JsonObject
  readonly kind: Kind
  readonly now: Date
  readonly formulaOf: FormulaOf
  /** See `carriersOf`. */
  readonly carriers: readonly Carrier[]
}

export type Rule = (subject: Subject, findings: Findings) => void

/** Objects that carry common metadata (times, bands, statistics, license), each with its path. */
export function carriersOf({ document, kind }: Pick<Subject, 'document' | 'kind'>): Carrier[] {
  const found: Carrier[] = []
  const add = (path: Path, value: unknown): void => {
    if (!isObject(value)) return
    found.push({ path, value })
    for (const [i, band] of objectsIn(listOf(value.bands))) add([...path, 'bands', i], band)
  }
  if (kind === 'Item') add(['properties'], document.properties)
  else add([], document)
  for (const group of kind === 'Item' ? ['assets'] : ['assets', 'item_assets'])
    for (const [key, asset] of objectsIn(document[group])) add([group, key], asset)
  for (const [i, link] of objectsIn(listOf(document.links))) add(['links', i], link)
  return found
}
