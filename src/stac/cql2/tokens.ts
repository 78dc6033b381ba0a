// The words of CQL2 text, read one at a time with a look at the next.
import type { AppError } from '../../rules/errors.ts'
import { quoted, refuseText } from './refuse.ts'

export interface Token {
  /** `symbol` is an operator, bracket or comma; `name` a keyword or unquoted name; `quoted` a name in double quotes. */
  readonly kind: 'name' | 'quoted' | 'string' | 'number' | 'symbol' | 'end'
  /** Without quotes, doubled ones made single. */
  readonly text: string
  /** 0-based index of its first character. */
  readonly at: number
}

const SPACE = /[ \t\r\n]*/y
// Names of the standard's grammar: letters, `_` and `:`, then also digits, `.` and combining marks.
const NAME = /[\p{L}_:][\p{L}\p{M}\p{Nd}_:.]*/uy
const NUMBER = /[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y
const SYMBOL = /<>|<=|>=|[=<>(),]/y

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

/** A cursor over a filter; whatever cannot be a token is refused at its column. */
export class Tokens {
  readonly #text: string
  #token: Token
  #end = 0

  constructor(text: string) {
    this.#text = text
    this.#token = this.#read()
  }

  get next(): Token {
    return this.#token
  }

  /** Gives the next token and goes beyond it. */
  take(): Token {
    const token = this.#token
    this.#token = this.#read()
    return token
  }

  /** Whether the next token is this symbol or, in any case, this keyword. */
  is(word: string): boolean {
    const { kind, text } = this.#token
    return kind === 'symbol' ? text === word : kind === 'name' && text.toUpperCase() === word
  }

  /** Goes beyond the symbol or keyword if it is next. */
  accept(word: string): boolean {
    if (!this.is(word)) return false
    this.take()
    return true
  }

  expect(word: string): void {
    if (!this.accept(word)) throw this.unexpected(`expected ${word}`)
  }

  /** Whether a bracket follows the next token: `DATE(` is a function, `date = 1` a property. */
  get isCall(): boolean {
    return this.#token.kind === 'name' && this.#text[this.#end + (match(SPACE, this.#text, this.#end)?.length ?? 0)] === '('
  }

  /** @param wanted what should stand at the next token, as `expected …` */
  unexpected(wanted: string): AppError {
    const { kind, text } = this.#token
    return this.refuse(`${wanted} and found ${kind === 'end' ? 'the end of the filter' : quoted(text)}.`)
  }

  /** @param at 0-based index; the next token's when left out */
  refuse(what: string, at = this.#token.at): AppError {
    return refuseText(this.#text, at, what)
  }

  #read(): Token {
    const text = this.#text
    const at = this.#end + (match(SPACE, text, this.#end)?.length ?? 0)
    if (at >= text.length) return this.#make('end', '', at, at)
    if (text[at] === "'" || text[at] === '"') return this.#readQuoted(at)
    const name = match(NAME, text, at)
    if (name !== undefined) return this.#make('name', name, at, at + name.length)
    const number = match(NUMBER, text, at)
    if (number !== undefined) return this.#make('number', number, at, at + number.length)
    const symbol = match(SYMBOL, text, at)
    if (symbol !== undefined) return this.#make('symbol', symbol, at, at + symbol.length)
    throw this.refuse(HINTS[text[at] as string] ?? 'no word of CQL2 begins with this character.', at)
  }

  #make(kind: Token['kind'], text: string, at: number, end: number): Token {
    this.#end = end
    return { kind, text, at }
  }

  // The grammar's second way to write a quote, \', is not read: it would make every text that ends with a backslash unreadable.
  #readQuoted(at: number): Token {
    const text = this.#text
    const quote = text[at] as string
    let end = text.indexOf(quote, at + 1)
    while (end >= 0 && text[end + 1] === quote) end = text.indexOf(quote, end + 2)
    if (end < 0) throw this.refuse(`this ${quote} is never closed; a quote inside is written twice.`, at)
    const inner = text.slice(at + 1, end).replaceAll(quote + quote, quote)
    return this.#make(quote === "'" ? 'string' : 'quoted', inner, at, end + 1)
  }
}

const ARITHMETIC =
  'arithmetic is not supported; a name with other characters than letters, digits, _ : and . needs double quotes.'
const HINTS: Readonly<Record<string, string>> = {
  '!': 'not equal is written <>.',
  '-': ARITHMETIC,
  '+': ARITHMETIC,
  '*': ARITHMETIC,
  '/': ARITHMETIC,
  '^': ARITHMETIC,
  '%': ARITHMETIC,
  '[': 'arrays are not supported.',
  '{': 'this looks like JSON; send it with filter-lang=cql2-json.',
  ';': 'a filter is one expression.',
}
