// The whole of a document, however it is made: iterative, since a thousand open brackets end a recursive walk, and bounded.
import { isObject, type JsonObject, pointer } from './json.ts'

/** STAC needs about 10: a position in a MultiPolygon of proj:geometry in an asset of a feature. */
export const MAX_DEPTH = 32
/** Values of a document; a polygon of 100,000 positions has 300,000. */
export const MAX_VALUES = 500_000
/** Members of one object: an item has a few assets. */
const MAX_MEMBERS = 10_000
/** Members of one list: a ring of 100,000 positions is judged. 400,000 broken keywords took 4 s. */
const MAX_LIST = 120_000
/** Characters of a member's name; pointers repeat it in every finding. */
const MAX_NAME = 1024

interface Place {
  readonly value: object
  readonly depth: number
  readonly key: string | number
  readonly parent: Place | undefined
}

function pathOf(place: Place | undefined, key: string | number): (string | number)[] {
  const keys = [key]
  for (let at = place; at?.parent; at = at.parent) keys.push(at.key)
  return keys.reverse()
}

export interface Excess {
  readonly code: 'TOO_DEEP' | 'TOO_LARGE'
  readonly path: string
  readonly message: string
}

type OnText = (text: string, holder: JsonObject | unknown[], key: string | number, path: () => (string | number)[]) => void

/**
 * Visits every string; ends at the first limit. Cycles end it too, since they have no depth.
 * @param onText gets the container and key, so that it may be replaced, and the path when it asks
 */
export function walk(document: unknown, onText: OnText = () => {}): Excess | undefined {
  if (typeof document !== 'object' || document === null) return undefined
  const open: Place[] = [{ value: document, depth: 1, key: '', parent: undefined }]
  let seen = 0
  for (let place = open.pop(); place; place = open.pop()) {
    const names = Array.isArray(place.value) ? undefined : Object.keys(place.value)
    const count = names?.length ?? (place.value as unknown[]).length
    const most = names ? MAX_MEMBERS : MAX_LIST
    if (count > most) {
      const path = place.parent ? pointer(pathOf(place.parent, place.key)) : ''
      return { code: 'TOO_LARGE', path, message: `${count} members; at most ${most} are judged` }
    }
    seen += count
    if (seen > MAX_VALUES) return { code: 'TOO_LARGE', path: '', message: `more than ${MAX_VALUES} values` }
    const excess = members(place, names, count, open, onText)
    if (excess) return excess
  }
  return undefined
}

/** @param names undefined: a list */
function members(place: Place, names: string[] | undefined, count: number, open: Place[], onText: OnText): Excess | undefined {
  const holder = place.value as Record<string | number, unknown>
  for (let i = 0; i < count; i++) {
    const key = names ? (names[i] as string) : i
    if (typeof key === 'string' && key.length > MAX_NAME)
      return { code: 'TOO_LARGE', path: pointer(pathOf(place, key.slice(0, 80))), message: `a name of ${key.length} characters` }
    const member = holder[key]
    if (typeof member === 'string') onText(member, holder, key, () => pathOf(place, key))
    if (typeof member !== 'object' || member === null) continue
    if (place.depth >= MAX_DEPTH)
      return { code: 'TOO_DEEP', path: pointer(pathOf(place, key)), message: `more than ${MAX_DEPTH} levels` }
    open.push({ value: member, depth: place.depth + 1, key, parent: place })
  }
  return undefined
}

/** A copy to repair. Only for what `walk` let pass: it is as deep as that. Own members named `__proto__` stay members. */
export function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf)
  if (!isObject(value)) return value
  const copy: JsonObject = {}
  for (const key of Object.keys(value)) {
    const member = copyOf(value[key])
    if (key === '__proto__')
      Object.defineProperty(copy, key, { value: member, enumerable: true, writable: true, configurable: true })
    else copy[key] = member
  }
  return copy
}
