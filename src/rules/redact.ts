// What could open something, replaced in texts of any origin: one pass from left to right, each character looked at a bounded number of times.

/** Names whose value is a secret, before `=` or `:`, plain or quoted; and the authority of a URL. `code` is one only in a query. */
const MARKS =
  /(?<name>(?<![a-z])sig|account_?key|access_?key|access_?signature|passw(?:or)?d|passphrase|\bpwd|secret|token|api[-_]?key|functions-key|authorization|(?<=[?&])code)(?<separator>\\{0,8}["']?\s{0,4}(?:=|:)\s{0,4})|(?<scheme>[a-z][a-z0-9+.-]{1,30}):\/\//gi

/** Replaces values of known secret forms by `***`; what is not known to be one stays. */
export function redact(text: string): string {
  let done = 0
  let clean = ''
  MARKS.lastIndex = 0
  for (let match = MARKS.exec(text); match; match = MARKS.exec(text)) {
    const from = match.index + match[0].length
    const scheme = match.groups?.['scheme']
    const [start, end] = scheme === undefined ? valueAt(text, from, match.groups?.['name'] ?? '') : passwordAt(text, from)
    if (end > start && text.slice(start, end) !== '***') {
      clean += `${text.slice(done, start)}***`
      done = end
    }
    MARKS.lastIndex = Math.max(end, from)
  }
  return clean + text.slice(done)
}

/** Where the value begins and ends. Quoted ones end at their own quote, however deep the JSON lies in other JSON. */
function valueAt(text: string, from: number, name: string): readonly [number, number] {
  const opening = /\\*["']/y
  opening.lastIndex = from
  const quote = opening.exec(text)?.[0]
  if (quote !== undefined) return [from + quote.length, endOfQuoted(text, from + quote.length, quote)]
  // `Authorization: Bearer x`: the scheme is no secret, but nothing is lost with it.
  const plain = name.toLowerCase() === 'authorization' ? /[^"'\r\n,}]*/y : /[^&;"'\s,)}\]<>\\]*/y
  plain.lastIndex = from
  return [from, from + (plain.exec(text)?.[0].length ?? 0)]
}

/** A quote closes when it is escaped as deep as the one that opened; deeper ones belong to the value. */
function endOfQuoted(text: string, from: number, opening: string): number {
  const mark = opening.at(-1)
  const depth = opening.length - 1
  let slashes = 0
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') slashes++
    else {
      if (text[at] === mark && slashes % (2 * (depth + 1)) === depth) return at - depth
      slashes = 0
    }
  }
  return text.length
}

/** `user:password@`: up to the last `@` before a space or quote, because passwords hold `@` and `/` too; nothing when there is none. */
function passwordAt(text: string, from: number): readonly [number, number] {
  const authority = /[^\s"'<>]*/y
  authority.lastIndex = from
  const whole = authority.exec(text)?.[0] ?? ''
  const [at, colon] = [whole.lastIndexOf('@'), whole.indexOf(':')]
  const path = whole.search(/[/?#]/)
  // A port or a path before the colon: no user stands there.
  if (at < 0 || colon < 0 || colon > at || (path >= 0 && path < colon)) return [from, from]
  return [from + colon + 1, from + at]
}
