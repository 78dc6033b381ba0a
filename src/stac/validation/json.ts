// Looking into JSON that nobody has checked: every reader gives undefined where the shape is another.

export type JsonObject = Record<string, unknown>

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** Finite numbers, all of them, and at least so many. */
export function numbersOf(value: unknown, atLeast: number): number[] | undefined {
  return Array.isArray(value) && value.length >= atLeast && value.every((n) => Number.isFinite(n))
    ? (value as number[])
    : undefined
}

/** Members of an object, or of an array by index, that are objects themselves. */
export function objectsIn(value: unknown): (readonly [key: string | number, member: JsonObject])[] {
  if (Array.isArray(value)) return value.flatMap((v, i) => (isObject(v) ? [[i, v] as const] : []))
  return isObject(value) ? Object.entries(value).flatMap(([k, v]) => (isObject(v) ? [[k, v] as const] : [])) : []
}

/** JSON pointer (RFC 6901): `~` and `/` are escaped. @example pointer(['assets', 'a/b']) // '/assets/a~1b' */
export function pointer(segments: readonly PropertyKey[]): string {
  return segments.map((s) => `/${String(s).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** A value in a message: short, on one line. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? value.slice(0, 80) : value
  return (JSON.stringify(text) ?? String(text)).slice(0, 90)
}
