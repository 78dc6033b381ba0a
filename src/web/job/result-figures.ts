// Figures of a result that are better seen than read: found by their form, so that a new job type needs no line here. Pure.
import type { Json } from '../types.ts'

export interface Distribution {
  readonly name: string
  /** Most bytes first. */
  readonly rows: readonly { readonly label: string; readonly count: number; readonly size: number }[]
}

export interface Prefix {
  readonly prefix: string
  readonly size: number
}

const MOST = 15

type Members = { [name: string]: Json }
const isObject = (value: Json | undefined): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isTally = (value: Json): value is { count: number; size: number } =>
  isObject(value) && typeof value['count'] === 'number' && typeof value['size'] === 'number'

/** Members like `{"tif": {"count": 12, "size": 3400}, …}`, at the top of the result or one level below. */
export function distributionsIn(result: Json): Distribution[] {
  if (!isObject(result)) return []
  const own = (members: Members): Distribution[] =>
    Object.entries(members).flatMap(([name, value]) => {
      if (!isObject(value)) return []
      const rows = Object.entries(value)
      if (rows.length === 0 || !rows.every(([, tally]) => isTally(tally))) return []
      return [{ name, rows: sorted(rows as [string, { count: number; size: number }][]) }]
    })
  return [...own(result), ...Object.values(result).flatMap((member) => (isObject(member) ? own(member) : []))]
}

const sorted = (rows: [string, { count: number; size: number }][]): Distribution['rows'] =>
  rows
    .map(([label, { count, size }]) => ({ label, count, size }))
    .sort((a, b) => b.size - a.size || b.count - a.count)
    .slice(0, MOST)

/** `by_prefix` of an inventory: folders and their bytes. */
export function prefixesIn(result: Json): Prefix[] {
  const found = isObject(result) ? result['by_prefix'] : undefined
  if (!Array.isArray(found)) return []
  return found.flatMap((row) =>
    isObject(row) && typeof row['prefix'] === 'string' && typeof row['size'] === 'number'
      ? [{ prefix: row['prefix'], size: row['size'] }]
      : [],
  )
}

export interface Growth {
  readonly count: number
  readonly bytes: number
}
export interface GrowthRow {
  /** Null: all others. */
  readonly name: string | null
  readonly added: Growth
  readonly changed: Growth
  readonly removed: Growth
}

/** Rows of what a comparison of inventories tells by extension or by folder; none where it is another result. */
export function growthIn(result: Json, by: 'by_extension' | 'by_prefix'): GrowthRow[] {
  const found = isObject(result) ? result[by] : undefined
  if (!Array.isArray(found)) return []
  const isGrowth = (value: Json | undefined): boolean =>
    isObject(value) && typeof value['count'] === 'number' && typeof value['bytes'] === 'number'
  const isRow = (row: Json): boolean => isObject(row) && KINDS.every((kind) => isGrowth(row[kind]))
  return found.filter(isRow) as unknown as GrowthRow[]
}

export const KINDS = ['added', 'changed', 'removed'] as const
