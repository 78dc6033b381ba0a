// Globs in linear time: compiled to states that are stepped together, never to a backtracking expression.

type Token =
  | { readonly kind: 'char'; readonly value: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'class'; readonly negated: boolean; readonly ranges: readonly (readonly [string, string])[] }
  | { readonly kind: 'star' }
  | { readonly kind: 'globstar' }

/** More alternatives than this in all braces together are refused: they multiply. */
const MAX_ALTERNATIVES = 64

/** The matcher of a pattern over a full blob name. @throws Error when braces or classes are not closed, or multiply too far */
export function compileGlob(pattern: string): (name: string) => boolean {
  const programs = expandBraces(pattern).map(tokenize)
  return (name) => programs.some((program) => matches(program, name))
}

/** `a{b,c}d` → `abd`, `acd`; nested braces too. */
function expandBraces(pattern: string): string[] {
  const open = pattern.indexOf('{')
  if (open < 0) return [pattern]
  const options: string[] = []
  let depth = 0
  let from = open + 1
  for (let i = open; i < pattern.length; i++) {
    const c = pattern[i]
    if (c === '{') depth++
    if (c === '}') depth--
    if ((c === ',' && depth === 1) || depth === 0) {
      options.push(pattern.slice(from, i))
      from = i + 1
    }
    if (depth > 0) continue
    const expanded = options.flatMap((o) => expandBraces(pattern.slice(0, open) + o + pattern.slice(i + 1)))
    if (expanded.length > MAX_ALTERNATIVES) throw new Error(`the pattern has more than ${MAX_ALTERNATIVES} alternatives`)
    return expanded
  }
  throw new Error('the pattern has a { without }')
}

function tokenize(pattern: string): Token[] {
  const tokens: Token[] = []
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i] as string
    if (c === '*' && pattern[i + 1] === '*') {
      tokens.push({ kind: 'globstar' })
      i++
    } else if (c === '*') tokens.push({ kind: 'star' })
    else if (c === '?') tokens.push({ kind: 'any' })
    else if (c === '[') {
      const end = pattern.indexOf(']', i + 2)
      if (end < 0) throw new Error('the pattern has a [ without ]')
      tokens.push(characterClass(pattern.slice(i + 1, end)))
      i = end
    } else tokens.push({ kind: 'char', value: c })
  }
  return tokens
}

function characterClass(text: string): Token {
  const negated = text.startsWith('!') || text.startsWith('^')
  const body = negated ? text.slice(1) : text
  const ranges: [string, string][] = []
  for (let i = 0; i < body.length; i++) {
    const from = body[i] as string
    if (body[i + 1] === '-' && body[i + 2] !== undefined) {
      ranges.push([from, body[i + 2] as string])
      i += 2
    } else ranges.push([from, from])
  }
  return { kind: 'class', negated, ranges }
}

/** Steps the set of reachable positions over the name: time is name × pattern, whatever the pattern. */
function matches(program: readonly Token[], name: string): boolean {
  let current = closure(program, [0])
  for (const c of name) {
    const next: number[] = []
    for (const at of current) {
      const token = program[at]
      if (token === undefined || !accepts(token, c)) continue
      next.push(token.kind === 'star' || token.kind === 'globstar' ? at : at + 1)
    }
    if (next.length === 0) return false
    current = closure(program, next)
  }
  return current.has(program.length)
}

/** Stars may match nothing; `**` + slash may match nothing as a whole, so that `**` + `/x` finds `x` at the top. */
function closure(program: readonly Token[], positions: readonly number[]): Set<number> {
  const seen = new Set<number>()
  const stack = [...positions]
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    if (seen.has(at)) continue
    seen.add(at)
    const token = program[at]
    if (token?.kind === 'star' || token?.kind === 'globstar') stack.push(at + 1)
    const after = program[at + 1]
    if (token?.kind === 'globstar' && after?.kind === 'char' && after.value === '/' && (at === 0 || isSlash(program[at - 1])))
      stack.push(at + 2)
  }
  return seen
}

const isSlash = (token: Token | undefined): boolean => token?.kind === 'char' && token.value === '/'

function accepts(token: Token, c: string): boolean {
  switch (token.kind) {
    case 'char':
      return token.value === c
    case 'globstar':
      return true
    case 'star':
    case 'any':
      return c !== '/'
    default:
      return c !== '/' && token.ranges.some(([from, to]) => c >= from && c <= to) !== token.negated
  }
}
