// Where the assets of a document lie that others wrote: inside of its container, or at an absolute address; never anywhere else.
import { blobNameProblem } from '../storage/names.ts'
import { withoutSecrets } from './validation/secrets.ts'

/** The file that holds the document. */
export interface DocumentPlace {
  readonly container: string
  readonly name: string
}

export type StoredHref =
  | { readonly href: string; readonly warning?: 'ASSET_HREF_QUERY' }
  | { readonly problem: 'ASSET_HREF_OUTSIDE' | 'ASSET_HREF_SECRET'; readonly message: string }

const ABSOLUTE = /^https?:\/\//i
const SCHEME = /^[a-z][a-z0-9+.-]*:/i

const outside = (message: string): StoredHref => ({ problem: 'ASSET_HREF_OUTSIDE', message })

/**
 * The href as the catalogue stores it. Relative ones are taken from the document's folder (RFC 3986, 5.2), each segment decoded once; a
 * query or fragment is no part of a blob's name and is left out, with a warning. Nothing leads out of the container: `..` beyond its top,
 * `/x` and `//host/x`, whose meaning depends on a host that is not known, are refused.
 * @example storedHref('./b%20c.tif', { container: 'in', name: 'x/item.json' }) // { href: 'blob:in/x/b c.tif' }
 */
export function storedHref(href: string, { container, name }: DocumentPlace): StoredHref {
  if (withoutSecrets(href) !== undefined) return { problem: 'ASSET_HREF_SECRET', message: 'holds a signature, key or user-info' }
  if (ABSOLUTE.test(href)) return { href }
  if (SCHEME.test(href)) return outside('neither http, https nor relative')
  const path = /^[^?#]*/.exec(href)?.[0] ?? ''
  if (path === '') return outside('names no file')
  if (path.startsWith('/')) return outside('starts with a slash: at which host is not known')
  const segments = resolve(name.split('/').slice(0, -1), path)
  if (typeof segments === 'string') return outside(segments)
  const blob = segments.join('/')
  const problem = blobNameProblem(blob)
  if (problem !== undefined) return outside(problem)
  const stored = `blob:${container}/${blob}`
  if (withoutSecrets(stored) !== undefined) return { problem: 'ASSET_HREF_SECRET', message: 'holds a signature or key' }
  return { href: stored, ...(path.length < href.length ? { warning: 'ASSET_HREF_QUERY' as const } : {}) }
}

/** Segments of the name, or what is wrong. Decoded before dots are looked at: `%2e%2e` is `..` to every reader of URLs. */
function resolve(folder: readonly string[], path: string): string[] | string {
  const open = [...folder]
  for (const raw of path.split('/')) {
    const segment = decoded(raw)
    if (segment === undefined) return 'has a percent sign that encodes nothing'
    if (/[/\\]/.test(segment)) return 'has an encoded slash, or a backslash'
    if (segment === '.') continue
    if (segment !== '..') open.push(segment)
    else if (open.pop() === undefined) return 'leads out of the container'
  }
  return /(?:^|\/)(?:\.|%2e){1,2}$/i.test(path) ? 'names a folder' : open
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}

/** What the catalogue says itself, or what leads around in the files; and what is no address of the web. */
const STRUCTURAL = new Set(['self', 'root', 'parent', 'collection', 'child', 'item', 'items', 'next', 'prev'])

export const isKeptLink = ({ rel, href }: { readonly rel: string; readonly href: string }): boolean =>
  !STRUCTURAL.has(rel) && ABSOLUTE.test(href)
