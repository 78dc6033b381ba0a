// Route templates of HTTP functions: parameters, constraints, optional and catch-all parts; the first by name wins, as on the real host.
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

export interface Part {
  /** Its text in the template, in lower case: equal texts accept the same values. */
  readonly text: string
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

/** The route of an HTTP function below the prefix; default, and when it is empty: its name. */
export function httpRoute(
  fn: Pick<FunctionMetadata, 'name'>,
  trigger: Pick<Binding, 'route' | 'methods'>,
  prefix: string,
): HttpRoute {
  const template = [prefix, trigger.route || fn.name].filter(Boolean).join('/')
  return {
    name: fn.name,
    template,
    methods: (trigger.methods ?? ['GET', 'POST']).map((m) => m.toUpperCase()),
    parts: template.split('/').map(parsePart),
  }
}

function parsePart(text: string): Part {
  const inner = /^\{(\*{0,2})([^:?}]+)(?::(.+?))?(\?)?\}$/s.exec(text)
  if (!inner) return { text: text.toLowerCase(), literal: text.toLowerCase() }
  const [, stars = '', name = '', constraints = '', optional] = inner
  const tests = splitConstraints(constraints).map(parseConstraint)
  return {
    text: constraints === '' ? '' : constraints.toLowerCase(),
    name,
    catchAll: stars !== '',
    optional: optional !== undefined,
    accepts: (t) => tests.every((test) => test(t)),
  }
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

/** Functions by name, ordinal and without case: the order in which the real host asks their routes. */
export function inHostOrder(routes: readonly HttpRoute[]): HttpRoute[] {
  const key = ({ name }: HttpRoute): string => name.toUpperCase()
  return [...routes].sort((a, b) => (key(a) < key(b) ? -1 : 1))
}

/**
 * The first route that takes method and raw path, or undefined. An empty segment matches nothing.
 * @param routes in the host's order
 * @param path without dot segments
 */
export function matchRoute(routes: readonly HttpRoute[], method: string, path: string): RouteMatch | undefined {
  if (path.includes('//')) return undefined
  const segments = path.slice(1).split('/').map(decode)
  for (const route of routes) {
    const params = route.methods.includes(method) ? matchParts(route.parts, segments) : undefined
    if (params) return { route, params }
  }
  return undefined
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

/** A slash at the end counts only for a catch-all, to whose value it belongs. */
export function matchParts(parts: readonly Part[], given: readonly string[]): Record<string, string> | undefined {
  const segments = given.at(-1) === '' ? given.slice(0, -1) : given
  const params: Record<string, string> = {}
  for (const [i, part] of parts.entries()) {
    const segment = segments[i]
    if (part.catchAll) {
      const rest = segment === undefined ? '' : given.slice(i).join('/')
      if (rest !== '') params[part.name ?? ''] = rest
      return params
    }
    if (segment === undefined) {
      if (part.optional) continue
      return undefined
    }
    if (part.literal !== undefined ? part.literal !== segment.toLowerCase() : !part.accepts?.(segment)) return undefined
    if (part.name !== undefined) params[part.name] = segment
  }
  return segments.length > parts.length ? undefined : params
}
