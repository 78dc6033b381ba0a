// Globs in linear time: one automaton for the whole pattern, its states stepped together over the name; never a backtracking expression.
// Alternatives in braces are branches of the automaton, not copies of the pattern, so that they cannot multiply.

type Test = (c: string) => boolean

/** A state: on a character that it accepts it leads to `next`; `free` ones are reached without a character. */
interface State {
  readonly accepts?: Test
  next: number
  readonly free: number[]
  /** As `free`, but only where a path segment begins. */
  readonly freeAtSegment: number[]
}

/** The matcher of a pattern over a full blob name. @throws Error when braces or classes are not closed, or nested too deep */
export function compileGlob(pattern: string): (name: string) => boolean {
  const { states, end } = new Compiler(collapse(pattern)).compile()
  const automaton = new Automaton(states, end)
  return (name) => automaton.matches(name)
}

/** Runs of stars mean what one or two of them mean, and double slashes of globstars what one does. */
const collapse = (pattern: string): string => pattern.replaceAll(/\*{3,}/g, '**').replaceAll(/(?:\*\*\/){2,}/g, '**/')

class Compiler {
  readonly #text: string
  readonly #states: State[] = []
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  compile(): { states: readonly State[]; end: number } {
    const end = this.#sequence(this.#add(), 0)
    return { states: this.#states, end }
  }

  #add(accepts?: Test): number {
    this.#states.push({ next: -1, free: [], freeAtSegment: [], ...(accepts ? { accepts } : {}) })
    return this.#states.length - 1
  }

  #free(from: number, to: number): void {
    this.#states[from]?.free.push(to)
  }

  /** A state behind `from` that is reached by one accepted character. */
  #step(from: number, accepts: Test): number {
    const taker = this.#add(accepts)
    const after = this.#add()
    this.#free(from, taker)
    ;(this.#states[taker] as State).next = after
    return after
  }

  /** A state behind `from` that is reached by any number of accepted characters. */
  #loop(from: number, accepts: Test): number {
    const taker = this.#add(accepts)
    const after = this.#add()
    this.#free(from, after)
    this.#free(after, taker)
    ;(this.#states[taker] as State).next = after
    return after
  }

  /** Reads up to the end, or to the comma or brace that ends an alternative. */
  #sequence(from: number, depth: number): number {
    let current = from
    for (; this.#at < this.#text.length; this.#at++) {
      const c = this.#text[this.#at] as string
      if (depth > 0 && (c === ',' || c === '}')) return current
      if (c === '{') current = this.#alternatives(current, depth + 1)
      else if (c === '*') current = this.#star(current)
      else if (c === '?') current = this.#step(current, notSlash)
      else if (c === '[') current = this.#step(current, this.#characterClass())
      else current = this.#literal(current)
    }
    if (depth > 0) throw new Error('the pattern has a { without }')
    return current
  }

  /** One character of the name, which may be two units of the text. */
  #literal(from: number): number {
    const wanted = String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0)
    this.#at += wanted.length - 1
    return this.#step(from, (given) => given === wanted)
  }

  /** `*` stays in a segment; `**` crosses; `**` + slash at the begin of a segment may match nothing as a whole, so that it finds the top too. */
  #star(from: number): number {
    if (this.#text[this.#at + 1] !== '*') return this.#loop(from, notSlash)
    this.#at++
    const after = this.#loop(from, any)
    if (this.#text[this.#at + 1] !== '/') return after
    this.#at++
    const behindSlash = this.#step(after, isSlash)
    this.#states[from]?.freeAtSegment.push(behindSlash)
    return behindSlash
  }

  #alternatives(from: number, depth: number): number {
    if (depth > MAX_DEPTH) throw new Error(`the pattern nests braces more than ${MAX_DEPTH} deep`)
    const after = this.#add()
    do {
      this.#at++
      const begin = this.#add()
      this.#free(from, begin)
      this.#free(this.#sequence(begin, depth), after)
    } while (this.#text[this.#at] === ',')
    return after
  }

  #characterClass(): Test {
    const end = this.#text.indexOf(']', this.#at + 2)
    if (end < 0) throw new Error('the pattern has a [ without ]')
    const test = characterClass(this.#text.slice(this.#at + 1, end))
    this.#at = end
    return test
  }
}

const MAX_DEPTH = 16
const any: Test = () => true
const isSlash: Test = (c) => c === '/'
const notSlash: Test = (c) => c !== '/'

function characterClass(text: string): Test {
  const negated = text.startsWith('!') || text.startsWith('^')
  const body = Array.from(negated ? text.slice(1) : text)
  const ranges: (readonly [string, string])[] = []
  for (let i = 0; i < body.length; i++) {
    const from = body[i] as string
    const isRange = body[i + 1] === '-' && body[i + 2] !== undefined
    ranges.push([from, isRange ? (body[i + 2] as string) : from])
    if (isRange) i += 2
  }
  return (c) => c !== '/' && ranges.some(([from, to]) => c >= from && c <= to) !== negated
}

/** A set of states, and where each character that was met leads. */
interface Node {
  readonly takers: readonly number[]
  readonly accepting: boolean
  readonly edges: Map<string, Node | undefined>
}

/** Sets and edges that are kept; beyond them everything is forgotten and made anew, so that memory has a bound. */
const MAX_NODES = 1000
const MAX_EDGES = 20_000

/** Sets of states are made once and kept: names of one container are alike, and most steps are a look-up. */
class Automaton {
  readonly #states: readonly State[]
  readonly #end: number
  readonly #nodes = new Map<string, Node>()
  #edges = 0
  #start: Node

  constructor(states: readonly State[], end: number) {
    this.#states = states
    this.#end = end
    this.#start = this.#nodeOf([0], true)
  }

  matches(name: string): boolean {
    let node = this.#start
    for (const c of name) {
      const next = node.edges.has(c) ? node.edges.get(c) : this.#advance(node, c)
      if (!next) return false
      node = next
    }
    return node.accepting
  }

  #advance(node: Node, c: string): Node | undefined {
    if (this.#nodes.size > MAX_NODES || this.#edges > MAX_EDGES) this.#forget()
    const reached = node.takers.filter((at) => this.#states[at]?.accepts?.(c)).map((at) => this.#states[at]?.next ?? 0)
    const next = reached.length === 0 ? undefined : this.#nodeOf(reached, c === '/')
    node.edges.set(c, next)
    this.#edges++
    return next
  }

  #forget(): void {
    for (const node of this.#nodes.values()) node.edges.clear()
    this.#nodes.clear()
    this.#edges = 0
    this.#start = this.#nodeOf([0], true)
  }

  /** Each state and each edge is looked at once, whatever the pattern. */
  #nodeOf(reached: readonly number[], atSegment: boolean): Node {
    const seen = new Set<number>()
    const stack = [...reached]
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (seen.has(at)) continue
      seen.add(at)
      const state = this.#states[at]
      stack.push(...(state?.free ?? []), ...(atSegment ? (state?.freeAtSegment ?? []) : []))
    }
    const takers = [...seen].filter((at) => this.#states[at]?.accepts).sort((a, b) => a - b)
    const accepting = seen.has(this.#end)
    const key = `${accepting ? '+' : '-'}${takers.join(',')}`
    const known = this.#nodes.get(key)
    if (known) return known
    const node = { takers, accepting, edges: new Map<string, Node | undefined>() }
    this.#nodes.set(key, node)
    return node
  }
}
