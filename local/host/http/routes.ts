// Route templates of HTTP functions: parameters, constraints, optional and catch-all parts; the most specific route wins.
import type { Binding, FunctionMetadata } from '../functions/protocol.ts'

export interface HttpRoute {
  readonly name: string
  readonly template: string
  readonly methods: readonly string[]
  readonly parts: readonly Part[]
}

export interface RouteMatch {
  readonly route: HttpRoute
  readonly params: Readonly<Record<string, string>>
}

interface Part {
  readonly literal?: string
  readonly name?: string
  readonly optional?: boolean
  readonly catchAll?: boolean
  readonly accepts?: (text: string) => boolean
}

const number = (text: string): boolean => text !== '' && Number.isFinite(Number(text))
const CONSTRAINTS: Record<string, (argument: string) => (text: string) => boolean> = {
  int: () => (t) => /^[-+]?\d{1,10}$/.test(t) && Math.abs(Number(t)) <= 2_147_483_647,
  long: () => (t) => /^[-+]?\d{1,19}$/.test(t),
  guid: () => (t) => /^\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$/i.test(t),
  bool: () => (t) => /^(true|false)$/i.test(t),
  decimal: () => number,
  double: () => number,
  alpha: () => (t) => /^[a-z]*$/i.test(t),
  min: (a) => (t) => number(t) && Number(t) >= Number(a),
  max: (a) => (t) => number(t) && Number(t) <= Number(a),
  range: (a) => (t) => number(t) && Number(t) >= Number(a.split(',')[0]) && Number(t) <= Number(a.split(',')[1]),
  length: (a) => (t) =>
    a.includes(',') ? t.length >= Number(a.split(',')[0]) && t.length <= Number(a.split(',')[1]) : t.length === Number(a),
  minlength: (a) => (t) => t.length >= Number(a),
  maxlength: (a) => (t) => t.length <= Number(a),
  // Braces are doubled in a template.
  regex: (a) => (t) => new RegExp(a.replaceAll('{{', '{').replaceAll('}}', '}'), 'i').test(t),
}

/** The route of an HTTP function below the prefix; default: its name. */
export function httpRoute(fn: FunctionMetadata, trigger: Binding, prefix: string): HttpRoute {
  const below = trigger.route ?? fn.name
  const template = [prefix, below].filter(Boolean).join('/')
  return {
    name: fn.name,
    template,
    methods: (trigger.methods ?? ['GET', 'POST']).map((m) => m.toUpperCase()),
    parts: template.split('/').map(parsePart),
  }
}

function parsePart(text: string): Part {
  const inner = /^\{(\*{0,2})([^:?}]+)(?::(.+?))?(\?)?\}$/s.exec(text)
  if (!inner) return { literal: text.toLowerCase() }
  const [, stars = '', name = '', constraints = '', optional] = inner
  const tests = splitConstraints(constraints).map(parseConstraint)
  return { name, catchAll: stars !== '', optional: optional !== undefined, accepts: (t) => tests.every((test) => test(t)) }
}

/** `int:range(1,5)` → both; a colon inside parentheses belongs to an argument. */
function splitConstraints(text: string): string[] {
  const found: string[] = []
  for (const piece of text.split(':').filter(Boolean)) {
    const last = found.at(-1)
    if (last !== undefined && last.includes('(') && !last.endsWith(')')) found[found.length - 1] = `${last}:${piece}`
    else found.push(piece)
  }
  return found
}

function parseConstraint(text: string): (value: string) => boolean {
  const [, name = '', argument = ''] = /^(\w+)(?:\((.*)\))?$/.exec(text) ?? []
  const make = CONSTRAINTS[name.toLowerCase()]
  if (!make) throw new Error(`The route constraint '${text}' is not known.`)
  return make(argument)
}

/** The most specific route for a method and raw path, or undefined. */
export function matchRoute(routes: readonly HttpRoute[], method: string, path: string): RouteMatch | undefined {
  const segments = path
    .replaceAll(/^\/+|\/+$/g, '')
    .split('/')
    .map(decode)
  let best: RouteMatch | undefined
  for (const route of routes) {
    if (!route.methods.includes(method)) continue
    const params = matchParts(route.parts, segments)
    if (params && (!best || moreSpecific(route.parts, best.route.parts))) best = { route, params }
  }
  return best
}

/** ASP.NET unescapes a path once, but leaves `%2F`. */
function decode(segment: string): string {
  try {
    return segment
      .split(/(%2f)/i)
      .map((piece) => (/^%2f$/i.test(piece) ? piece : decodeURIComponent(piece)))
      .join('')
  } catch {
    return segment
  }
}

function matchParts(parts: readonly Part[], segments: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {}
  for (const [i, part] of parts.entries()) {
    const segment = segments[i]
    if (part.catchAll) {
      const rest = segments.slice(i).join('/')
      if (rest !== '') params[part.name ?? ''] = rest
      return params
    }
    if (segment === undefined || segment === '') {
      if (part.optional) continue
      return undefined
    }
    if (part.literal !== undefined ? part.literal !== segment.toLowerCase() : !part.accepts?.(segment)) return undefined
    if (part.name !== undefined) params[part.name] = segment
  }
  return segments.length > parts.length ? undefined : params
}

/** Of two that match, the one that ends earlier is more specific: `blobs` before `blobs/{*path}`. */
const rank = (part: Part | undefined): number => (part === undefined ? 0 : part.literal !== undefined ? 1 : part.catchAll ? 3 : 2)

function moreSpecific(a: readonly Part[], b: readonly Part[]): boolean {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    if (rank(a[i]) !== rank(b[i])) return rank(a[i]) < rank(b[i])
  }
  return false
}
