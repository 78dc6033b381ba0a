// The fields extension: which members of an item are sent.
import { refuseSearch } from './refuse.ts'
import type { Fields } from './search.ts'

/** What an empty `fields` gives. */
const DEFAULT_INCLUDE = [
  'type',
  'stac_version',
  'id',
  'collection',
  'geometry',
  'bbox',
  'links',
  'assets',
  'properties.datetime',
] as const
const MOST_FIELDS = 200

/** `a,-b,properties.c` of GET, `{include, exclude}` of POST. @throws AppError `INVALID_SEARCH` */
export function readFields(value: unknown): Fields {
  if (typeof value === 'string') {
    const names = value
      .split(',')
      .map((n) => n.trim())
      .filter((n) => n !== '')
    return checked({
      include: names.filter((n) => !n.startsWith('-')).map((n) => n.replace(/^\+/, '')),
      exclude: names.filter((n) => n.startsWith('-')).map((n) => n.slice(1)),
    })
  }
  const { include = [], exclude = [], ...rest } = (value ?? {}) as Record<string, unknown>
  const isList = (list: unknown): list is string[] => Array.isArray(list) && list.every((n) => typeof n === 'string')
  if (typeof value !== 'object' || Object.keys(rest).length > 0 || !isList(include) || !isList(exclude))
    throw refuseSearch('fields', 'must be {"include": [names], "exclude": [names]}.')
  return checked({ include, exclude })
}

function checked(fields: Fields): Fields {
  if (fields.include.length + fields.exclude.length > MOST_FIELDS)
    throw refuseSearch('fields', `names more than ${MOST_FIELDS} fields.`)
  return fields
}

type Json = Readonly<Record<string, unknown>>

/**
 * The item with the wished members alone. Only includes: these and nothing else; only excludes: all but these; both: included minus
 * excluded, the deeper path wins.
 */
export function select(item: Json, fields: Fields | undefined): Json {
  if (!fields) return item
  const { include, exclude } = fields
  const wanted = include.length === 0 && exclude.length === 0 ? DEFAULT_INCLUDE : include
  const kept = wanted.length === 0 ? item : picked(item, wanted)
  return exclude.length === 0
    ? kept
    : without(
        kept,
        exclude.filter((path) => !wanted.some((w) => w.startsWith(`${path}.`))),
      )
}

/** Names of extensions hold no dots; those of assets may, so the longest name that is there wins. */
function keysOf(at: unknown, path: string): string[] | undefined {
  if (path === '') return []
  if (typeof at !== 'object' || at === null || Array.isArray(at)) return undefined
  for (let end = path.length; end > 0; end = path.lastIndexOf('.', end - 1)) {
    const key = path.slice(0, end)
    if (!Object.hasOwn(at, key)) continue
    const rest = keysOf((at as Json)[key], path.slice(end + 1))
    if (rest) return [key, ...rest]
  }
  return undefined
}

function picked(item: Json, paths: readonly string[]): Json {
  const result = new Map<string, unknown>()
  for (const path of paths) {
    const keys = keysOf(item, path)
    if (keys) put(result, item, keys)
  }
  return toObject(result) as Json
}

/** Objects on the way are maps, so that no name is a prototype's. */
function put(into: Map<string, unknown>, from: Json, [key = '', ...rest]: readonly string[]): void {
  if (rest.length === 0) {
    into.set(key, from[key])
    return
  }
  const old = into.get(key)
  // The whole is in already.
  if (old !== undefined && !(old instanceof Map)) return
  const inner = (old as Map<string, unknown> | undefined) ?? new Map<string, unknown>()
  into.set(key, inner)
  put(inner, from[key] as Json, rest)
}

const toObject = (value: unknown): unknown =>
  value instanceof Map ? Object.fromEntries([...(value as Map<string, unknown>)].map(([k, v]) => [k, toObject(v)])) : value

function without(item: Json, paths: readonly string[]): Json {
  let result = item
  for (const path of paths) {
    const keys = keysOf(result, path)
    if (keys) result = removed(result, keys)
  }
  return result
}

function removed(at: Json, [key = '', ...rest]: readonly string[]): Json {
  if (rest.length === 0) return Object.fromEntries(Object.entries(at).filter(([k]) => k !== key))
  return Object.fromEntries(Object.entries(at).map(([k, v]) => [k, k === key ? removed(v as Json, rest) : v]))
}
