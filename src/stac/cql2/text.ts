// CQL2 text (OGC 21-065r2, annex B) to the tree: recursive descent, bounded in depth, so brackets never end the stack.
// Rejected: cql2-wasm 0.5.0-rc1 (3.75 MB), which reads `a IN (` as `a`, has no positions, and is unusable after 10,000 brackets.
import {
  COMPARISONS,
  type Comparison,
  type Expression,
  type Interval,
  type Property,
  type Temporal,
  TEMPORAL_OPERATORS,
} from './ast.ts'
import * as build from './build.ts'
import type { SpatialLiteral } from './geometry.ts'
import { Budget, LIMITS, quoted, type Refuse, refuseText } from './refuse.ts'
import { type Token, Tokens } from './tokens.ts'
import { isGeometryWord, readSpatialLiteral } from './wkt.ts'

/** Words that no unquoted property can have as its name. */
export const RESERVED: ReadonlySet<string> = new Set(['AND', 'OR', 'NOT', 'IS', 'NULL', 'IN', 'LIKE', 'BETWEEN', 'TRUE', 'FALSE'])

/**
 * Reads a filter in CQL2 text.
 * @param text at most 16 KiB, 500 predicates and connectives, 32 levels, 1,000 values per IN
 * @throws AppError `CQL2_INVALID` with the column, counted from 1, and the piece around it
 * @example parseCql2Text(`eo:cloud_cover < 10 AND S_INTERSECTS(geometry, BBOX(5, 47, 15, 55))`)
 */
export function parseCql2Text(text: string): Expression {
  if (Buffer.byteLength(text) > LIMITS.textBytes)
    throw refuseText(text, 0, `the filter is longer than ${LIMITS.textBytes} bytes; POST it as cql2-json, or make it smaller.`)
  const reader = new Reader(text)
  return reader.readAll()
}

class Reader {
  readonly #tokens: Tokens
  readonly #budget = new Budget()

  constructor(text: string) {
    this.#tokens = new Tokens(text)
  }

  readAll(): Expression {
    const expression = this.#or(1)
    if (this.#tokens.next.kind !== 'end') throw this.#tokens.unexpected('expected AND, OR or the end of the filter')
    return expression
  }

  #node(): void {
    this.#budget.node(this.#refuseAt(this.#tokens.next))
  }

  #refuseAt({ at }: Token): Refuse {
    return (what) => this.#tokens.refuse(what, at)
  }

  #or(depth: number): Expression {
    return this.#chain('or', () => this.#chain('and', () => this.#factor(depth)))
  }

  #chain(kind: 'and' | 'or', read: () => Expression): Expression {
    const args = [read()]
    while (this.#tokens.accept(kind.toUpperCase())) {
      if (args.length === 1) this.#node()
      args.push(read())
    }
    return args.length === 1 ? (args[0] as Expression) : { kind, args }
  }

  #factor(depth: number): Expression {
    this.#budget.level(depth, this.#refuseAt(this.#tokens.next))
    if (this.#tokens.accept('NOT')) {
      this.#node()
      return { kind: 'not', arg: this.#factor(depth + 1) }
    }
    if (!this.#tokens.accept('(')) return this.#predicate(depth)
    const expression = this.#or(depth + 1)
    this.#tokens.expect(')')
    return expression
  }

  #predicate(depth: number): Expression {
    this.#node()
    const start = this.#tokens.next
    const word = start.text.toUpperCase()
    if (this.#tokens.isCall && /^[STA]_/.test(word)) return this.#call(word, depth)
    const operand = this.#operand()
    const refuse = this.#refuseAt(start)
    if (this.#tokens.accept('IS')) return this.#isNull(operand, refuse)
    if (this.#tokens.is('NOT')) {
      this.#node()
      this.#tokens.take()
      return { kind: 'not', arg: this.#matched(operand, refuse) ?? this.#expected('expected LIKE, BETWEEN or IN') }
    }
    const matched = this.#matched(operand, refuse) ?? this.#compared(operand, refuse)
    if (matched) return matched
    if (operand.kind === 'boolean') return operand
    return this.#expected('expected =, <>, <, <=, >, >=, LIKE, BETWEEN, IN or IS NULL')
  }

  #expected(wanted: string): never {
    throw this.#tokens.unexpected(wanted)
  }

  #isNull(operand: build.Operand, refuse: Refuse): Expression {
    const isNegated = this.#tokens.accept('NOT')
    if (isNegated) this.#node()
    this.#tokens.expect('NULL')
    const arg = build.isNull(operand, refuse)
    return isNegated ? { kind: 'not', arg } : arg
  }

  #matched(operand: build.Operand, refuse: Refuse): Expression | undefined {
    if (this.#tokens.accept('LIKE')) return build.like(operand, this.#operand(), refuse)
    if (this.#tokens.accept('BETWEEN')) {
      const low = this.#operand()
      this.#tokens.expect('AND')
      return build.between(operand, low, this.#operand(), refuse)
    }
    if (!this.#tokens.accept('IN')) return undefined
    this.#tokens.expect('(')
    const list = [this.#operand()]
    while (this.#tokens.accept(',')) {
      list.push(this.#operand())
      build.checkCount(list.length, refuse)
    }
    this.#tokens.expect(')')
    return build.isIn(operand, list, refuse)
  }

  #compared(left: build.Operand, refuse: Refuse): Expression | undefined {
    const op = COMPARISONS.find((c) => this.#tokens.is(c))
    if (op === undefined) return undefined
    this.#tokens.take()
    return build.compare(left, op satisfies Comparison, this.#operand(), refuse)
  }

  #operand(): build.Operand {
    const token = this.#tokens.next
    const refuse = this.#refuseAt(token)
    if (token.kind === 'string') return build.text(this.#tokens.take().text, refuse)
    if (token.kind === 'number') return build.number(Number(this.#tokens.take().text), refuse)
    if (token.kind === 'quoted') return build.property(this.#tokens.take().text, refuse)
    if (token.kind !== 'name') throw this.#tokens.unexpected('expected a property or a literal')
    if (this.#tokens.isCall) return this.#instant()
    if (this.#tokens.accept('TRUE')) return { kind: 'boolean', value: true }
    if (this.#tokens.accept('FALSE')) return { kind: 'boolean', value: false }
    return this.#property()
  }

  #property(): Property {
    const { kind, text } = this.#tokens.next
    if (kind !== 'quoted' && (kind !== 'name' || RESERVED.has(text.toUpperCase()))) {
      const hint = this.#tokens.is('NULL') ? '; ask for null with IS NULL' : ''
      throw this.#tokens.unexpected(`expected a property or a literal${hint}`)
    }
    return build.property(text, this.#refuseAt(this.#tokens.take()))
  }

  #instant(): Exclude<build.Operand, Property> {
    const word = this.#tokens.next.text.toUpperCase()
    if (word !== 'DATE' && word !== 'TIMESTAMP') throw this.#tokens.refuse(unknownCall(this.#tokens.next.text))
    this.#tokens.take()
    this.#tokens.expect('(')
    const token = this.#string()
    this.#tokens.expect(')')
    return build.instant(word === 'DATE' ? 'date' : 'timestamp', token.text, this.#refuseAt(token))
  }

  #string(): Token {
    if (this.#tokens.next.kind !== 'string') throw this.#tokens.unexpected('expected a text in single quotes')
    return this.#tokens.take()
  }

  #call(word: string, depth: number): Expression {
    const start = this.#tokens.next
    const op = TEMPORAL_OPERATORS.find((t) => t.toUpperCase() === word)
    if (op === undefined && word !== 'S_INTERSECTS') throw this.#tokens.refuse(unknownCall(start.text))
    this.#tokens.take()
    this.#tokens.expect('(')
    const read = <T>(one: () => T): [T, T] => {
      const left = one()
      this.#tokens.expect(',')
      const both: [T, T] = [left, one()]
      this.#tokens.expect(')')
      return both
    }
    if (op) return build.temporal(op, ...read(() => this.#temporal()), this.#refuseAt(start))
    return build.spatial(...read(() => this.#spatial(depth)), this.#refuseAt(start))
  }

  #spatial(depth: number): Property | SpatialLiteral {
    const isGeometry = this.#tokens.next.kind === 'name' && isGeometryWord(this.#tokens.next.text.toUpperCase())
    if (!isGeometry) return this.#property()
    return readSpatialLiteral(this.#tokens, depth, this.#budget)
  }

  #temporal(): Temporal {
    if (!this.#tokens.isCall) return this.#property()
    if (!this.#tokens.is('INTERVAL')) return this.#instant() as Temporal
    const start = this.#tokens.take()
    this.#tokens.expect('(')
    const from = this.#intervalEnd()
    this.#tokens.expect(',')
    const to = this.#intervalEnd()
    this.#tokens.expect(')')
    return build.interval(from, to, this.#refuseAt(start))
  }

  #intervalEnd(): Interval['start'] {
    if (this.#tokens.next.kind !== 'string') return this.#property()
    const token = this.#tokens.take()
    return build.intervalEnd(token.text, this.#refuseAt(token))
  }
}

function unknownCall(name: string): string {
  const supported = `S_INTERSECTS, ${TEMPORAL_OPERATORS.join(', ').toUpperCase()}, DATE, TIMESTAMP and INTERVAL`
  return `${quoted(name)} is no function that is supported; there are ${supported}.`
}
