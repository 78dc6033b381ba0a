// Keys of the host: kept in a file, made at the first start; who may call what when they are enforced.
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'

export interface Keys {
  readonly master: string
  /** Opens every function. */
  readonly host: string
  /** Of the Durable extension's API. */
  readonly system: string
}

const newKey = (): string => randomBytes(40).toString('base64url')

/** @param file undefined: keys of this run only */
export function readKeys(file: string | undefined): Keys {
  if (!file) return { master: newKey(), host: newKey(), system: newKey() }
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Keys
  } catch {
    const keys = { master: newKey(), host: newKey(), system: newKey() }
    writeFileSync(file, JSON.stringify(keys, null, 2), { mode: 0o600 })
    return keys
  }
}

/** The key of a request: `x-functions-key`, then `?code=`. */
export const keyOf = (headers: Readonly<Record<string, string>>, query: URLSearchParams): string | undefined =>
  headers['x-functions-key'] ?? query.get('code') ?? undefined

/** Keys compare without case, as on the real host. */
export const sameKey = (key: string | undefined, wanted: string): boolean => key?.toLowerCase() === wanted.toLowerCase()

/** May a request with this key call a function of this level? */
export function opensFunction(keys: Keys, authLevel: string, key: string | undefined): boolean {
  if (authLevel === 'anonymous' || sameKey(key, keys.master)) return true
  return authLevel === 'function' && sameKey(key, keys.host)
}
