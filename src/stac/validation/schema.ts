// The structure, by the models: one finding per broken rule of a JSON Schema, of a union only the one that got farthest.
import type * as z from 'zod'
import { StacCatalog, StacCollection, StacItem } from '../../models/stac.ts'
import type { Findings } from './findings.ts'
import { isObject, type JsonObject, objectsIn } from './json.ts'
import type { Kind, Rule } from './subject.ts'

export const CORE_SCHEMAS: Readonly<Record<Kind, string>> = {
  Item: 'https://schemas.stacspec.org/v1.1.0/item-spec/json-schema/item.json',
  Collection: 'https://schemas.stacspec.org/v1.1.0/collection-spec/json-schema/collection.json',
  Catalog: 'https://schemas.stacspec.org/v1.1.0/catalog-spec/json-schema/catalog.json',
}

const MODELS: Readonly<Record<Kind, z.ZodType>> = { Item: StacItem, Collection: StacCollection, Catalog: StacCatalog }

/** Members that must not be cut off, however many others stand before them. */
const NAMED = new Set([...Object.keys(StacItem.shape), ...Object.keys(StacCollection.shape)])

export const structureRule: Rule = ({ document, kind, carriers }, findings) => {
  fitsModel(MODELS[kind], document, [], findings)
  for (const { path, value } of carriers) {
    const [has, wants] = 'start_datetime' in value ? ['start', 'end'] : ['end', 'start']
    if (`${has}_datetime` in value && !(`${wants}_datetime` in value))
      findings.schema([...path, `${wants}_datetime`], `${has}_datetime needs ${wants}_datetime`, 'dependencies')
  }
  if (kind === 'Item') itemStructure(document, findings)
}

/** Rules of item.json across members that have no semantic code. */
function itemStructure({ geometry, bbox, properties, assets }: JsonObject, findings: Findings): void {
  if (isObject(geometry) && bbox === undefined) findings.schema(['bbox'], 'an item with a geometry needs its bbox', 'required')
  if (isObject(properties) && 'bands' in properties && !objectsIn(assets).some(([, asset]) => 'bands' in asset))
    findings.schema(['properties', 'bands'], 'bands are in the properties only where an asset has bands too', 'not')
}

/** @param at path of the value in the document */
export function fitsModel(model: z.ZodType, value: unknown, at: readonly PropertyKey[], findings: Findings): void {
  for (const issue of issuesOf(model, value)) {
    const { path, message, keyword } = farthest(issue, [])
    const isMissing = keyword !== 'custom' && path.length > 0 && isAbsent(value, path)
    findings.schema([...at, ...path], isMissing ? 'is required' : message, isMissing ? 'required' : keyword)
  }
}

/** Members of a list or object that are enough to show what is wrong with a hundred thousand. */
const ENOUGH = 1000

/** zod hands issues on as arguments of one call, and 100,000 of them are more than the stack holds: then the beginning is judged. */
function issuesOf(model: z.ZodType, value: unknown): readonly z.core.$ZodIssue[] {
  try {
    return model.safeParse(value).error?.issues ?? []
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const issues = model.safeParse(beginningOf(value)).error?.issues ?? []
    const message = `broken in more places than can be told; the first ${ENOUGH} members of each list are fine`
    return issues.length > 0 ? issues : [{ code: 'custom', path: [], message, params: { keyword: 'items' } }]
  }
}

function beginningOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, ENOUGH).map(beginningOf)
  if (!isObject(value)) return value
  const entries = Object.entries(value)
  const kept =
    entries.length > ENOUGH ? [...entries.slice(0, ENOUGH), ...entries.slice(ENOUGH).filter(([k]) => NAMED.has(k))] : entries
  return Object.fromEntries(kept.map(([key, member]) => [key, beginningOf(member)]))
}

interface Failure {
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly keyword: string
}

function farthest(issue: z.core.$ZodIssue, before: readonly PropertyKey[]): Failure {
  const path = [...before, ...issue.path]
  if (issue.code !== 'invalid_union') return { path, message: issue.message, keyword: keywordOf(issue) }
  const branches = issue.errors.flatMap((branch) => branch.slice(0, 1).map((first) => farthest(first, path)))
  const best = branches.reduce<Failure | undefined>((a, b) => (!a || b.path.length > a.path.length ? b : a), undefined)
  if (best && best.path.length > path.length) return best
  const messages = [...new Set(branches.map((b) => b.message))]
  return { path, message: messages.join('; or: ') || issue.message, keyword: 'oneOf' }
}

function keywordOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return 'type'
    case 'invalid_value':
      return issue.values.length === 1 ? 'const' : 'enum'
    case 'invalid_format':
      return issue.format === 'regex' ? 'pattern' : 'format'
    case 'unrecognized_keys':
      return 'additionalProperties'
    case 'too_small':
    case 'too_big':
      return sizeKeyword(issue)
    case 'custom':
      return typeof issue.params?.keyword === 'string' ? issue.params.keyword : 'minItems'
    default:
      return issue.code
  }
}

function sizeKeyword({ code, origin }: { code: 'too_small' | 'too_big'; origin: string }): string {
  const end = code === 'too_small' ? 'min' : 'max'
  if (origin === 'string') return `${end}Length`
  return origin === 'array' ? `${end}Items` : `${end}imum`
}

function isAbsent(value: unknown, path: readonly PropertyKey[]): boolean {
  let holder = value
  for (const key of path.slice(0, -1)) holder = (holder as Record<PropertyKey, unknown> | undefined)?.[key]
  return isObject(holder) && !Object.hasOwn(holder, path.at(-1) as PropertyKey)
}
